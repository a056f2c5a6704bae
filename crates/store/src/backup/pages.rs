//! Reads the rows of a section page by page, in the order of the file.

use model_registry_api::{EntityTable, Kind};
use sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};

use super::id_offsets::IdOffsets;
use super::line::{Entity, Item, Section};
use crate::db::Transaction;
use crate::document::Document;
use crate::error::{Result, StoreError};
use crate::from_row;
use crate::large_document::small_document;
use crate::record::check_document;
use crate::tables::{WORKSPACE, table};

const PAGE: u64 = 500;

/// The ids to read of each table: the `last` ones after the offset.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) offsets: IdOffsets,
    pub(super) last: IdOffsets,
}

impl Range {
    pub(super) const EVERYTHING: Self = Self {
        offsets: IdOffsets { resource: 0, artifact: 0, point: 0 },
        last: IdOffsets { resource: i64::MAX, artifact: i64::MAX, point: i64::MAX },
    };

    fn bounds(&self, table: EntityTable) -> (i64, i64) {
        let start = self.offsets.of(table);
        (start, start.saturating_add(self.last.of(table)))
    }
}

struct EntityRow {
    id: i64,
    parent_id: Option<i64>,
    revision: i64,
    create_time: i64,
    update_time: i64,
    /// Absent if it is large.
    document: Option<String>,
}

from_row!(EntityRow { id, parent_id, revision, create_time, update_time, document });

/// The key of the last item of a page.
pub(super) type Position = Option<(i64, i64)>;

impl Transaction {
    /// Reads the items of a section after a position, as they are stored; none at the end of the section.
    pub(super) async fn page(&mut self, section: Section, range: &Range, after: Position) -> Result<Vec<Item>> {
        match section {
            Section::Entities(kind) => {
                let select = entities(kind, range.bounds(kind.spec().table), after);
                let mut rows = self.fetch_all::<EntityRow>(&select).await?;
                // A page ends before a large document, which is a page of its own.
                let small = rows.iter().take_while(|row| row.document.is_some()).count();
                rows.truncate(small.max(1));
                if small == 0
                    && let Some(row) = rows.first_mut()
                {
                    let document = self.fetch_optional::<(String,)>(&document(kind, row.id)).await?;
                    row.document = document.map(|(document,)| document);
                }
                rows.into_iter().map(|row| item(kind, row)).collect()
            }
            Section::Links => {
                let rows = self.fetch_all::<(i64, i64)>(&links(range.bounds(EntityTable::Artifact), after)).await?;
                Ok(rows.into_iter().map(|(resource_id, artifact_id)| Item::Link { resource_id, artifact_id }).collect())
            }
        }
    }

    /// The highest id of a table; 0 if it is empty.
    pub(super) async fn highest_id(&mut self, table: EntityTable) -> Result<i64> {
        let table = match table {
            EntityTable::Resource => "resource",
            EntityTable::Artifact => "artifact",
            EntityTable::MetricPoint => "metric_point",
        };
        let mut select = Query::select();
        select.expr(Func::coalesce([Func::max(Expr::col("id")).into(), Expr::val(0_i64)])).from(table);
        let row = self.fetch_optional::<(i64,)>(&select).await?;
        Ok(row.map_or(0, |(id,)| id))
    }
}

fn entities(kind: Kind, (start, end): (i64, i64), after: Position) -> SelectStatement {
    let entity_table = kind.spec().table;
    let mut select = Query::select();
    select
        .columns(["id", "create_time", "update_time"])
        .expr_as(small_document(table(kind)), "document")
        .from(table(kind));
    if entity_table == EntityTable::MetricPoint {
        select.expr_as(Expr::col("experiment_run_id"), "parent_id").expr_as(Expr::val(1_i64), "revision");
    } else {
        select.columns(["parent_id", "revision"]).and_where(Expr::col("kind").eq(kind.code()));
    }
    select
        .and_where(Expr::col("workspace_id").eq(WORKSPACE))
        .and_where(Expr::col("id").gt(after.map_or(start, |(id, _)| id)))
        .and_where(Expr::col("id").lte(end))
        .order_by("id", Order::Asc)
        .limit(PAGE);
    select
}

fn document(kind: Kind, id: i64) -> SelectStatement {
    Query::select()
        .column("document")
        .from(table(kind))
        .and_where(Expr::col("workspace_id").eq(WORKSPACE))
        .and_where(Expr::col("id").eq(id))
        .take()
}

fn links((start, end): (i64, i64), after: Position) -> SelectStatement {
    let mut select = Query::select();
    select
        .columns(["resource_id", "artifact_id"])
        .from("artifact_link")
        .and_where(Expr::col("workspace_id").eq(WORKSPACE))
        .and_where(Expr::col("artifact_id").gt(start))
        .and_where(Expr::col("artifact_id").lte(end))
        .order_by("resource_id", Order::Asc)
        .order_by("artifact_id", Order::Asc)
        .limit(PAGE);
    if let Some((resource_id, artifact_id)) = after {
        let is_after = Expr::col("resource_id").gt(resource_id).or(Expr::col("artifact_id").gt(artifact_id));
        select.and_where(Expr::col("resource_id").gte(resource_id)).and_where(is_after);
    }
    select
}

fn item(kind: Kind, row: EntityRow) -> Result<Item> {
    let stored = row.document.unwrap_or_default();
    check_document(table(kind), row.id, &stored)?;
    // An item is one line. Only a document that was edited by hand can contain line breaks.
    let document = if stored.contains('\n') {
        let corrupt = |error: serde_json::Error| StoreError::Corrupt {
            table: table(kind),
            id: row.id,
            reason: error.to_string(),
        };
        Document::from_json(&stored).map_err(corrupt)?.to_json()
    } else {
        stored
    };
    Ok(Item::Entity(Entity {
        kind,
        id: row.id,
        parent_id: row.parent_id.filter(|id| *id != 0),
        revision: row.revision,
        create_time: row.create_time,
        update_time: row.update_time,
        document,
    }))
}
