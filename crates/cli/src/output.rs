//! Renders results as strings: tables, JSON, YAML or names. Rendering does no I/O; `print.rs` writes the strings.

mod cell;
mod columns;
mod layout;
mod list;
pub(crate) mod plot;
mod style;
mod table;

use serde_json::Value;

pub(crate) use cell::{cell, header, printable};
pub(crate) use columns::ColumnCheck;
pub(crate) use layout::{Layout, item_cell};
pub(crate) use list::ListRenderer;
pub(crate) use style::Style;
pub(crate) use table::Table;

/// The format of the output, `--output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Json,
    Yaml,
    /// References that other commands accept, one per line.
    Name,
}

impl Format {
    /// The values of `--output`.
    pub(crate) const NAMES: [&'static str; 4] = ["table", "json", "yaml", "name"];

    /// The format of a name; `Table` for an unknown one.
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "json" => Self::Json,
            "yaml" => Self::Yaml,
            "name" => Self::Name,
            _ => Self::Table,
        }
    }
}

/// The options of the output.
pub(crate) struct Output {
    pub(crate) format: Format,
    columns: Option<Vec<String>>,
    pub(crate) style: Style,
    /// Whether long cells are truncated: on a terminal only, so that programs get complete values.
    truncates: bool,
}

impl Output {
    pub(crate) fn new(format: Format, columns: Option<Vec<String>>, style: Style, is_terminal: bool) -> Self {
        Self { format, columns, style, truncates: is_terminal }
    }

    pub(crate) fn table(&self, headers: Vec<String>) -> Table {
        Table::new(headers, self.style, self.truncates)
    }

    pub(crate) fn list(&self, headers: Vec<String>) -> ListRenderer {
        ListRenderer::new(self.format, self.table(headers))
    }

    /// The selected columns, or else the default.
    pub(crate) fn columns_or(&self, default: &[&str]) -> Vec<String> {
        self.columns.clone().unwrap_or_else(|| default.iter().map(|&column| column.to_owned()).collect())
    }

    /// Whether columns are selected.
    pub(crate) fn has_columns(&self) -> bool {
        self.columns.is_some()
    }

    /// Renders all fields of an entity or item, one per line.
    pub(crate) fn fields(&self, item: &Value) -> String {
        let mut table = self.table(Vec::new());
        let fields = table.rows(cell::all(item));
        fields + &table.end()
    }

    /// Renders a value as YAML if that is the format, otherwise as JSON.
    pub(crate) fn value(&self, value: &Value) -> anyhow::Result<String> {
        if self.format == Format::Yaml {
            return Ok(serde_saphyr::to_string(value)?);
        }
        Ok(serde_json::to_string_pretty(value)? + "\n")
    }
}
