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

/// The column that says of a double that it is not finite, which SQLite and MySQL cannot store: [`NAN`], 1 or -1 for an
/// infinity with this sign, NULL for an ordinary number.
pub(crate) const NOT_FINITE: &str = "not_finite";
/// The value of [`NOT_FINITE`] of NaN.
pub(crate) const NAN: i16 = 0;

/// How a double is stored: the value of its column and that of [`NOT_FINITE`].
///
/// An infinity is stored as the largest number of its sign, so that comparisons find it by the index on the column. NaN has no
/// number there: it is in no range.
pub(crate) fn stored_double(value: f64) -> (Option<f64>, Option<i16>) {
    if value.is_nan() {
        (None, Some(NAN))
    } else if value.is_infinite() {
        (Some(f64::MAX.copysign(value)), Some(if value > 0.0 { 1 } else { -1 }))
    } else {
        (Some(value), None)
    }
}

/// The folded string for case-insensitive filters; `None` if folding changes nothing.
pub fn folded(string: &str) -> Option<String> {
    let folded = model_registry_filter::fold(string);
    (folded != string).then_some(folded)
}
