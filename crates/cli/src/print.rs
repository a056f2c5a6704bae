//! Writes results to standard output; nothing else does. The strings come from `output.rs`.

use std::io::{self, Write};

use futures::TryStreamExt;
use model_registry_client::Items;
use serde_json::Value;

use crate::output::{ColumnCheck, Format, Layout, Output, header, item_cell, printable};

/// Items per batch of a list; the items of the first batch determine the widths of the columns.
const BATCH: usize = 500;

/// Writes a rendered result.
pub(crate) fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes a line of untrusted text.
pub(crate) fn line(line: &str) -> io::Result<()> {
    text(&format!("{}\n", printable(line)))
}

/// Writes a value as JSON or YAML.
pub(crate) fn value(output: &Output, value: &Value) -> anyhow::Result<()> {
    Ok(text(&output.value(value)?)?)
}

/// Writes a list as its items arrive. `rows` returns the cells of each item: see
/// [`crate::output::ListRenderer::batch`].
pub(crate) async fn list(
    output: &Output,
    headers: Vec<String>,
    mut check: ColumnCheck,
    items: Items<Value>,
    rows: impl AsyncFn(&[Value]) -> anyhow::Result<Vec<Vec<String>>>,
) -> anyhow::Result<()> {
    let mut renderer = output.list(headers);
    let mut batches = items.try_chunks(BATCH);
    loop {
        // The items before a failure are written first.
        let (batch, failure) = match batches.try_next().await {
            Ok(Some(batch)) => (batch, None),
            Ok(None) => break,
            Err(error) => (error.0, Some(error.1)),
        };
        check.see(&batch);
        if batch.len() < BATCH && failure.is_none() {
            check.finish()?;
        }
        // Nothing is printed without items: headers alone would look like an empty list.
        if !batch.is_empty() {
            let rows = match output.format {
                Format::Table | Format::Name => rows(&batch).await?,
                Format::Json | Format::Yaml => Vec::new(),
            };
            text(&renderer.batch(&batch, rows)?)?;
        }
        if let Some(error) = failure {
            return Err(error.into());
        }
    }
    check.finish()?;
    Ok(text(&renderer.end())?)
}

/// Writes a list of items of the catalog.
pub(crate) async fn items(output: &Output, layout: &Layout, items: Items<Value>) -> anyhow::Result<()> {
    let columns = output.columns_or(layout.columns);
    let check = ColumnCheck::of(output, layout.known_columns());
    let headers = columns.iter().map(|column| header(column)).collect();
    let cells = |item: &Value| match output.format {
        Format::Name => vec![printable(&(layout.reference)(item))],
        _ => columns.iter().map(|column| item_cell(item, column)).collect(),
    };
    list(output, headers, check, items, async |batch: &[Value]| Ok(batch.iter().map(cells).collect())).await
}

/// Writes an item of the catalog: all fields, or the selected columns.
pub(crate) async fn item(output: &Output, layout: &Layout, item: &Value) -> anyhow::Result<()> {
    match output.format {
        Format::Table if !output.has_columns() => Ok(text(&output.fields(item))?),
        Format::Table | Format::Name => {
            items(output, layout, Box::pin(futures::stream::iter([Ok(item.clone())]))).await
        }
        Format::Json | Format::Yaml => value(output, item),
    }
}
