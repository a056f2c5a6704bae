//! Reads of single entities outside of a transaction, one statement each.

use std::collections::HashMap;
use std::sync::Arc;

use model_registry_api::{EntityTable, Kind};
use sea_query::{Cond, Expr, ExprTrait, Order, Query, SelectStatement, UnionType};

use crate::db::Database;
use crate::error::Result;
use crate::large_document;
use crate::record::{PartialRow, Record, RecordRow};
use crate::store::Store;
use crate::tables::{WORKSPACE, constant, external_id_scope, table};

/// The value that a find endpoint searches by. Names and external ids are compared exactly.
#[derive(Clone, Copy, Debug)]
pub enum FindBy<'a> {
    /// A name below a parent or, without one, anywhere.
    Name {
        name: &'a str,
        parent_id: Option<i64>,
    },
    ExternalId {
        external_id: &'a str,
    },
}

/// The result of a find.
#[derive(Debug)]
pub enum Found {
    None,
    One(Record),
    /// Several entities match, for example artifacts attached to one version.
    Several,
}

/// A table whose entities are read by id. Points of a metric history are not: they have no identity of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordTable {
    Resource,
    Artifact,
}

impl RecordTable {
    fn of(kind: Kind) -> Option<Self> {
        match kind.spec().table {
            EntityTable::Resource => Some(Self::Resource),
            EntityTable::Artifact => Some(Self::Artifact),
            EntityTable::MetricPoint => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Artifact => "artifact",
        }
    }
}

impl Store {
    /// Reads the entity of one of these kinds, all of one table, with this id. Concurrent reads share statements.
    pub async fn find_by_id(&self, kinds: &[Kind], id: i64) -> Result<Option<Record>> {
        let Some(table) = kinds.first().and_then(|kind| RecordTable::of(*kind)) else { return Ok(None) };
        let found = self.coalesced_reads.read(self.database()?, table, id).await?;
        let Some(row) = found.filter(|row| kinds.iter().any(|kind| kind.code() == row.kind)) else { return Ok(None) };
        self.complete(table.name(), row).await
    }

    /// Finds an entity of one of these kinds, all of one table.
    pub async fn find(&self, kinds: &[Kind], by: FindBy<'_>) -> Result<Found> {
        let Some(first) = kinds.first() else { return Ok(Found::None) };
        let entity_table = first.spec().table;
        let table = table(*first);
        let mut select = select_partial(table);
        select.and_where(kind_is(table, kinds)).limit(2);
        match by {
            FindBy::Name { name, parent_id } => {
                select.and_where(Expr::col("name").eq(name));
                match (parent_id, entity_table) {
                    (Some(parent_id), EntityTable::Artifact) => {
                        select.cond_where(artifact_of(parent_id));
                    }
                    (Some(parent_id), _) => {
                        select.and_where(Expr::col("parent_id").eq(parent_id));
                    }
                    (None, _) => {}
                }
            }
            FindBy::ExternalId { external_id } => {
                select.and_where(Expr::col("external_id").eq(external_id));
                if entity_table == EntityTable::Resource {
                    select.and_where(is_in_scope_of_external_ids(table, kinds));
                }
            }
        }
        let mut rows = self.database()?.fetch_all::<PartialRow>(&select).await?;
        match (rows.pop(), rows.pop()) {
            (None, _) => Ok(Found::None),
            (Some(row), None) => Ok(self.complete(table, row).await?.map_or(Found::None, Found::One)),
            (Some(_), Some(_)) => Ok(Found::Several),
        }
    }

    /// Reads the child of this kind that was created last.
    pub async fn find_newest_child(&self, kind: Kind, parent_id: i64) -> Result<Option<Record>> {
        let table = table(kind);
        let mut select = select_partial(table);
        select
            .and_where(kind_is(table, &[kind]))
            .and_where(Expr::col("parent_id").eq(parent_id))
            .order_by("create_time", Order::Desc)
            .order_by("id", Order::Desc)
            .limit(1);
        match self.database()?.fetch_optional::<PartialRow>(&select).await? {
            Some(row) => self.complete(table, row).await,
            None => Ok(None),
        }
    }

    /// The record of a row; a large document is read now, after waiting for its memory.
    async fn complete(&self, table: &'static str, row: PartialRow) -> Result<Option<Record>> {
        let PartialRow { kind, id, revision, document } = row;
        if let Some(document) = document {
            return RecordRow { kind, id, revision, document }.try_into().map(Some);
        }
        let database = self.database()?;
        let Some(size) = database.document_sizes(table, &[id]).await?.remove(&id) else { return Ok(None) };
        let memory = self.memory().take(large_document::memory_of(size)).await;
        let mut select = select_records(table);
        select.and_where(Expr::col("id").eq(id));
        let row = database.fetch_optional::<RecordRow>(&select).await?;
        let record = row.map(Record::try_from).transpose()?;
        Ok(record.map(|record| Record { _memory: Some(Arc::new(memory)), ..record }))
    }
}

impl Database {
    /// Reads the entities with these ids in one statement, without large documents.
    pub(crate) async fn find_records(&self, table: RecordTable, ids: &[i64]) -> Result<HashMap<i64, PartialRow>> {
        let mut select = select_partial(table.name());
        select.and_where(match ids {
            [id] => Expr::col("id").eq(*id),
            ids => Expr::col("id").is_in(padded(ids)),
        });
        let rows = self.fetch_all::<PartialRow>(&select).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// The ids, the last one repeated up to the next power of two: few different statements, which stay prepared.
pub(crate) fn padded(ids: &[i64]) -> impl Iterator<Item = i64> {
    let last = ids.last().copied().unwrap_or_default();
    let length = ids.len().next_power_of_two();
    ids.iter().copied().chain(std::iter::repeat(last)).take(length)
}

pub(crate) fn select_records(table: &'static str) -> SelectStatement {
    Query::select()
        .columns(RecordRow::COLUMNS)
        .from(table)
        .and_where(Expr::col("workspace_id").eq(constant(WORKSPACE)))
        .take()
}

/// As [`select_records`], without large documents.
fn select_partial(table: &'static str) -> SelectStatement {
    Query::select()
        .columns(["kind", "id", "revision"])
        .expr_as(large_document::small_document(table), "document")
        .from(table)
        .and_where(Expr::col("workspace_id").eq(constant(WORKSPACE)))
        .take()
}

pub(crate) fn kind_is(table: &'static str, kinds: &[Kind]) -> Expr {
    let code = Expr::col((table, "kind"));
    match kinds {
        [kind] => code.eq(constant(kind.code())),
        kinds => code.is_in(kinds.iter().map(|kind| constant(kind.code()))),
    }
}

/// Redundant next to the kinds, but the index on external ids begins with their scope.
pub(crate) fn is_in_scope_of_external_ids(table: &'static str, kinds: &[Kind]) -> Expr {
    let mut scopes: Vec<i16> = kinds.iter().map(|kind| external_id_scope(*kind)).collect();
    scopes.sort_unstable();
    scopes.dedup();
    Expr::col((table, "family")).is_in(scopes.into_iter().map(constant))
}

/// The artifacts created under a version or run, and those attached to it later.
pub(crate) fn artifact_of(resource_id: i64) -> Cond {
    let mut ids =
        Query::select().column("id").from("artifact").and_where(Expr::col("parent_id").eq(resource_id)).take();
    let attached = Query::select()
        .column("artifact_id")
        .from("artifact_link")
        .and_where(Expr::col("resource_id").eq(resource_id))
        .take();
    ids.union(UnionType::All, attached);
    Cond::all().add(Expr::col("id").in_subquery(ids))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_ids_in_a_statement_is_a_power_of_two() {
        assert_eq!(padded(&[1, 2, 3]).collect::<Vec<_>>(), [1, 2, 3, 3]);
        assert_eq!(padded(&[1, 2]).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(padded(&[7; 33]).count(), 64);
    }
}
