//! The statements of filter options: each reads a bounded part of an index.

use model_registry_api::{EntityTable, Kind};
use model_registry_filter::ValueType;
use sea_query::{Alias, CommonTableExpression, Expr, ExprTrait, Order, Query, SelectStatement, UnionType, WithClause};
use serde_json::Value;

use super::tally::PropertyId;
use crate::dialect::Dialect;
use crate::from_row;
use crate::list::string_key;
use crate::read::padded;
use crate::tables::{NOT_FINITE, WORKSPACE, constant, table, value_column};

/// Names of properties of a kind, at most.
const MAX_NAMES: u64 = 500;
/// Names whose first owners are read, at most.
pub(super) const MAX_RARE_NAMES: usize = 200;
/// Names in one statement. SQLite allows 500 parts of a UNION.
pub(super) const NAMES_AT_ONCE: usize = 100;
/// Owners of a rare name that are read.
const FIRST_OWNERS: u64 = 50;

/// A row of `property`.
pub(super) struct PropertyRow {
    pub(super) owner_id: i64,
    pub(super) name: String,
    pub(super) custom: bool,
    pub(super) ordinal: i16,
    /// The indexed beginning of the string.
    pub(super) string_value: Option<String>,
    pub(super) int_value: Option<i64>,
    pub(super) double_value: Option<f64>,
    pub(super) bool_value: Option<bool>,
    pub(super) not_finite: Option<i16>,
}

from_row!(PropertyRow {
    owner_id,
    name,
    custom,
    ordinal,
    string_value,
    int_value,
    double_value,
    bool_value,
    not_finite
});

/// An entity of the sample.
pub(super) struct EntityRow {
    pub(super) id: i64,
    pub(super) state: Option<String>,
    pub(super) create_time: i64,
    pub(super) update_time: i64,
    pub(super) value: Option<f64>,
    pub(super) step: Option<i64>,
    pub(super) timestamp: Option<i64>,
}

from_row!(EntityRow { id, state, create_time, update_time, value, step, timestamp });

/// The ends of the values of a property.
pub(super) struct RangeRow {
    pub(super) number: i64,
    low_int: Option<i64>,
    high_int: Option<i64>,
    low_double: Option<f64>,
    high_double: Option<f64>,
}

from_row!(RangeRow { number, low_int, high_int, low_double, high_double });

impl RangeRow {
    pub(super) fn range(&self) -> Option<(Value, Value)> {
        match (self.low_int.zip(self.high_int), self.low_double.zip(self.high_double)) {
            (Some((low, high)), _) => Some((low.into(), high.into())),
            (None, Some((low, high))) => Some((low.into(), high.into())),
            (None, None) => None,
        }
    }
}

/// The names of the properties of a kind, from an index: MySQL and MariaDB skip from name to name by themselves.
pub(super) fn names(kind: Kind, dialect: Dialect) -> SelectStatement {
    if dialect == Dialect::MySql {
        return of_kind(kind).distinct().column("name").limit(MAX_NAMES).take();
    }
    let next = |after: Option<Expr>| {
        let mut next = of_kind(kind);
        next.column("name").order_by("name", Order::Asc).limit(1);
        if let Some(after) = after {
            next.and_where(Expr::col("name").gt(after));
        }
        Expr::SubQuery(None, Box::new(next.into()))
    };
    let mut all = Query::select().expr_as(next(None), "name").take();
    let following = Query::select()
        .expr_as(next(Some(Expr::col(("names", "name")))), "name")
        .from("names")
        .and_where(Expr::col(("names", "name")).is_not_null())
        .take();
    all.union(UnionType::All, following);
    let names = CommonTableExpression::new().table_name("names").columns(["name"]).query(all).to_owned();
    Query::select()
        .with_cte(WithClause::new().recursive(true).cte(names).to_owned())
        .column("name")
        .from("names")
        .limit(MAX_NAMES)
        .take()
}

fn of_kind(kind: Kind) -> SelectStatement {
    Query::select()
        .from("property")
        .and_where(Expr::col("workspace_id").eq(constant(WORKSPACE)))
        .and_where(Expr::col("kind").eq(constant(kind.code())))
        .take()
}

/// The rows of the first owners of each of these names.
pub(super) fn first_owners(kind: Kind, names: &[String], dialect: Dialect) -> SelectStatement {
    all_of(names.iter().map(|name| {
        let rows = property_columns(of_kind(kind), dialect)
            .and_where(Expr::col("name").eq(name.as_str()))
            .order_by("owner_id", Order::Asc)
            .limit(FIRST_OWNERS)
            .take();
        Query::select().column(sea_query::Asterisk).from_subquery(rows, "owners").take()
    }))
}

/// The rows of these owners.
pub(super) fn properties_of(kind: Kind, ids: &[i64], dialect: Dialect) -> SelectStatement {
    let rows = Query::select()
        .from("property")
        .and_where(Expr::col("kind").eq(constant(kind.code())))
        .and_where(Expr::col("owner_id").is_in(padded(ids)))
        .take();
    property_columns(rows, dialect)
}

fn property_columns(mut select: SelectStatement, dialect: Dialect) -> SelectStatement {
    let beginning = match dialect {
        // The index has the whole string.
        Dialect::Sqlite => Expr::cust("substr(string_value, 1, 255)"),
        Dialect::Postgres | Dialect::MySql => Expr::col(string_key(dialect)),
    };
    select
        .columns(["owner_id", "name", "custom", "ordinal"])
        .expr_as(beginning, "string_value")
        .columns(["int_value", "double_value", "bool_value", NOT_FINITE])
        .take()
}

/// The first entities of a kind.
pub(super) fn first_entities(kind: Kind, most: u64, dialect: Dialect) -> SelectStatement {
    entities(kind, dialect).order_by("id", Order::Asc).limit(most).take()
}

/// The newest id of a kind.
pub(super) fn last_id(kind: Kind) -> SelectStatement {
    entities_of(kind).column("id").order_by("id", Order::Desc).limit(1).take()
}

/// The first entities in each of these ranges of ids, of which the end is excluded.
pub(super) fn strata(kind: Kind, ranges: &[std::ops::Range<i64>], most: u64, dialect: Dialect) -> SelectStatement {
    all_of(ranges.iter().map(|range| {
        let rows = entities(kind, dialect)
            .and_where(Expr::col("id").gte(range.start))
            .and_where(Expr::col("id").lt(range.end))
            .order_by("id", Order::Asc)
            .limit(most)
            .take();
        Query::select().column(sea_query::Asterisk).from_subquery(rows, "stratum").take()
    }))
}

fn entities(kind: Kind, dialect: Dialect) -> SelectStatement {
    let mut select = entities_of(kind);
    select.columns(["id", "state", "create_time", "update_time"]);
    for (name, postgres_type) in [("value", "double precision"), ("step", "bigint"), ("timestamp", "bigint")] {
        let column = match (kind.spec().table, dialect) {
            (EntityTable::Artifact, _) => Expr::col(name),
            (_, Dialect::Postgres) => Expr::cust("NULL").cast_as(Alias::new(postgres_type)),
            (_, Dialect::Sqlite | Dialect::MySql) => Expr::cust("NULL"),
        };
        select.expr_as(column, name);
    }
    select
}

fn entities_of(kind: Kind) -> SelectStatement {
    Query::select()
        .from(table(kind))
        .and_where(Expr::col("workspace_id").eq(constant(WORKSPACE)))
        .and_where(Expr::col("kind").eq(constant(kind.code())))
        .take()
}

/// The least and the greatest number of each of these properties.
pub(super) fn ranges(kind: Kind, ids: &[PropertyId], dialect: Dialect) -> SelectStatement {
    all_of(ids.iter().enumerate().map(|(position, id)| {
        let end = |value_type: ValueType, order: Order| {
            if id.value_type != value_type {
                return match (dialect, value_type) {
                    (Dialect::Postgres, ValueType::Double) => {
                        Expr::cust("NULL").cast_as(Alias::new("double precision"))
                    }
                    (Dialect::Postgres, _) => Expr::cust("NULL").cast_as(Alias::new("bigint")),
                    (Dialect::Sqlite | Dialect::MySql, _) => Expr::cust("NULL"),
                };
            }
            Expr::SubQuery(None, Box::new(end_of_index(kind, id, order).into()))
        };
        let number = i64::try_from(position).unwrap_or(i64::MAX);
        let number = match dialect {
            Dialect::Postgres => Expr::cust(format!("{number}::bigint")),
            Dialect::Sqlite | Dialect::MySql => Expr::cust(number.to_string()),
        };
        Query::select()
            .expr_as(number, "number")
            .expr_as(end(ValueType::Int, Order::Asc), "low_int")
            .expr_as(end(ValueType::Int, Order::Desc), "high_int")
            .expr_as(end(ValueType::Double, Order::Asc), "low_double")
            .expr_as(end(ValueType::Double, Order::Desc), "high_double")
            .take()
    }))
}

fn end_of_index(kind: Kind, id: &PropertyId, order: Order) -> SelectStatement {
    let column = value_column(id.value_type);
    let mut select = of_kind(kind);
    select.column(column).and_where(Expr::col("name").eq(id.name.as_str()));
    match id.value_type {
        // An infinity is stored as the largest number of its sign; see `stored_double`.
        ValueType::Double => {
            select.and_where(Expr::col(column).gt(f64::MIN)).and_where(Expr::col(column).lt(f64::MAX));
        }
        _ => {
            select.and_where(Expr::col(column).is_not_null());
        }
    }
    if id.is_ambiguous {
        select.and_where(Expr::col("custom").eq(id.custom));
    }
    select.order_by(column, order).limit(1).take()
}

fn all_of(mut parts: impl Iterator<Item = SelectStatement>) -> SelectStatement {
    let mut all = parts.next().unwrap_or_default();
    for part in parts {
        all.union(UnionType::All, part);
    }
    all
}
