//! Reads of single items, children and states: one statement each, and one more for a large document.

use std::collections::HashMap;
use std::sync::Arc;

use model_registry_base::MemoryShare;
use model_registry_store::dialect::Dialect;
use model_registry_store::sql::{WORKSPACE, append_wire};
use model_registry_store::{Result, from_row};
use sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};

use crate::documents::{ReadMemory, SizedRow, add_sized_columns, fitting, lacking, select_documents, small};
use crate::kind::table;
use crate::{CatalogKind, CatalogPage, CatalogStore, NextSync};

/// A row of the catalog as readers need it.
#[derive(Clone, Debug)]
pub struct CatalogRecord {
    pub id: i64,
    pub kind: CatalogKind,
    /// The server of a tool, the model of an artifact, 0 elsewhere.
    pub parent_id: i64,
    pub name: String,
    document: String,
    /// The memory of a large document that was read alone.
    _memory: Option<Arc<MemoryShare>>,
}

impl CatalogRecord {
    pub(crate) fn new(id: i64, kind: i16, parent_id: i64, name: String, document: String) -> Self {
        // Statements select known kinds only.
        let kind = CatalogKind::from_code(kind).unwrap_or(CatalogKind::Model);
        Self { id, kind, parent_id, name, document, _memory: None }
    }

    /// The JSON that a response carries.
    pub fn to_wire(&self) -> String {
        let mut wire = String::with_capacity(self.document.len() + 32);
        append_wire(&mut wire, self.id, &self.document);
        wire
    }
}

/// An item without its document.
#[derive(Clone, Debug)]
pub struct CatalogHead {
    pub id: i64,
    pub name: String,
}

impl From<SizedRow> for CatalogHead {
    fn from(row: SizedRow) -> Self {
        Self { id: row.id, name: row.name.unwrap_or_default() }
    }
}

/// How the last load of a source went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    pub source_id: String,
    pub status: String,
    pub error: Option<String>,
    pub item_count: i64,
    pub skipped_count: i64,
    pub update_time: i64,
}

from_row!(SourceState { source_id, status, error, item_count, skipped_count, update_time });

impl CatalogStore {
    /// The item of a source that has one of these names; an earlier name wins.
    pub async fn find_item(&self, kind: CatalogKind, source_id: &str, names: &[&str]) -> Result<Option<CatalogRecord>> {
        match self.find_row(kind, source_id, names).await? {
            Some(row) => self.complete(row).await,
            None => Ok(None),
        }
    }

    /// As [`Self::find_item`], without the document.
    pub async fn find_head(&self, kind: CatalogKind, source_id: &str, names: &[&str]) -> Result<Option<CatalogHead>> {
        Ok(self.find_row(kind, source_id, names).await?.map(CatalogHead::from))
    }

    async fn find_row(&self, kind: CatalogKind, source_id: &str, names: &[&str]) -> Result<Option<SizedRow>> {
        let database = self.database()?;
        let mut select = select_records(kind, small(Some(1)), database.dialect());
        select
            .and_where(Expr::col("source_id").eq(source_id))
            .and_where(Expr::col("parent_id").eq(0))
            .and_where(Expr::col("item_key").is_in(names.iter().copied()));
        let rows = database.fetch_all::<SizedRow>(&select).await?;
        let place = |row: &SizedRow| names.iter().position(|name| row.name.as_deref() == Some(*name));
        Ok(rows.into_iter().min_by_key(|row| place(row).unwrap_or(usize::MAX)))
    }

    pub async fn find_item_by_id(&self, kind: CatalogKind, id: i64) -> Result<Option<CatalogRecord>> {
        let database = self.database()?;
        let select = select_by_id(kind, id, small(Some(1)), database.dialect());
        match database.fetch_optional::<SizedRow>(&select).await? {
            Some(row) => self.complete(row).await,
            None => Ok(None),
        }
    }

    /// As [`Self::find_item_by_id`], without the document.
    pub async fn find_head_by_id(&self, kind: CatalogKind, id: i64) -> Result<Option<CatalogHead>> {
        let database = self.database()?;
        let select = select_by_id(kind, id, 0, database.dialect());
        Ok(database.fetch_optional::<SizedRow>(&select).await?.map(CatalogHead::from))
    }

    /// The child of an item with this key.
    pub async fn find_child(&self, kind: CatalogKind, parent_id: i64, name: &str) -> Result<Option<CatalogRecord>> {
        let database = self.database()?;
        let mut select = select_records(kind, small(Some(1)), database.dialect());
        select.and_where(Expr::col("parent_id").eq(parent_id)).and_where(Expr::col("item_key").eq(name));
        match database.fetch_optional::<SizedRow>(&select).await? {
            Some(row) => self.complete(row).await,
            None => Ok(None),
        }
    }

    /// The record of a row; a large document is read now, after waiting for its memory.
    async fn complete(&self, row: SizedRow) -> Result<Option<CatalogRecord>> {
        if !row.is_lacking() {
            return Ok(row.complete(&mut HashMap::new()));
        }
        let kind = CatalogKind::from_code(row.kind).unwrap_or(CatalogKind::Model);
        let mut memory = ReadMemory::none(self.inner().memory());
        memory.wait_for(row.size()).await;
        let mut documents = self.documents(kind, &[row.id]).await?;
        let memory = memory.into_share().map(Arc::new);
        Ok(row.complete(&mut documents).map(|record| CatalogRecord { _memory: memory, ..record }))
    }

    async fn documents(&self, kind: CatalogKind, ids: &[i64]) -> Result<HashMap<i64, String>> {
        let mut documents = HashMap::with_capacity(ids.len());
        for select in select_documents(kind, ids) {
            documents.extend(self.database()?.fetch_all::<(i64, String)>(&select).await?);
        }
        Ok(documents)
    }

    /// The items with these ids, in their order, as many as fit on a page.
    pub async fn list_items_by_id(&self, kind: CatalogKind, ids: &[i64]) -> Result<CatalogPage> {
        let page_size = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let mut memory = ReadMemory::of_page(self.inner().memory(), Some(page_size)).await;
        let mut rows = Vec::new();
        if !ids.is_empty() {
            let database = self.database()?;
            let mut select = select_records(kind, small(Some(page_size)), database.dialect());
            select.and_where(Expr::col("id").is_in(ids.iter().copied()));
            let found = database.fetch_all::<SizedRow>(&select).await?;
            let mut by_id: HashMap<i64, SizedRow> = found.into_iter().map(|row| (row.id, row)).collect();
            rows.extend(ids.iter().filter_map(|id| by_id.remove(id)));
            rows.truncate(fitting(&rows));
        }
        memory.wait_for(lacking(&rows)).await;
        let lacking: Vec<i64> = rows.iter().filter(|row| row.is_lacking()).map(|row| row.id).collect();
        let mut documents = self.documents(kind, &lacking).await?;
        let rows = rows.into_iter().filter_map(|row| row.complete(&mut documents)).collect();
        Ok(CatalogPage { rows, next_page_token: String::new(), _memory: memory.into_share() })
    }

    /// The number of artifacts of an item, by their kind; none for kinds that it lacks.
    pub async fn count_artifacts(&self, parent_id: i64) -> Result<Vec<(CatalogKind, i64)>> {
        let rows: Vec<(i16, i64)> = self.database()?.fetch_all(&count_artifacts(parent_id)).await?;
        Ok(rows.into_iter().filter_map(|(kind, count)| Some((CatalogKind::from_code(kind)?, count))).collect())
    }

    /// The value of a string property of each item of a source, with the item's key first.
    pub async fn list_string_properties(&self, source_id: &str, property: &str) -> Result<Vec<(String, String)>> {
        let column = |name: &'static str| Expr::col(("catalog_property", name));
        let select = Query::select()
            .column(("catalog_item", "item_key"))
            .column(("catalog_property", "string_value"))
            .from("catalog_item")
            .from("catalog_property")
            .and_where(Expr::col(("catalog_item", "workspace_id")).eq(WORKSPACE))
            .and_where(Expr::col(("catalog_item", "source_id")).eq(source_id))
            .and_where(column("kind").eq(Expr::col(("catalog_item", "kind"))))
            .and_where(column("owner_id").eq(Expr::col(("catalog_item", "id"))))
            .and_where(column("name").eq(property))
            .and_where(column("string_value").is_not_null())
            .take();
        self.database()?.fetch_all(&select).await
    }

    /// The state of every source that was loaded.
    pub async fn list_source_states(&self) -> Result<Vec<SourceState>> {
        self.database()?.fetch_all(&select_source_states()).await
    }

    /// The state of a source; `None` before its first load.
    pub async fn find_source_state(&self, source_id: &str) -> Result<Option<SourceState>> {
        let select = select_source_states().and_where(Expr::col("source_id").eq(source_id)).take();
        self.database()?.fetch_optional(&select).await
    }

    /// When a source is due; `None` where no load said so.
    pub async fn find_next_sync(&self, source_id: &str) -> Result<Option<NextSync>> {
        let select = Query::select()
            .columns(["configuration", "next_time"])
            .from("catalog_sync")
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .and_where(Expr::col("source_id").eq(source_id))
            .take();
        self.database()?.fetch_optional(&select).await
    }

    /// Counts the loads that changed something.
    pub async fn generation(&self) -> Result<i64> {
        Ok(self.database()?.fetch_optional::<(i64,)>(&select_generation()).await?.map_or(0, |(generation,)| generation))
    }
}

pub(crate) fn count_artifacts(parent_id: i64) -> SelectStatement {
    Query::select()
        .column("kind")
        .expr(Func::count(Expr::col("id")))
        .from("catalog_artifact")
        .and_where(Expr::col("workspace_id").eq(WORKSPACE))
        .and_where(Expr::col("parent_id").eq(parent_id))
        .group_by_col("kind")
        .take()
}

fn select_source_states() -> SelectStatement {
    Query::select()
        .columns(["source_id", "status", "error", "item_count", "skipped_count", "update_time"])
        .from("catalog_source")
        .and_where(Expr::col("workspace_id").eq(WORKSPACE))
        .take()
}

pub(crate) fn select_generation() -> SelectStatement {
    Query::select().column("generation").from("catalog_state").and_where(Expr::col("workspace_id").eq(WORKSPACE)).take()
}

pub(crate) fn select_by_id(kind: CatalogKind, id: i64, small: i64, dialect: Dialect) -> SelectStatement {
    select_records(kind, small, dialect).and_where(Expr::col("id").eq(id)).take()
}

/// Without documents.
pub(crate) fn select_children(kind: CatalogKind, parents: &[i64], dialect: Dialect) -> SelectStatement {
    let of_parents = Expr::col("parent_id").is_in(parents.iter().copied());
    select_records(kind, 0, dialect).and_where(of_parents).order_by("id", Order::Asc).take()
}

/// The rows of a kind, with documents up to a size.
pub(crate) fn select_records(kind: CatalogKind, small: i64, dialect: Dialect) -> SelectStatement {
    let table = table(kind);
    let mut select = Query::select();
    add_sized_columns(&mut select, table, small, dialect);
    select
        .from(table)
        .and_where(Expr::col("workspace_id").eq(WORKSPACE))
        .and_where(Expr::col("kind").eq(kind.code()))
        .take()
}
