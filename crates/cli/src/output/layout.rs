//! The columns and references of items of the catalog.

use model_registry_api::catalog::CatalogKind;
use serde_json::Value;

use super::cell;

/// The layout of a kind of item.
pub(crate) struct Layout {
    /// The default columns of a table.
    pub(crate) columns: &'static [&'static str],
    /// The reference of an item, which other commands accept.
    pub(crate) reference: fn(&Value) -> String,
    /// The kinds of the items, whose fields are columns.
    pub(crate) kinds: &'static [CatalogKind],
}

impl Layout {
    /// The names of all columns, except custom properties.
    pub(crate) fn known_columns(&self) -> impl Iterator<Item = &'static str> {
        let fields = self.kinds.iter().flat_map(|kind| kind.spec().fields);
        let top = fields.map(|field| field.path.split('.').next().unwrap_or_default());
        let renamed = RENAMED.iter().flat_map(|(name, field)| [*name, *field]);
        self.columns.iter().copied().chain(top).chain(renamed).chain(["properties", "notices", "enabled"])
    }
}

/// Columns whose names differ from their fields.
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

/// The cell of a column: all custom properties (`properties`), a field, or else a custom property.
pub(crate) fn item_cell(item: &Value, column: &str) -> String {
    if column == "properties" {
        let properties = item.get("customProperties").and_then(Value::as_object).into_iter().flatten();
        let pairs = properties.map(|(name, value)| format!("{}={}", cell::printable(name), cell::metadata(value)));
        return pairs.collect::<Vec<_>>().join(", ");
    }
    let renamed = RENAMED.iter().find(|(name, _)| *name == column && item.get(name).is_none());
    cell::cell(item, renamed.map_or(column, |(_, field)| field))
}
