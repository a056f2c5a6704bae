//! Renders the results of `search` and `catalog search`.

use std::fmt::Write;

use clap::{Arg, value_parser};
use serde_json::{Value, json};

use crate::client_context::ClientContext;
use crate::output::{ColumnCheck, Format, Output, printable};
use crate::print;

/// An entity or item that matches a search.
pub(crate) struct SearchResult {
    /// The plural of its kind, which is the name of a subcommand: `models`.
    pub(crate) kind: &'static str,
    /// The reference that other commands accept.
    pub(crate) reference: String,
    pub(crate) entity: Value,
}

impl SearchResult {
    /// The cell with a field of the entity.
    pub(crate) fn field(&self, name: &str) -> String {
        printable(self.entity.get(name).and_then(Value::as_str).unwrap_or_default())
    }
}

/// `--limit`, the maximum number of results per kind.
pub(crate) fn limit() -> Arg {
    Arg::new("limit")
        .long("limit")
        .value_name("NUMBER")
        .value_parser(value_parser!(u32).range(1..))
        .allow_negative_numbers(true)
        .default_value("20")
        .help("Maximum number of results per kind")
}

/// Writes the results; `cell` renders a column of a table.
pub(crate) fn write(
    context: &ClientContext,
    results: &[SearchResult],
    default_columns: &[&'static str],
    known_columns: impl Iterator<Item = &'static str>,
    cell: impl Fn(&SearchResult, &str) -> String,
) -> anyhow::Result<()> {
    let mut check = ColumnCheck::of(&context.output, known_columns.chain(default_columns.iter().copied()));
    check.see(&results.iter().map(|result| result.entity.clone()).collect::<Vec<_>>());
    check.finish()?;
    Ok(print::text(&render(&context.output, results, default_columns, cell)?)?)
}

fn render(
    output: &Output,
    results: &[SearchResult],
    default_columns: &[&str],
    cell: impl Fn(&SearchResult, &str) -> String,
) -> anyhow::Result<String> {
    match output.format {
        Format::Json | Format::Yaml => {
            let results = results
                .iter()
                .map(|result| json!({"kind": result.kind, "reference": result.reference, "entity": result.entity}));
            output.value(&results.collect())
        }
        Format::Name => {
            let mut lines = String::new();
            for result in results {
                let _ = writeln!(lines, "{} {}", result.kind, printable(&result.reference));
            }
            Ok(lines)
        }
        Format::Table => {
            let columns = output.columns_or(default_columns);
            let mut table = output.table(columns.iter().map(|column| column.to_uppercase()).collect());
            let cells = |result: &SearchResult| columns.iter().map(|column| cell(result, column)).collect();
            let rows = table.rows(results.iter().map(cells).collect());
            Ok(rows + &table.end())
        }
    }
}
