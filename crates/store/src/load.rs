//! Reads within a transaction, of the entities that it is going to change. A document that the transaction lacks the memory for
//! ends it: see `document_memory.rs`.

use model_registry_api::Kind;
use sea_query::{Alias, Expr, ExprTrait, Func, Order, Query, SelectStatement};

use crate::db::Transaction;
use crate::error::Result;
use crate::from_row;
use crate::large_document::{size_in_bytes, string_up_to};
use crate::record::{Record, RecordRow, SizedRow};
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
        let mut select = self.select_sized(table(*first));
        select
            .and_where(Expr::col("kind").is_in(kinds.iter().map(|kind| kind.code())))
            .and_where(Expr::col("id").is_in(ids.iter().copied()));
        let rows = self.fetch_all::<SizedRow>(&select).await?;
        self.records(rows)
    }

    fn select_sized(&self, table: &'static str) -> SelectStatement {
        Query::select()
            .columns(["kind", "id", "revision"])
            .expr_as(self.document_within_limit(table), "document")
            .expr_as(size_in_bytes(table, "document", self.dialect()), "size")
            .from(table)
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .take()
    }

    /// The document, or null if it is larger than the limit of the transaction.
    fn document_within_limit(&self, table: &'static str) -> Expr {
        string_up_to(table, "document", i64::try_from(self.documents.bytes()).unwrap_or(i64::MAX))
    }

    /// The records of rows; an error if a document exceeds the limit.
    fn records(&mut self, rows: Vec<SizedRow>) -> Result<Vec<Record>> {
        let lacking = rows.iter().filter(|row| row.document.is_none());
        let lacking: usize = lacking.map(|row| usize::try_from(row.size).unwrap_or(0)).sum();
        if lacking > 0 {
            return Err(self.documents.exceeded(lacking));
        }
        let whole = rows.into_iter().filter_map(|row| {
            let SizedRow { kind, id, revision, document, size: _ } = row;
            Some(RecordRow { kind, id, revision, document: document? })
        });
        whole.map(Record::try_from).collect()
    }

    /// Finds the entity with this name among those without a parent.
    pub async fn find_by_name(&mut self, kind: Kind, name: &str) -> Result<Option<Record>> {
        let mut select = self.select_sized(table(kind));
        select
            .and_where(Expr::col("kind").eq(kind.code()))
            .and_where(Expr::col("parent_id").eq(0))
            .and_where(Expr::col("name").eq(name));
        let row = self.fetch_optional::<SizedRow>(&select).await?;
        Ok(self.records(row.into_iter().collect())?.pop())
    }

    /// Reads a version or run and, in the same statement, one of its artifacts, if that exists.
    pub async fn load_with_artifact(
        &mut self,
        parent_kind: Kind,
        parent_id: i64,
        artifact: ArtifactKey<'_>,
    ) -> Result<Option<(Record, Option<Record>)>> {
        const PARENT: &str = "parent";
        const CHILD: &str = "child";
        let on = match artifact {
            ArtifactKey::Id(id) => Expr::col((CHILD, "id")).eq(id),
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
                Expr::col((CHILD, "id"))
                    .eq(Func::coalesce([own, attached].map(|ids| Expr::SubQuery(None, Box::new(ids.into())))))
            }
        };
        let mut select = Query::select();
        for (table, prefix) in [(PARENT, ""), (CHILD, "child_")] {
            let named = |name: &str| Alias::new(format!("{prefix}{name}"));
            for name in ["kind", "id", "revision"] {
                select.expr_as(Expr::col((table, name)), named(name));
            }
            select.expr_as(self.document_within_limit(table), named("document"));
            select.expr_as(size_in_bytes(table, "document", self.dialect()), named("size"));
        }
        select
            .from_as("resource", PARENT)
            .join_as(sea_query::JoinType::LeftJoin, "artifact", CHILD, on)
            .and_where(Expr::col((PARENT, "id")).eq(parent_id))
            .and_where(Expr::col((PARENT, "kind")).eq(parent_kind.code()))
            .and_where(Expr::col((PARENT, "workspace_id")).eq(WORKSPACE));
        let Some(row) = self.fetch_optional::<PairRow>(&select).await? else { return Ok(None) };
        let PairRow { parent, child_kind, child_id, child_revision, child_document, child_size } = row;
        let child = match (child_kind, child_id, child_revision, child_size) {
            (Some(kind), Some(id), Some(revision), Some(size)) => {
                Some(SizedRow { kind, id, revision, document: child_document, size })
            }
            _ => None,
        };
        let mut records = self.records([Some(parent), child].into_iter().flatten().collect())?.into_iter();
        Ok(records.next().map(|parent| (parent, records.next())))
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
    parent: SizedRow,
    child_kind: Option<i16>,
    child_id: Option<i64>,
    child_revision: Option<i64>,
    child_document: Option<String>,
    child_size: Option<i64>,
}

from_row!(PairRow { child_kind, child_id, child_revision, child_document, child_size }, with parent);
