//! Reads the rows of one generation into an index, some at a time.

use std::collections::HashMap;

use model_registry_base::run_blocking;
use model_registry_store::sql::WORKSPACE;
use model_registry_store::{Result, StoreError, Transaction, from_row};
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};

use super::Items;
use super::column::ColumnBuilder;
use super::strings::Strings;
use super::table::Table;
use crate::CatalogKind;
use crate::filter_names::artifact_kind;
use crate::kind::table;
use crate::list::{codes, is_of_kind};
use crate::packed_properties::{self, PackedValue};

/// Rows read at a time.
const BATCH: u64 = 2_000;

struct ItemRow {
    id: i64,
    source_id: String,
    name: Option<String>,
    sort_name: String,
    external_id: Option<String>,
    create_time: i64,
    update_time: i64,
    search_text: String,
    packed_properties: Option<Vec<u8>>,
}

from_row!(ItemRow {
    id,
    source_id,
    name,
    sort_name,
    external_id,
    create_time,
    update_time,
    search_text,
    packed_properties
});

struct ArtifactRow {
    id: i64,
    parent_id: i64,
    name: Option<String>,
    external_id: Option<String>,
    create_time: i64,
    update_time: i64,
    packed_properties: Option<Vec<u8>>,
}

from_row!(ArtifactRow { id, parent_id, name, external_id, create_time, update_time, packed_properties });

/// The items of a kind, with those of their children that filters reach.
pub(super) async fn items(tx: &mut Transaction, kind: CatalogKind) -> Result<Items> {
    let mut builder = ItemsBuilder::default();
    let mut last = 0;
    loop {
        let mut select = batch(&[kind], last);
        select
            .columns(["id", "source_id", "name", "sort_name", "external_id", "create_time", "update_time"])
            .columns(["search_text", "packed_properties"]);
        let rows: Vec<ItemRow> = tx.fetch_all(&select).await?;
        let Some(row) = rows.last() else { break };
        last = row.id;
        builder = run_blocking(move || {
            for row in rows {
                builder.add(kind, &row)?;
            }
            Ok::<_, StoreError>(builder)
        })
        .await?;
    }
    let ItemsBuilder { table, mut sort_names, mut search_strings } = builder;
    sort_names.shrink_to_fit();
    search_strings.shrink_to_fit();
    let table = run_blocking(|| table.finish()).await;
    let artifacts = if artifact_kind(kind).is_some() {
        artifacts(tx, kind.spec().children, &table).await?
    } else {
        Table::default()
    };
    Ok(run_blocking(|| Items::new(table, artifacts, sort_names, search_strings)).await)
}

/// The artifacts of these items.
async fn artifacts(tx: &mut Transaction, kinds: &[CatalogKind], items: &Table) -> Result<Table> {
    let mut builder = TableBuilder::default();
    let mut last = 0;
    loop {
        let mut select = batch(kinds, last);
        select.columns(["id", "parent_id", "name", "external_id", "create_time", "update_time", "packed_properties"]);
        let rows: Vec<ArtifactRow> = tx.fetch_all(&select).await?;
        let Some(row) = rows.last() else { return Ok(run_blocking(|| builder.finish()).await) };
        last = row.id;
        let rows: Vec<(u32, ArtifactRow)> =
            rows.into_iter().filter_map(|row| Some((items.row(row.parent_id)?, row))).collect();
        builder = run_blocking(move || {
            for (parent, row) in rows {
                let strings = [("name", row.name.as_deref()), ("external_id", row.external_id.as_deref())];
                let times = [("create_time", row.create_time), ("update_time", row.update_time)];
                builder.table.parents.push(parent);
                builder.add("catalog_artifact", row.id, strings, times, row.packed_properties.as_deref())?;
            }
            Ok::<_, StoreError>(builder)
        })
        .await?;
    }
}

/// The next rows of some kinds of one table.
fn batch(kinds: &[CatalogKind], after: i64) -> SelectStatement {
    let mut select = Query::select();
    if let Some(kind) = kinds.first() {
        select.from(table(*kind));
    }
    select
        .and_where(Expr::col("workspace_id").eq(WORKSPACE))
        .and_where(is_of_kind(Expr::col("kind"), &codes(kinds)))
        .and_where(Expr::col("id").gt(after))
        .order_by("id", Order::Asc)
        .limit(BATCH);
    select
}

#[derive(Default)]
struct ItemsBuilder {
    table: TableBuilder,
    sort_names: Strings,
    search_strings: Strings,
}

impl ItemsBuilder {
    fn add(&mut self, kind: CatalogKind, row: &ItemRow) -> Result<()> {
        let strings = [
            ("name", row.name.as_deref()),
            ("external_id", row.external_id.as_deref()),
            ("source_id", Some(row.source_id.as_str())),
        ];
        let times = [("create_time", row.create_time), ("update_time", row.update_time)];
        self.table.add(table(kind), row.id, strings, times, row.packed_properties.as_deref())?;
        self.sort_names.push(&row.sort_name);
        self.search_strings.push(&row.search_text);
        Ok(())
    }
}

#[derive(Default)]
struct TableBuilder {
    table: Table,
    columns: HashMap<&'static str, ColumnBuilder>,
    properties: HashMap<String, [ColumnBuilder; 2]>,
}

impl TableBuilder {
    /// Adds a row of the table `name` with its columns and its properties.
    fn add<const STRINGS: usize>(
        &mut self,
        name: &'static str,
        id: i64,
        strings: [(&'static str, Option<&str>); STRINGS],
        times: [(&'static str, i64); 2],
        packed: Option<&[u8]>,
    ) -> Result<()> {
        let corrupt = |reason: &str| StoreError::Corrupt { table: name, id, reason: reason.to_owned() };
        let packed = packed.ok_or_else(|| corrupt("written by an older version; the next load writes it again"))?;
        let properties = packed_properties::unpack(packed).ok_or_else(|| corrupt("invalid `packed_properties`"))?;
        let row = u32::try_from(self.table.len()).unwrap_or(u32::MAX);
        self.table.ids.push(id);
        self.columns.entry("id").or_default().add(row, PackedValue::Int(id));
        for (column, string) in strings {
            if let Some(string) = string {
                self.columns.entry(column).or_default().add(row, PackedValue::String(string));
            }
        }
        for (column, time) in times {
            self.columns.entry(column).or_default().add(row, PackedValue::Int(time));
        }
        for property in properties {
            if !self.properties.contains_key(property.name) {
                self.properties.insert(property.name.to_owned(), <[ColumnBuilder; 2]>::default());
            }
            if let Some([of_field, custom]) = self.properties.get_mut(property.name) {
                if property.custom { custom } else { of_field }.add(row, property.value);
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
