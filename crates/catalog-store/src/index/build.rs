//! Reads the catalog into an index: all documents, some at a time, as one load left them.

use model_registry_store::from_row;
use std::collections::HashMap;

use model_registry_base::run_blocking;
use model_registry_store::sql::{PropertyValue, WORKSPACE};
use model_registry_store::{Result, StoreError, Transaction};
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};
use serde_json::{Map, Value};

use super::column::ColumnBuilder;
use super::texts::Texts;
use super::{Items, Table};
use crate::{CatalogKind, vocabulary};

/// Documents read at a time.
const PIECE: u64 = 1_000;

struct ItemRow {
    id: i64,
    source_id: String,
    name: Option<String>,
    sort_name: String,
    external_id: Option<String>,
    create_time: i64,
    update_time: i64,
    search_text: String,
    document: String,
}

from_row!(ItemRow { id, source_id, name, sort_name, external_id, create_time, update_time, search_text, document });

struct ArtifactRow {
    id: i64,
    kind: i16,
    parent_id: i64,
    name: Option<String>,
    external_id: Option<String>,
    create_time: i64,
    update_time: i64,
    document: String,
}

from_row!(ArtifactRow { id, kind, parent_id, name, external_id, create_time, update_time, document });

/// Models or servers, in the order of their ids.
pub(super) async fn items(tx: &mut Transaction, kind: CatalogKind) -> Result<Items> {
    let mut builder = ItemsBuilder::default();
    let mut last = 0;
    loop {
        let mut select = piece(kind.table(), last);
        select
            .columns(["id", "source_id", "name", "sort_name", "external_id", "create_time", "update_time"])
            .columns(["search_text", "document"])
            .and_where(Expr::col("kind").eq(kind.code()));
        let rows: Vec<ItemRow> = tx.fetch_all(&select).await?;
        let Some(row) = rows.last() else { return Ok(run_blocking(|| builder.finish()).await) };
        last = row.id;
        builder = run_blocking(move || {
            for row in rows {
                builder.add(kind, row)?;
            }
            Ok::<_, StoreError>(builder)
        })
        .await?;
    }
}

/// The artifacts of these models.
pub(super) async fn artifacts(tx: &mut Transaction, models: &Table) -> Result<Table> {
    let mut builder = TableBuilder::default();
    let mut last = 0;
    loop {
        let mut select = piece("catalog_artifact", last);
        select.columns(["id", "kind", "parent_id", "name", "external_id", "create_time", "update_time", "document"]);
        let mut rows: Vec<ArtifactRow> = tx.fetch_all(&select).await?;
        let Some(row) = rows.last() else { return Ok(run_blocking(|| builder.finish()).await) };
        last = row.id;
        rows.retain(|row| models.row(row.parent_id).is_some());
        for row in &rows {
            builder.table.parents.extend(models.row(row.parent_id));
        }
        builder = run_blocking(move || {
            for row in rows {
                let kind = CatalogKind::from_code(row.kind).unwrap_or(CatalogKind::ModelArtifact);
                let columns = [("name", row.name), ("external_id", row.external_id)];
                let times = [("create_time", row.create_time), ("update_time", row.update_time)];
                builder.add(kind, row.id, columns, times, &row.document)?;
            }
            Ok::<_, StoreError>(builder)
        })
        .await?;
    }
}

fn piece(table: &'static str, after: i64) -> SelectStatement {
    Query::select()
        .from(table)
        .and_where(Expr::col("workspace_id").eq(WORKSPACE))
        .and_where(Expr::col("id").gt(after))
        .order_by("id", Order::Asc)
        .limit(PIECE)
        .take()
}

#[derive(Default)]
struct ItemsBuilder {
    builder: TableBuilder,
    sort_names: Texts,
    search_texts: Texts,
}

impl ItemsBuilder {
    fn add(&mut self, kind: CatalogKind, row: ItemRow) -> Result<()> {
        let columns = [("name", row.name), ("external_id", row.external_id), ("source_id", Some(row.source_id))];
        let times = [("create_time", row.create_time), ("update_time", row.update_time)];
        self.builder.add(kind, row.id, columns, times, &row.document)?;
        self.sort_names.push(&row.sort_name);
        self.search_texts.push(&row.search_text);
        Ok(())
    }

    fn finish(mut self) -> Items {
        self.sort_names.shrink();
        self.search_texts.shrink();
        Items::new(self.builder.finish(), self.sort_names, self.search_texts)
    }
}

#[derive(Default)]
struct TableBuilder {
    table: Table,
    columns: HashMap<&'static str, ColumnBuilder>,
    properties: HashMap<String, [ColumnBuilder; 2]>,
}

impl TableBuilder {
    /// Adds a row with the columns and the properties that filters know.
    fn add<const TEXTS: usize>(
        &mut self,
        kind: CatalogKind,
        id: i64,
        texts: [(&'static str, Option<String>); TEXTS],
        times: [(&'static str, i64); 2],
        document: &str,
    ) -> Result<()> {
        let row = u32::try_from(self.table.ids.len()).unwrap_or(u32::MAX);
        self.table.ids.push(id);
        self.columns.entry("id").or_default().add(row, PropertyValue::Int(id));
        for (name, text) in texts {
            if let Some(text) = text {
                self.columns.entry(name).or_default().add_text(row, &text);
            }
        }
        for (name, time) in times {
            self.columns.entry(name).or_default().add(row, PropertyValue::Int(time));
        }
        let document: Map<String, Value> = serde_json::from_str(document).map_err(|error| StoreError::Corrupt {
            table: kind.table(),
            id,
            reason: error.to_string(),
        })?;
        for ((name, custom, _), value) in vocabulary::properties(kind, &document) {
            if !self.properties.contains_key(&name) {
                self.properties.insert(name.clone(), <[ColumnBuilder; 2]>::default());
            }
            if let Some(columns) = self.properties.get_mut(&name) {
                let [built_in, of_user] = columns;
                if custom { of_user } else { built_in }.add(row, value);
            }
        }
        Ok(())
    }

    fn finish(self) -> Table {
        let Self { mut table, columns, properties } = self;
        table.columns = columns.into_iter().map(|(name, column)| (name, column.finish())).collect();
        table.properties =
            properties.into_iter().map(|(name, columns)| (name, columns.map(ColumnBuilder::finish))).collect();
        table
    }
}
