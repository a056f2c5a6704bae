//! Filter options: the values and ranges of the properties that items have.
//!
//! The index in memory holds them. Without it there are some statements for each property, each along an index and no further
//! than needed: one statement over a million properties takes ten seconds and half a gigabyte.

use std::collections::BTreeMap;

use model_registry_filter::ValueType;
use model_registry_store::Result;
use model_registry_store::sql::{WORKSPACE, value_column};
use sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};

use crate::fields::is_field;
use crate::{CatalogKind, CatalogStore};

/// A property with more values than this is not offered as a choice.
pub(crate) const MAX_VALUES: usize = 49;
/// Nor is one with a value of more characters.
const MAX_CHARACTERS: usize = 100;

/// What the properties of some kinds offer, by name and by whether the property is custom.
pub type Options = BTreeMap<(String, bool), PropertyOptions>;

/// The values of one property.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PropertyOptions {
    /// Sorted; empty where there are none, or too many.
    pub strings: Vec<String>,
    pub integers: Option<(i64, i64)>,
    pub doubles: Option<(f64, f64)>,
}

/// Minimum and maximum, as SQL returns them.
pub(crate) type Range<T> = (Option<T>, Option<T>);

impl CatalogStore {
    /// The filter options of some kinds. They change with the generation only.
    pub async fn options(&self, kinds: &[CatalogKind]) -> Result<Options> {
        let mut options = match self.indexed_options(kinds).await? {
            Some(options) => options,
            None => self.read_options(kinds).await?,
        };
        for option in options.values_mut() {
            option.strings.sort_unstable();
            option.strings.dedup();
            option.strings.retain(|string| !string.is_empty());
            let is_long = |string: &String| string.chars().count() > MAX_CHARACTERS;
            if option.strings.len() > MAX_VALUES || option.strings.iter().any(is_long) {
                option.strings.clear();
            }
        }
        Ok(options)
    }

    async fn read_options(&self, kinds: &[CatalogKind]) -> Result<Options> {
        let database = self.database()?;
        let mut options = Options::new();
        for kind in kinds {
            for (name, custom) in self.property_names(*kind, ValueType::String).await? {
                let strings: Vec<(String,)> = database.fetch_all(&distinct_strings(*kind, &name, custom)).await?;
                if !strings.is_empty() {
                    let option = options.entry((name, custom.unwrap_or(true))).or_default();
                    option.strings.extend(strings.into_iter().map(|(string,)| string));
                }
            }
            for (name, custom) in self.property_names(*kind, ValueType::Int).await? {
                let found: Option<Range<i64>> =
                    database.fetch_optional(&range(*kind, &name, custom, ValueType::Int)).await?;
                let integers = &mut options.entry((name, custom.unwrap_or(true))).or_default().integers;
                *integers = wider(*integers, found, Ord::min, Ord::max);
            }
            for (name, custom) in self.property_names(*kind, ValueType::Double).await? {
                let found: Option<Range<f64>> =
                    database.fetch_optional(&range(*kind, &name, custom, ValueType::Double)).await?;
                let doubles = &mut options.entry((name, custom.unwrap_or(true))).or_default().doubles;
                *doubles = wider(*doubles, found, f64::min, f64::max);
            }
        }
        Ok(options)
    }

    /// The names of properties with a value of this type, one statement for each name. The flag is `None` for names that only
    /// custom properties have.
    async fn property_names(&self, kind: CatalogKind, value: ValueType) -> Result<Vec<(String, Option<bool>)>> {
        let database = self.database()?;
        let mut names = Vec::new();
        let mut last: Option<String> = None;
        loop {
            let select = next_property_name(kind, value, last.as_deref());
            let Some((name,)) = database.fetch_optional::<(String,)>(&select).await? else { return Ok(names) };
            if is_field(kind, &name) {
                names.extend([(name.clone(), Some(false)), (name.clone(), Some(true))]);
            } else {
                names.push((name.clone(), None));
            }
            last = Some(name);
        }
    }
}

fn next_property_name(kind: CatalogKind, value: ValueType, last: Option<&str>) -> SelectStatement {
    let mut select = of_kind(kind, value);
    select.column("name").order_by("name", Order::Asc).limit(1);
    if let Some(last) = last {
        select.and_where(Expr::col("name").gt(last));
    }
    select
}

/// All values, or one more than are offered. The empty string is not offered, so it needs a further row.
fn distinct_strings(kind: CatalogKind, name: &str, custom: Option<bool>) -> SelectStatement {
    let mut select = of_property(kind, name, custom, ValueType::String);
    select.distinct().column("string_value").limit(MAX_VALUES as u64 + 2);
    select
}

fn range(kind: CatalogKind, name: &str, custom: Option<bool>, value: ValueType) -> SelectStatement {
    let mut select = of_property(kind, name, custom, value);
    let column = value_column(value);
    select.expr(Func::min(Expr::col(column))).expr(Func::max(Expr::col(column)));
    select
}

fn of_property(kind: CatalogKind, name: &str, custom: Option<bool>, value: ValueType) -> SelectStatement {
    let mut select = of_kind(kind, value);
    select.and_where(Expr::col("name").eq(name));
    if let Some(custom) = custom {
        select.and_where(Expr::col("custom").eq(custom));
    }
    select
}

fn of_kind(kind: CatalogKind, value: ValueType) -> SelectStatement {
    Query::select()
        .from("catalog_property")
        .and_where(Expr::col("workspace_id").eq(WORKSPACE))
        .and_where(Expr::col("kind").eq(kind.code()))
        .and_where(Expr::col(value_column(value)).is_not_null())
        .take()
}

/// One of each, for the snapshots of statements.
#[cfg(test)]
pub(crate) fn sample_statements() -> [(&'static str, SelectStatement); 4] {
    let kind = CatalogKind::Model;
    [
        ("first property name", next_property_name(kind, ValueType::String, None)),
        ("next property name", next_property_name(kind, ValueType::Int, Some("size"))),
        ("values of a property", distinct_strings(kind, "tasks", Some(false))),
        ("range of a property", range(kind, "size", None, ValueType::Int)),
    ]
}

/// The smallest range that contains both.
pub(crate) fn wider<T: Copy>(
    known: Option<(T, T)>,
    found: Option<Range<T>>,
    least: fn(T, T) -> T,
    greatest: fn(T, T) -> T,
) -> Option<(T, T)> {
    let found = found.and_then(|(min, max)| min.zip(max));
    match (known, found) {
        (Some((min, max)), Some((other_min, other_max))) => Some((least(min, other_min), greatest(max, other_max))),
        (known, found) => known.or(found),
    }
}
