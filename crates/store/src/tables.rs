//! The tables and columns of the kinds.

use model_registry_api::{EntityTable, Kind};
use model_registry_filter::ValueType;
use sea_query::{Expr, Value};

/// The only workspace so far. Every key and index contains the workspace, so that tenancy needs no new ones.
pub const WORKSPACE: i32 = 1;

/// The first id of points of metric histories, above all ids of artifacts: an artifact's URL with the id of a point is 404.
/// Migration 10 contains the same number, 2^40.
pub(crate) const FIRST_POINT_ID: i64 = 1 << 40;

/// A value of ours, one of few, that is written into the statement instead of being bound.
///
/// For `kind = $1`, PostgreSQL estimates an average over all kinds and finds the cached generic plan worse than one for the
/// value, so it plans the list at every execution, which takes half as long as reading it.
pub(crate) fn constant(value: impl Into<Value>) -> Expr {
    Expr::Constant(value.into())
}

pub(crate) const fn table(kind: Kind) -> &'static str {
    match kind.spec().table {
        EntityTable::Resource => "resource",
        EntityTable::Artifact => "artifact",
        EntityTable::MetricPoint => "metric_point",
    }
}

/// The scope within which a resource's external id is unique; column `family`.
pub(crate) const fn external_id_scope(kind: Kind) -> i16 {
    kind.spec().external_id_scope
}

/// The column of a property table with values of this type.
pub const fn value_column(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::String => "string_value",
        ValueType::Int => "int_value",
        ValueType::Double => "double_value",
        ValueType::Bool => "bool_value",
    }
}

/// The folded string for case-insensitive filters; `None` if folding changes nothing.
pub fn folded(string: &str) -> Option<String> {
    let folded = model_registry_filter::fold(string);
    (folded != string).then_some(folded)
}
