//! What can be filtered by: the values and ranges of the properties that are there.

use std::collections::BTreeMap;

use sea_query::{Expr, ExprTrait, Func, Order, Query};

use super::CatalogKind;
use crate::db::Database;
use crate::error::Result;
use crate::tables::WORKSPACE;

/// A property with more values, or longer ones, is no choice for a list of check boxes.
const MOST_VALUES: i64 = 49;
const LONGEST_VALUE: i64 = 100;

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

#[derive(sqlx::FromRow)]
struct RangeRow {
    name: String,
    custom: bool,
    least_int: Option<i64>,
    greatest_int: Option<i64>,
    least_double: Option<f64>,
    greatest_double: Option<f64>,
    text_count: i64,
    text_length: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct TextRow {
    name: String,
    custom: bool,
    string_value: String,
}

impl Database {
    /// Two statements over all properties of these kinds: to be asked once per generation.
    pub async fn catalog_options(&self, kinds: &[CatalogKind]) -> Result<Options> {
        let codes = || kinds.iter().map(|kind| kind.code());
        let text = || Expr::col("string_value");
        let aggregate = Query::select()
            .columns(["name", "custom"])
            .expr_as(Func::min(Expr::col("int_value")), "least_int")
            .expr_as(Func::max(Expr::col("int_value")), "greatest_int")
            .expr_as(Func::min(Expr::col("double_value")), "least_double")
            .expr_as(Func::max(Expr::col("double_value")), "greatest_double")
            .expr_as(Func::count_distinct(text()), "text_count")
            .expr_as(Expr::from(Func::max(Func::char_length(text()))).cast_as(self.big_integer()), "text_length")
            .from("catalog_property")
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .and_where(Expr::col("kind").is_in(codes()))
            .group_by_col("name")
            .group_by_col("custom")
            .take();
        let mut options = Options::new();
        let mut with_texts = Vec::new();
        for row in self.fetch_all::<RangeRow>(&aggregate).await? {
            let entry = options.entry((row.name.clone(), row.custom)).or_default();
            entry.integers = row.least_int.zip(row.greatest_int);
            entry.doubles = row.least_double.zip(row.greatest_double);
            // The empty text counts as a value here but is none that is offered.
            let is_choice =
                row.text_count <= MOST_VALUES + 1 && row.text_length.is_some_and(|len| len <= LONGEST_VALUE);
            if is_choice {
                with_texts.push(row.name);
            }
        }
        if with_texts.is_empty() {
            return Ok(options);
        }
        let values = Query::select()
            .distinct()
            .columns(["name", "custom", "string_value"])
            .from("catalog_property")
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .and_where(Expr::col("kind").is_in(codes()))
            .and_where(Expr::col("name").is_in(with_texts))
            .and_where(text().is_not_null())
            .and_where(text().ne(""))
            .order_by("string_value", Order::Asc)
            .take();
        for row in self.fetch_all::<TextRow>(&values).await? {
            options.entry((row.name, row.custom)).or_default().texts.push(row.string_value);
        }
        for option in options.values_mut() {
            if option.texts.len() > usize::try_from(MOST_VALUES).unwrap_or(usize::MAX)
                || option.texts.iter().any(|text| text.chars().count() > usize::try_from(LONGEST_VALUE).unwrap_or(0))
            {
                option.texts.clear();
            }
        }
        Ok(options)
    }

    /// How a 64-bit integer is called in a CAST.
    fn big_integer(&self) -> &'static str {
        match self.dialect() {
            crate::dialect::Dialect::MySql => "SIGNED",
            _ => "BIGINT",
        }
    }
}
