//! Reads of single items, children and states, one statement each.

use model_registry_store::sql::{WORKSPACE, append_wire};
use model_registry_store::{Result, from_row};
use sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};

use crate::kind::table;
use crate::{CatalogKind, CatalogStore, NextSync};

/// A row of the catalog as readers need it.
#[derive(Clone, Debug)]
pub struct CatalogRecord {
    pub id: i64,
    pub kind: CatalogKind,
    /// The server of a tool, the model of an artifact, 0 elsewhere.
    pub parent_id: i64,
    pub name: String,
    document: String,
}

impl CatalogRecord {
    /// The size of the document, in bytes.
    pub(crate) fn document_size(&self) -> usize {
        self.document.len()
    }

    /// The JSON that a response carries.
    pub fn to_wire(&self) -> String {
        let mut wire = String::with_capacity(self.document.len() + 32);
        append_wire(&mut wire, self.id, &self.document);
        wire
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

pub(crate) struct RecordRow {
    pub(crate) id: i64,
    pub(crate) kind: i16,
    pub(crate) parent_id: i64,
    pub(crate) name: Option<String>,
    pub(crate) document: String,
}

from_row!(RecordRow { id, kind, parent_id, name, document });

pub(crate) const RECORD_COLUMNS: [&str; 5] = ["id", "kind", "parent_id", "name", "document"];

impl From<RecordRow> for CatalogRecord {
    fn from(row: RecordRow) -> Self {
        Self {
            id: row.id,
            // Statements select known kinds only.
            kind: CatalogKind::from_code(row.kind).unwrap_or(CatalogKind::Model),
            parent_id: row.parent_id,
            name: row.name.unwrap_or_default(),
            document: row.document,
        }
    }
}

impl CatalogStore {
    /// The item of a source that has one of these names; an earlier name wins.
    pub async fn find_item(&self, kind: CatalogKind, source_id: &str, names: &[&str]) -> Result<Option<CatalogRecord>> {
        let mut select = select_records(kind);
        select
            .and_where(Expr::col("source_id").eq(source_id))
            .and_where(Expr::col("parent_id").eq(0))
            .and_where(Expr::col("item_key").is_in(names.iter().copied()));
        let mut rows = self.database()?.fetch_all::<RecordRow>(&select).await?;
        let place = |row: &RecordRow| names.iter().position(|name| row.name.as_deref() == Some(*name));
        rows.sort_by_key(|row| place(row).unwrap_or(usize::MAX));
        Ok(rows.into_iter().next().map(CatalogRecord::from))
    }

    pub async fn find_item_by_id(&self, kind: CatalogKind, id: i64) -> Result<Option<CatalogRecord>> {
        Ok(self.database()?.fetch_optional::<RecordRow>(&select_by_id(kind, id)).await?.map(CatalogRecord::from))
    }

    /// The child of an item with this key.
    pub async fn find_child(&self, kind: CatalogKind, parent_id: i64, name: &str) -> Result<Option<CatalogRecord>> {
        let mut select = select_records(kind);
        select.and_where(Expr::col("parent_id").eq(parent_id)).and_where(Expr::col("item_key").eq(name));
        Ok(self.database()?.fetch_optional::<RecordRow>(&select).await?.map(CatalogRecord::from))
    }

    pub async fn list_items_by_id(&self, kind: CatalogKind, ids: &[i64]) -> Result<Vec<CatalogRecord>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut select = select_records(kind);
        select.and_where(Expr::col("id").is_in(ids.iter().copied()));
        Ok(self.database()?.fetch_all::<RecordRow>(&select).await?.into_iter().map(CatalogRecord::from).collect())
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

pub(crate) fn select_by_id(kind: CatalogKind, id: i64) -> SelectStatement {
    select_records(kind).and_where(Expr::col("id").eq(id)).take()
}

pub(crate) fn select_children(kind: CatalogKind, parents: &[i64]) -> SelectStatement {
    let of_parents = Expr::col("parent_id").is_in(parents.iter().copied());
    select_records(kind).and_where(of_parents).order_by("id", Order::Asc).take()
}

pub(crate) fn select_records(kind: CatalogKind) -> SelectStatement {
    Query::select()
        .columns(RECORD_COLUMNS)
        .from(table(kind))
        .and_where(Expr::col("workspace_id").eq(WORKSPACE))
        .and_where(Expr::col("kind").eq(kind.code()))
        .take()
}
