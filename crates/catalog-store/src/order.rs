//! The orders of catalog lists and the page tokens that belong to them.
//!
//! Rows are ordered by a key, which may be absent (such rows come last, in either direction), and then by id.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model_registry_api::SortOrder;
use model_registry_filter::ValueType;
use model_registry_store::sql::{WORKSPACE, is_after, is_from, value_column};
use model_registry_store::{Result, StoreError};
use sea_query::{Alias, Cond, Expr, ExprTrait, Func, Query, SelectStatement};

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
    /// The least value among a model's artifacts, or the greatest where the list descends.
    ArtifactProperty {
        name: String,
        value: ValueType,
    },
}

/// The type of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyType {
    Int,
    Double,
    Text,
}

/// The key of a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Key {
    Absent,
    Int(i64),
    Double(f64),
    Text(String),
    /// That of the row of the token's id, which begins like this: too long for a token.
    LongText(String),
}

impl CatalogOrder {
    /// Refuses a page token that no list in this order made.
    pub fn check_token(&self, token: &str) -> Result<()> {
        decode(token, None, self.key_type()).map(drop)
    }

    pub(super) fn key_type(&self) -> KeyType {
        match self {
            Self::Id | Self::CreateTime | Self::LastUpdateTime => KeyType::Int,
            Self::Name => KeyType::Text,
            Self::Property { value, .. } | Self::ArtifactProperty { value, .. } => match value {
                ValueType::Int => KeyType::Int,
                ValueType::Double => KeyType::Double,
                ValueType::String | ValueType::Bool => KeyType::Text,
            },
        }
    }

    /// Whether some rows may have no key.
    pub(super) fn may_be_absent(&self) -> bool {
        matches!(self, Self::Property { .. } | Self::ArtifactProperty { .. })
    }

    /// Whether an index has the rows in this order.
    pub(super) fn is_by_index(&self) -> bool {
        !self.may_be_absent()
    }

    /// Whether rows of one key follow each other in the direction of the list; otherwise by ascending id (parity).
    pub(super) fn ids_follow_direction(&self) -> bool {
        matches!(self, Self::Id | Self::CreateTime | Self::LastUpdateTime)
    }

    /// The key of the rows of `table`; `related` narrows down the artifacts that count.
    pub(super) fn key(&self, table: &'static str, sort_order: SortOrder, related: Option<Expr>) -> Expr {
        let column = |name: &'static str| Expr::col((table, name));
        let of = |value: &ValueType, owner: (&'static str, &'static str), name: &str| -> SelectStatement {
            let stored = Expr::col(("catalog_property", value_column(*value)));
            let extreme = match sort_order {
                SortOrder::Ascending => Func::min(stored.clone()),
                SortOrder::Descending => Func::max(stored.clone()),
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
            Self::Property { name, value } => Expr::SubQuery(None, Box::new(of(value, (table, "id"), name).into())),
            Self::ArtifactProperty { name, value } => {
                let mut select = of(value, ("catalog_artifact", "id"), name);
                select
                    .from("catalog_artifact")
                    .and_where(Expr::col(("catalog_artifact", "parent_id")).eq(column("id")));
                if let Some(related) = related {
                    select.and_where(related);
                }
                Expr::SubQuery(None, Box::new(select.into()))
            }
        }
    }
}

/// The rows behind `(key, id)`, where the key stands in a column of that name. `key_of_id` selects the key of the row with the
/// id.
pub(super) fn after(
    order: &CatalogOrder,
    sort_order: SortOrder,
    key: &Key,
    id: i64,
    key_of_id: SelectStatement,
) -> Cond {
    let column = || Expr::col(Alias::new("sort_key"));
    let id_column = || Expr::col(Alias::new("id"));
    let descends = sort_order == SortOrder::Descending;
    let next_id = if descends && order.ids_follow_direction() { id_column().lt(id) } else { id_column().gt(id) };
    let bound: Expr = match key {
        Key::Absent => return Cond::all().add(column().is_null()).add(next_id),
        Key::Int(value) => (*value).into(),
        Key::Double(value) => (*value).into(),
        Key::Text(value) => value.clone().into(),
        // What the row began with stands for it when it is gone.
        Key::LongText(beginning) => {
            let beginning = if descends { format!("{beginning}{}", char::MAX) } else { beginning.clone() };
            Func::coalesce([Expr::SubQuery(None, Box::new(key_of_id.into())), beginning.into()]).into()
        }
    };
    let beyond = is_after(sort_order, column(), bound.clone());
    // Said once more in a form that an index can start from.
    let from = is_from(sort_order, column(), bound.clone());
    let mut any = Cond::any().add(beyond).add(Cond::all().add(column().eq(bound)).add(next_id));
    if order.may_be_absent() {
        any = any.add(column().is_null());
        return any;
    }
    Cond::all().add(from).add(any)
}

const INVALID: StoreError =
    StoreError::PageToken("it was not made by this server; take it from the previous page unchanged");
const OTHER_LIST: StoreError = StoreError::PageToken(
    "it was made for another list, order or filter; start again without a token, or repeat the request that gave it",
);
/// Keys are texts of any length, but a token has to fit into a URL: of a longer one it has the beginning. Names are shorter.
const LONGEST_KEY: usize = 4 * 1024;
/// How much of a longer key is in the token, in characters.
const BEGINNING: usize = 100;
const LONGEST_TOKEN: usize = 16 * 1024;

/// A token is the id, the list's fingerprint and the key.
pub(super) fn encode(key: &Key, id: i64, fingerprint: &str) -> String {
    let key = match key {
        Key::Absent => "n".to_owned(),
        Key::Int(value) => format!("i{value}"),
        // Bits, so that the very same number comes back.
        Key::Double(value) => format!("d{:x}", value.to_bits()),
        Key::Text(value) if value.len() > LONGEST_KEY => {
            format!("l{}", value.chars().take(BEGINNING).collect::<String>())
        }
        Key::Text(value) => format!("t{value}"),
        Key::LongText(beginning) => format!("l{beginning}"),
    };
    URL_SAFE_NO_PAD.encode(format!("{id}:{fingerprint}:{key}"))
}

/// Without a fingerprint, the token may be of any list.
pub(super) fn decode(token: &str, fingerprint: Option<&str>, key_type: KeyType) -> Result<(Key, i64)> {
    if token.len() > LONGEST_TOKEN {
        return Err(INVALID);
    }
    let bytes = URL_SAFE_NO_PAD.decode(token.trim_end_matches('=')).map_err(|_| INVALID)?;
    let text = String::from_utf8(bytes).map_err(|_| INVALID)?;
    let mut parts = text.splitn(3, ':');
    let id = parts.next().and_then(|part| part.parse().ok()).ok_or(INVALID)?;
    let (Some(found), Some(key)) = (parts.next(), parts.next()) else { return Err(INVALID) };
    if fingerprint.is_some_and(|fingerprint| found != fingerprint) {
        return Err(OTHER_LIST);
    }
    let key = match (key.split_at_checked(1), key_type) {
        (Some(("n", "")), _) => Key::Absent,
        (Some(("i", value)), KeyType::Int) => Key::Int(value.parse().map_err(|_| INVALID)?),
        (Some(("d", value)), KeyType::Double) => {
            Key::Double(f64::from_bits(u64::from_str_radix(value, 16).map_err(|_| INVALID)?))
        }
        (Some(("t", value)), KeyType::Text) => Key::Text(value.to_owned()),
        (Some(("l", value)), KeyType::Text) => Key::LongText(value.to_owned()),
        _ => return Err(INVALID),
    };
    Ok((key, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_gives_back_its_key_and_refuses_another_list() {
        for (key, key_type) in [
            (Key::Absent, KeyType::Double),
            (Key::Int(-7), KeyType::Int),
            (Key::Double(0.1 + 0.2), KeyType::Double),
            (Key::Text("a:b:\u{1}c".to_owned()), KeyType::Text),
        ] {
            let token = encode(&key, 42, "list");
            assert_eq!(decode(&token, Some("list"), key_type).unwrap(), (key, 42));
            assert!(decode(&token, Some("other"), key_type).is_err());
            assert!(decode(&token, None, key_type).is_ok());
        }
        assert!(decode(&encode(&Key::Int(1), 1, "list"), None, KeyType::Text).is_err());
        assert!(decode("Zm9v", None, KeyType::Int).is_err());
    }

    #[test]
    fn a_token_of_a_long_key_is_short() {
        let token = encode(&Key::Text("é".repeat(20_000)), 7, "list");
        assert!(token.len() < 1_000, "{}", token.len());
        let (key, id) = decode(&token, Some("list"), KeyType::Text).unwrap();
        assert_eq!((&key, id), (&Key::LongText("é".repeat(BEGINNING)), 7));
        assert_eq!(encode(&key, id, "list"), token);
    }
}
