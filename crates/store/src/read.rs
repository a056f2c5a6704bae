//! Reads of single entities, one statement each.

use model_registry_api::{EntityTable, Kind};
use sea_query::{Cond, Expr, ExprTrait, Order, Query, SelectStatement, UnionType};

use crate::db::Database;
use crate::error::Result;
use crate::gather::GatheredTable;
use crate::record::{Record, RecordRow};
use crate::tables::{WORKSPACE, constant, table};

/// What a find endpoint looks for. Names and external ids are compared exactly.
#[derive(Clone, Copy, Debug)]
pub enum FindBy<'a> {
    /// By name, below a parent or, without one, anywhere.
    Name {
        name: &'a str,
        parent_id: Option<i64>,
    },
    ExternalId {
        external_id: &'a str,
    },
}

/// What a find gave.
#[derive(Debug)]
pub enum Found {
    None,
    One(Record),
    /// Several entities match, for example artifacts attached to one version.
    Several,
}

impl Database {
    /// Reads an entity of one of the kinds, which have to live in one table.
    pub async fn find_by_id(&self, kinds: &[Kind], id: i64) -> Result<Option<Record>> {
        let Some(first) = kinds.first() else { return Ok(None) };
        let table = match first.spec().table {
            EntityTable::Resource => GatheredTable::Resource,
            EntityTable::Artifact => GatheredTable::Artifact,
            // Points of a history have no identity of their own.
            EntityTable::MetricPoint => return Ok(None),
        };
        let found = self.read_gathered(table, id).await?;
        Ok(found.filter(|record| kinds.contains(&record.kind)))
    }

    pub async fn find(&self, kinds: &[Kind], by: FindBy<'_>) -> Result<Found> {
        let Some(first) = kinds.first() else { return Ok(Found::None) };
        let entity_table = first.spec().table;
        let mut select = select_records(table(*first));
        select.and_where(kind_is(table(*first), kinds)).limit(2);
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
            }
        }
        let mut rows = self.fetch_all::<RecordRow>(&select).await?;
        match (rows.pop(), rows.pop()) {
            (None, _) => Ok(Found::None),
            (Some(row), None) => Ok(Found::One(row.try_into()?)),
            (Some(_), Some(_)) => Ok(Found::Several),
        }
    }

    /// The child that was created last.
    pub async fn find_newest_child(&self, kind: Kind, parent_id: i64) -> Result<Option<Record>> {
        let mut select = select_records(table(kind));
        select
            .and_where(kind_is(table(kind), &[kind]))
            .and_where(Expr::col("parent_id").eq(parent_id))
            .order_by("create_time", Order::Desc)
            .order_by("id", Order::Desc)
            .limit(1);
        self.fetch_optional::<RecordRow>(&select).await?.map(Record::try_from).transpose()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        let mut select = Query::select();
        select.column("id").from("workspace").and_where(Expr::col("id").eq(WORKSPACE));
        self.fetch_optional::<(i32,)>(&select).await?;
        Ok(())
    }
}

pub(crate) fn select_records(table: &'static str) -> SelectStatement {
    Query::select()
        .columns(RecordRow::COLUMNS)
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
