//! Which table and columns a kind's rows have.

use model_registry_api::{EntityTable, Kind};
use model_registry_filter::ValueType;
use sea_query::{Expr, Value};

/// The only workspace until tenancy is served; every key and index has it already.
pub const WORKSPACE: i32 = 1;

/// Ids of points of metric histories begin here, where no artifact gets to: an artifact's URL with a point's id leads
/// nowhere. The migration that says so to the databases holds the same number, 2^40.
pub(crate) const FIRST_POINT_ID: i64 = 1 << 40;

/// A value that stands in the text of a statement instead of being bound: one of a few that are ours.
///
/// Of `kind = $1` PostgreSQL expects an average of all kinds, for which a kept plan looks worse than one made for the value:
/// such a list would be planned each time, which takes half as long as reading it.
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

/// The scope of a resource's external id: serve models have their own (parity, registry-server 1.4).
pub(crate) const fn external_id_scope(kind: Kind) -> i16 {
    match kind {
        Kind::ServeModel => 2,
        _ => 1,
    }
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

/// The text in lower case, where that is another text: what case-insensitive filters compare.
pub fn folded(text: &str) -> Option<String> {
    let folded = model_registry_filter::fold(text);
    (folded != text).then_some(folded)
}
