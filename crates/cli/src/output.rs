//! How commands write their answers.

mod cell;
mod layout;
pub(crate) mod plot;
mod style;
mod table;

use std::io::{IsTerminal, Write};

use futures::TryStreamExt;
use model_registry_client::{Client, Items};
use model_registry_server::config::Environment;
use serde_json::Value;

pub(crate) use cell::printable;
pub(crate) use layout::Layout;
pub(crate) use style::Style;
pub(crate) use table::Table;

use crate::entity::{Noun, parents};

/// Entities of a list that are laid out together; the columns of the first ones decide.
const BATCH: usize = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Json,
    Yaml,
    Name,
}

/// Where and in which form answers are written.
pub(crate) struct Output {
    pub(crate) format: Format,
    columns: Option<Vec<String>>,
    pub(crate) style: Style,
    /// Long cells are cut for people, not for programs.
    is_terminal: bool,
}

impl Output {
    pub(crate) fn new(format: Format, columns: Option<Vec<String>>, environment: &Environment) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        Self { format, columns, style: Style::new(is_terminal, environment), is_terminal }
    }

    pub(crate) fn table(&self, headers: Vec<String>) -> Table {
        Table::new(headers, self.style, self.is_terminal)
    }

    /// The chosen columns, or else these.
    pub(crate) fn columns_or(&self, default: &[&str]) -> Vec<String> {
        self.columns.clone().unwrap_or_else(|| default.iter().map(|&column| column.to_owned()).collect())
    }

    /// Writes a list as it arrives.
    pub(crate) async fn list(&self, client: &Client, noun: &Noun, items: Items<Value>) -> anyhow::Result<()> {
        self.list_of(client, noun, noun.columns, items).await
    }

    /// Writes a list whose columns, unless they are chosen, are these.
    pub(crate) async fn list_of(
        &self,
        client: &Client,
        noun: &Noun,
        columns: &[&str],
        items: Items<Value>,
    ) -> anyhow::Result<()> {
        let columns = self.columns_or(columns);
        let headers = columns.iter().map(|column| cell::header(column, noun)).collect();
        let needs_parents = match self.format {
            Format::Table => columns.iter().any(|column| column == "parent"),
            Format::Name => noun.parent.is_some(),
            Format::Json | Format::Yaml => false,
        };
        let lay_out = async |batch: &[Value]| {
            let parents =
                if needs_parents { parents::names(client, noun, batch).await? } else { parents::Names::default() };
            let cells = |entity: &Value| match self.format {
                Format::Name => vec![printable(&noun.reference(entity, &parents))],
                _ => columns.iter().map(|column| cell::of(entity, column, &parents, noun)).collect(),
            };
            Ok(batch.iter().map(cells).collect())
        };
        self.batches(headers, items, lay_out).await
    }

    /// Writes a list of what is no entity of the registry, as it arrives.
    pub(crate) async fn items(&self, layout: &Layout, items: Items<Value>) -> anyhow::Result<()> {
        let columns = self.columns_or(layout.columns);
        let headers = columns.iter().map(|column| layout::header(column)).collect();
        let cells = |item: &Value| match self.format {
            Format::Name => vec![printable(&(layout.reference)(item))],
            _ => columns.iter().map(|column| layout::cell(item, column)).collect(),
        };
        self.batches(headers, items, async |batch: &[Value]| Ok(batch.iter().map(cells).collect())).await
    }

    /// Writes one such item in full.
    pub(crate) async fn item(&self, layout: &Layout, item: &Value) -> anyhow::Result<()> {
        match self.format {
            Format::Table if self.columns.is_none() => {
                let mut table = self.table(Vec::new());
                table.write(cell::all(item))?;
                Ok(table.finish()?)
            }
            Format::Table | Format::Name => {
                self.items(layout, Box::pin(futures::stream::iter([Ok(item.clone())]))).await
            }
            Format::Json | Format::Yaml => self.value(item),
        }
    }

    /// Whether columns were chosen.
    pub(crate) fn has_columns(&self) -> bool {
        self.columns.is_some()
    }

    /// Writes a list as it arrives; `lay_out` makes rows of items, or references in rows of one cell.
    async fn batches(
        &self,
        headers: Vec<String>,
        items: Items<Value>,
        lay_out: impl AsyncFn(&[Value]) -> anyhow::Result<Vec<Vec<String>>>,
    ) -> anyhow::Result<()> {
        let mut table = self.table(headers);
        let mut writer = ListWriter { format: self.format, count: 0 };
        let mut batches = items.try_chunks(BATCH);
        loop {
            // What arrived before a failure is written; the failure comes up with the next batch.
            let (batch, failure) = match batches.try_next().await {
                Ok(Some(batch)) => (batch, None),
                Ok(None) => break,
                Err(error) => (error.0, Some(error.1)),
            };
            match self.format {
                // Nothing arrived before the failure: headers alone would look like an empty list.
                _ if batch.is_empty() => {}
                Format::Table => table.write(lay_out(&batch).await?)?,
                Format::Name => {
                    let references = lay_out(&batch).await?;
                    let mut out = std::io::stdout().lock();
                    for reference in references.concat() {
                        writeln!(out, "{reference}")?;
                    }
                }
                Format::Json | Format::Yaml => writer.write(&batch)?,
            }
            if let Some(error) = failure {
                return Err(error.into());
            }
        }
        match self.format {
            Format::Table => table.finish()?,
            Format::Json | Format::Yaml => writer.finish()?,
            Format::Name => {}
        }
        Ok(())
    }

    /// Writes one entity in full.
    pub(crate) async fn entity(&self, client: &Client, noun: &Noun, entity: &Value) -> anyhow::Result<()> {
        match self.format {
            Format::Table if self.columns.is_some() => {
                let items = futures::stream::iter([Ok(entity.clone())]);
                self.list(client, noun, Box::pin(items)).await
            }
            Format::Table => {
                let mut table = self.table(Vec::new());
                table.write(cell::all(entity))?;
                Ok(table.finish()?)
            }
            Format::Name => {
                let parents = parents::names(client, noun, std::slice::from_ref(entity)).await?;
                Ok(writeln!(std::io::stdout(), "{}", printable(&noun.reference(entity, &parents)))?)
            }
            Format::Json | Format::Yaml => self.value(entity),
        }
    }

    /// Writes what was done to an entity: a sentence for people, the entity for programs.
    pub(crate) async fn done(&self, client: &Client, noun: &Noun, verb: &str, entity: &Value) -> anyhow::Result<()> {
        if self.format != Format::Table || self.columns.is_some() {
            return self.entity(client, noun, entity).await;
        }
        let parents = parents::names(client, noun, std::slice::from_ref(entity)).await?;
        let text = |key: &str| entity.get(key).and_then(Value::as_str).unwrap_or_default();
        let reference = noun.reference(entity, &parents);
        // The id is told anyway.
        let reference = if reference.starts_with("id:") { text("name").to_owned() } else { reference };
        let reference = self.style.bold(&printable(&reference));
        Ok(writeln!(std::io::stdout(), "{verb} {} {reference} (id {})", noun.singular, text("id"))?)
    }

    pub(crate) fn lines(lines: impl Iterator<Item = String>) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        for line in lines {
            writeln!(out, "{}", printable(&line))?;
        }
        Ok(())
    }

    /// Writes a value as JSON or YAML.
    pub(crate) fn value(&self, value: &Value) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if self.format == Format::Yaml {
            write!(out, "{}", serde_saphyr::to_string(value)?)?;
        } else {
            serde_json::to_writer_pretty(&mut out, value)?;
            writeln!(out)?;
        }
        Ok(())
    }
}

/// Writes an array whose elements come one batch after the other.
struct ListWriter {
    format: Format,
    count: usize,
}

impl ListWriter {
    fn write(&mut self, batch: &[Value]) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if self.format == Format::Yaml {
            // Sequences that follow each other are one.
            if !batch.is_empty() {
                write!(out, "{}", serde_saphyr::to_string(&batch)?)?;
            }
        } else {
            for (position, value) in batch.iter().enumerate() {
                let start = if self.count + position == 0 { "[\n" } else { ",\n" };
                let text = serde_json::to_string_pretty(value)?.replace('\n', "\n  ");
                write!(out, "{start}  {text}")?;
            }
        }
        self.count += batch.len();
        Ok(())
    }

    fn finish(self) -> std::io::Result<()> {
        let end = match (self.format, self.count) {
            (_, 0) => "[]\n",
            (Format::Yaml, _) => "",
            _ => "\n]\n",
        };
        write!(std::io::stdout(), "{end}")
    }
}
