//! Reads within a transaction, of the entities that it is going to change.

use model_registry_api::Kind;
use sea_query::{Alias, Expr, ExprTrait, Func, Order, Query, SelectStatement};

use crate::db::Transaction;
use crate::error::Result;
use crate::from_row;
use crate::record::{Record, RecordRow};
use crate::tables::{WORKSPACE, table};

/// Identifies an artifact below a parent.
#[derive(Clone, Copy, Debug)]
pub enum ArtifactKey<'a> {
    Id(i64),
    Name(Kind, &'a str),
}

impl Transaction {
    /// Reads entities of one table. Ids that do not exist are absent from the result.
    pub async fn load(&mut self, kinds: &[Kind], ids: &[i64]) -> Result<Vec<Record>> {
        let Some(first) = kinds.first() else { return Ok(Vec::new()) };
        let mut select = Query::select();
        select
            .columns(RecordRow::COLUMNS)
            .from(table(*first))
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .and_where(Expr::col("kind").is_in(kinds.iter().map(|kind| kind.code())))
            .and_where(Expr::col("id").is_in(ids.iter().copied()));
        self.fetch_all::<RecordRow>(&select).await?.into_iter().map(Record::try_from).collect()
    }

    /// Finds the entity with this name among those without a parent.
    pub async fn find_by_name(&mut self, kind: Kind, name: &str) -> Result<Option<Record>> {
        let mut select = Query::select();
        select
            .columns(RecordRow::COLUMNS)
            .from(table(kind))
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .and_where(Expr::col("kind").eq(kind.code()))
            .and_where(Expr::col("parent_id").eq(0))
            .and_where(Expr::col("name").eq(name));
        self.fetch_optional::<RecordRow>(&select).await?.map(Record::try_from).transpose()
    }

    /// Reads a version or run and, in the same statement, one of its artifacts, if that exists.
    pub async fn load_with_artifact(
        &mut self,
        parent_kind: Kind,
        parent_id: i64,
        artifact: ArtifactKey<'_>,
    ) -> Result<Option<(Record, Option<Record>)>> {
        let (parent, child) = (Alias::new("parent"), Alias::new("child"));
        let column = |table: &Alias, name: &'static str| Expr::col((table.clone(), Alias::new(name)));
        let on = match artifact {
            ArtifactKey::Id(id) => column(&child, "id").eq(id),
            // The parent's own artifacts take precedence over those attached to it.
            ArtifactKey::Name(kind, name) => {
                let mut own = artifact_ids(kind, name);
                own.and_where(Expr::col(("artifact", "parent_id")).eq(parent_id));
                let mut attached = artifact_ids(kind, name);
                attached
                    .inner_join("artifact_link", Expr::col(("artifact", "id")).equals(("artifact_link", "artifact_id")))
                    .and_where(Expr::col(("artifact_link", "resource_id")).eq(parent_id))
                    .order_by(("artifact", "id"), Order::Asc)
                    .limit(1);
                column(&child, "id")
                    .eq(Func::coalesce([own, attached].map(|ids| Expr::SubQuery(None, Box::new(ids.into())))))
            }
        };
        let mut select = Query::select();
        for name in RecordRow::COLUMNS {
            select.expr_as(column(&parent, name), Alias::new(name));
            select.expr_as(column(&child, name), Alias::new(format!("child_{name}")));
        }
        select
            .from_as("resource", parent.clone())
            .join_as(sea_query::JoinType::LeftJoin, "artifact", child.clone(), on)
            .and_where(column(&parent, "id").eq(parent_id))
            .and_where(column(&parent, "kind").eq(parent_kind.code()))
            .and_where(column(&parent, "workspace_id").eq(WORKSPACE));
        let Some(row) = self.fetch_optional::<PairRow>(&select).await? else { return Ok(None) };
        let child = match (row.child_kind, row.child_id, row.child_revision, row.child_document) {
            (Some(kind), Some(id), Some(revision), Some(document)) => {
                Some(Record::try_from(RecordRow { kind, id, revision, document })?)
            }
            _ => None,
        };
        let parent = RecordRow { kind: row.kind, id: row.id, revision: row.revision, document: row.document };
        Ok(Some((parent.try_into()?, child)))
    }
}

fn artifact_ids(kind: Kind, name: &str) -> SelectStatement {
    let column = |name: &'static str| Expr::col(("artifact", name));
    Query::select()
        .column(("artifact", "id"))
        .from("artifact")
        .and_where(column("workspace_id").eq(WORKSPACE))
        .and_where(column("kind").eq(kind.code()))
        .and_where(column("name").eq(name))
        .take()
}

struct PairRow {
    kind: i16,
    id: i64,
    revision: i64,
    document: String,
    child_kind: Option<i16>,
    child_id: Option<i64>,
    child_revision: Option<i64>,
    child_document: Option<String>,
}

from_row!(PairRow { kind, id, revision, document, child_kind, child_id, child_revision, child_document });
