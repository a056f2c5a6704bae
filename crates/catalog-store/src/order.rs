//! The orders of catalog lists.
//!
//! Rows are ordered by a key and then by id. Rows without a key come last in either direction. A string property is ordered by
//! its first characters: MySQL and MariaDB sort by the first bytes of a string, of which they take a different number from one
//! execution of a statement to the next, while they compare whole strings elsewhere, so that pages would overlap.

use model_registry_api::SortOrder;
use model_registry_filter::ValueType;
use model_registry_store::Result;
use model_registry_store::sql::{WORKSPACE, is_after, is_from, value_column};
use sea_query::{Cond, Expr, ExprTrait, Func, Query, SelectStatement};

use crate::list::SORT_KEY;
use crate::page_token::{self, Key};

/// Characters of a string that a list is ordered by: MySQL and MariaDB sort by up to four bytes of each, and by 1,024 bytes.
const KEY_CHARACTERS: u8 = 255;

/// The part of a string property that a list is ordered by.
pub(crate) fn sort_prefix(string: &str) -> &str {
    string.char_indices().nth(KEY_CHARACTERS.into()).map_or(string, |(end, _)| &string[..end])
}

/// What a list of the catalog is ordered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogOrder {
    Id,
    /// Without regard to case.
    Name,
    CreateTime,
    LastUpdateTime,
    /// A property's value of this type.
    Property {
        name: String,
        value: ValueType,
    },
    /// The least value among the item's artifacts, or the greatest where the list descends.
    ArtifactProperty {
        name: String,
        value: ValueType,
    },
}

/// The type of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyType {
    Int,
    Double,
    String,
}

impl CatalogOrder {
    /// Rejects a page token that no list in this order returns.
    pub fn check_token(&self, token: &str) -> Result<()> {
        page_token::decode(token, None, self.key_type())?;
        Ok(())
    }

    pub(crate) fn key_type(&self) -> KeyType {
        match self {
            Self::Id | Self::CreateTime | Self::LastUpdateTime => KeyType::Int,
            Self::Name => KeyType::String,
            Self::Property { value, .. } | Self::ArtifactProperty { value, .. } => match value {
                ValueType::Int => KeyType::Int,
                ValueType::Double => KeyType::Double,
                ValueType::String | ValueType::Bool => KeyType::String,
            },
        }
    }

    /// Whether some rows may have no key.
    pub(crate) fn may_be_absent(&self) -> bool {
        matches!(self, Self::Property { .. } | Self::ArtifactProperty { .. })
    }

    /// Whether the database has an index in this order.
    pub(crate) fn has_database_index(&self) -> bool {
        !self.may_be_absent()
    }

    /// Whether rows with equal keys are ordered in the direction of the list; otherwise they ascend by id (parity).
    pub(crate) fn ids_follow_direction(&self) -> bool {
        matches!(self, Self::Id | Self::CreateTime | Self::LastUpdateTime)
    }

    /// The key of the rows of `table`; only artifacts that satisfy `counted` count.
    pub(crate) fn key(&self, table: &'static str, sort_order: SortOrder, counted: Option<Expr>) -> Expr {
        let column = |name: &'static str| Expr::col((table, name));
        let extreme_of = |value: &ValueType, owner: (&'static str, &'static str), name: &str| -> SelectStatement {
            let stored = Expr::col(("catalog_property", value_column(*value)));
            let stored: Expr = match value {
                ValueType::String => {
                    let [first, count] = ["1".to_owned(), KEY_CHARACTERS.to_string()].map(Expr::cust);
                    Func::cust("substr").args([stored, first, count]).into()
                }
                ValueType::Int | ValueType::Double | ValueType::Bool => stored,
            };
            let extreme = match sort_order {
                SortOrder::Ascending => Func::min(stored),
                SortOrder::Descending => Func::max(stored),
            };
            Query::select()
                .expr(extreme)
                .from("catalog_property")
                .and_where(Expr::col(("catalog_property", "workspace_id")).eq(WORKSPACE))
                .and_where(Expr::col(("catalog_property", "kind")).eq(Expr::col((owner.0, "kind"))))
                .and_where(Expr::col(("catalog_property", "owner_id")).eq(Expr::col(owner)))
                .and_where(Expr::col(("catalog_property", "name")).eq(name))
                .take()
        };
        match self {
            Self::Id => column("id"),
            Self::Name => column("sort_name"),
            Self::CreateTime => column("create_time"),
            Self::LastUpdateTime => column("update_time"),
            Self::Property { name, value } => {
                Expr::SubQuery(None, Box::new(extreme_of(value, (table, "id"), name).into()))
            }
            Self::ArtifactProperty { name, value } => {
                let mut select = extreme_of(value, ("catalog_artifact", "id"), name);
                select
                    .from("catalog_artifact")
                    .and_where(Expr::col(("catalog_artifact", "parent_id")).eq(column("id")));
                if let Some(counted) = counted {
                    select.and_where(counted);
                }
                Expr::SubQuery(None, Box::new(select.into()))
            }
        }
    }
}

/// The condition for rows after `(key, id)`, on the columns `sort_key` and `id`.
pub(crate) fn after(order: &CatalogOrder, sort_order: SortOrder, key: &Key, id: i64) -> Cond {
    let column = || Expr::col(SORT_KEY);
    let descends = sort_order == SortOrder::Descending;
    let next_id =
        if descends && order.ids_follow_direction() { Expr::col("id").lt(id) } else { Expr::col("id").gt(id) };
    let bound: Expr = match key {
        Key::Absent => return Cond::all().add(column().is_null()).add(next_id),
        Key::Int(value) => (*value).into(),
        Key::Double(value) => (*value).into(),
        Key::String(value) => value.clone().into(),
    };
    let beyond = is_after(sort_order, column(), bound.clone());
    let after = Cond::any().add(beyond).add(Cond::all().add(column().eq(bound.clone())).add(next_id));
    if order.may_be_absent() {
        return after.add(column().is_null());
    }
    // Implied by the condition, in a form that lets an index scan start at the bound.
    Cond::all().add(is_from(sort_order, column(), bound)).add(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_ordered_by_their_first_characters() {
        assert_eq!(sort_prefix("a"), "a");
        for character in ["x", "é", "日", "😀"] {
            let key = character.repeat(KEY_CHARACTERS.into());
            assert_eq!(sort_prefix(&character.repeat(1_000)), key);
            assert_eq!(sort_prefix(&key), key);
            assert!(key.len() <= 1_024, "what MySQL and MariaDB sort by");
        }
    }
}
