//! How items of the catalog are laid out: they have no kind of the registry.

use serde_json::Value;

use super::cell;

/// The columns of a table, and what other commands take.
pub(crate) struct Layout {
    pub(crate) columns: &'static [&'static str],
    pub(crate) reference: fn(&Value) -> String,
}

/// Columns with a better name than their field.
const RENAMED: &[(&str, &str)] = &[
    ("source", "source_id"),
    ("type", "artifactType"),
    ("metrics", "metricsType"),
    ("tools", "toolCount"),
    ("access", "accessType"),
    ("library", "libraryName"),
    ("asset", "assetType"),
    ("items", "itemCount"),
];

pub(super) fn header(column: &str) -> String {
    cell::words(column)
}

/// The cell of a column: all custom properties, a field, or else one custom property.
pub(super) fn cell(item: &Value, column: &str) -> String {
    if column == "properties" {
        let properties = item.get("customProperties").and_then(Value::as_object).into_iter().flatten();
        let pairs = properties.map(|(name, value)| format!("{}={}", super::printable(name), cell::metadata(value)));
        return pairs.collect::<Vec<_>>().join(", ");
    }
    let renamed = RENAMED.iter().find(|(name, _)| *name == column && item.get(name).is_none());
    cell::field(item, renamed.map_or(column, |(_, field)| field))
}
