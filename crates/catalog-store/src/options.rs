//! What can be filtered by: the values and ranges of the properties that are there.
//!
//! The index in memory has them at hand. Without it there are some statements for each property, each along an index and no
//! further than needed: over a million of them together would take ten seconds and half a gigabyte.

use std::collections::BTreeMap;

use model_registry_filter::ValueType;
use model_registry_store::Result;
use model_registry_store::sql::{WORKSPACE, value_column};
use sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};

use super::{CatalogKind, CatalogStore, vocabulary};

/// A property with more values, or longer ones, is no choice for a list of check boxes.
pub(super) const MOST_VALUES: usize = 49;
const LONGEST_VALUE: usize = 100;

/// The property names of some kinds, with what they offer; the flag tells custom properties from built-in ones.
pub type Options = BTreeMap<(String, bool), PropertyOptions>;

/// The values of one property.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PropertyOptions {
    /// Sorted; empty where there are none, or too many.
    pub texts: Vec<String>,
    pub integers: Option<(i64, i64)>,
    pub doubles: Option<(f64, f64)>,
}

pub(super) type Range<T> = (Option<T>, Option<T>);

impl CatalogStore {
    /// To be asked once per generation.
    pub async fn options(&self, kinds: &[CatalogKind]) -> Result<Options> {
        let mut options = match self.indexed_options(kinds).await? {
            Some(options) => options,
            None => self.read_options(kinds).await?,
        };
        for option in options.values_mut() {
            option.texts.sort_unstable();
            option.texts.dedup();
            option.texts.retain(|text| !text.is_empty());
            if option.texts.len() > MOST_VALUES || option.texts.iter().any(|text| text.chars().count() > LONGEST_VALUE)
            {
                option.texts.clear();
            }
        }
        Ok(options)
    }

    async fn read_options(&self, kinds: &[CatalogKind]) -> Result<Options> {
        let mut options = Options::new();
        for kind in kinds {
            for (name, custom) in self.property_names(*kind, ValueType::String).await? {
                let texts = self.distinct_texts(*kind, &name, custom).await?;
                if !texts.is_empty() {
                    options.entry((name, custom.unwrap_or(true))).or_default().texts.extend(texts);
                }
            }
            for (name, custom) in self.property_names(*kind, ValueType::Int).await? {
                let range: Option<Range<i64>> =
                    self.database()?.fetch_optional(&range(*kind, &name, custom, ValueType::Int)).await?;
                let integers = &mut options.entry((name, custom.unwrap_or(true))).or_default().integers;
                *integers = wider(*integers, range, Ord::min, Ord::max);
            }
            for (name, custom) in self.property_names(*kind, ValueType::Double).await? {
                let range: Option<Range<f64>> =
                    self.database()?.fetch_optional(&range(*kind, &name, custom, ValueType::Double)).await?;
                let doubles = &mut options.entry((name, custom.unwrap_or(true))).or_default().doubles;
                *doubles = wider(*doubles, range, f64::min, f64::max);
            }
        }
        Ok(options)
    }

    /// The names of properties with a value of this type, from one to the next. The flag is `None` where all of them can only
    /// be custom.
    async fn property_names(&self, kind: CatalogKind, value: ValueType) -> Result<Vec<(String, Option<bool>)>> {
        let mut names = Vec::new();
        let mut last: Option<String> = None;
        loop {
            let mut select = of_kind(kind, value);
            select.column("name").order_by("name", Order::Asc).limit(1);
            if let Some(last) = last {
                select.and_where(Expr::col("name").gt(last));
            }
            let Some((name,)) = self.database()?.fetch_optional::<(String,)>(&select).await? else { return Ok(names) };
            if vocabulary::is_built_in(kind, &name) {
                names.extend([(name.clone(), Some(false)), (name.clone(), Some(true))]);
            } else {
                names.push((name.clone(), None));
            }
            last = Some(name);
        }
    }

    /// All values, or more than are offered: the empty text is one of them but not offered.
    async fn distinct_texts(&self, kind: CatalogKind, name: &str, custom: Option<bool>) -> Result<Vec<String>> {
        let mut select = of_property(kind, name, custom, ValueType::String);
        select.distinct().column("string_value").limit(MOST_VALUES as u64 + 2);
        Ok(self.database()?.fetch_all::<(String,)>(&select).await?.into_iter().map(|(text,)| text).collect())
    }
}

fn of_kind(kind: CatalogKind, value: ValueType) -> SelectStatement {
    Query::select()
        .from("catalog_property")
        .and_where(Expr::col("workspace_id").eq(WORKSPACE))
        .and_where(Expr::col("kind").eq(kind.code()))
        .and_where(Expr::col(value_column(value)).is_not_null())
        .take()
}

fn of_property(kind: CatalogKind, name: &str, custom: Option<bool>, value: ValueType) -> SelectStatement {
    let mut select = of_kind(kind, value);
    select.and_where(Expr::col("name").eq(name));
    if let Some(custom) = custom {
        select.and_where(Expr::col("custom").eq(custom));
    }
    select
}

fn range(kind: CatalogKind, name: &str, custom: Option<bool>, value: ValueType) -> SelectStatement {
    let mut select = of_property(kind, name, custom, value);
    select.expr(Func::min(Expr::col(value_column(value)))).expr(Func::max(Expr::col(value_column(value))));
    select
}

pub(super) fn wider<T: Copy>(
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
