//! The change log: every mutation, with a sequence number that is its position in the change feed.
//!
//! A change is written in the transaction of its mutation, without a sequence number. Sequence numbers are assigned later, to
//! committed changes only, by one transaction at a time (it locks the row of `change_sequence`). Therefore readers see no gap
//! and no change that appears later below a number they have already read:
//!
//! * The database generates ids before the commit, so a change may become visible after one with a higher id. It then gets
//!   a later sequence number; numbers that were assigned before do not change.
//! * A batch of sequence numbers commits as a whole and before the next batch starts, so a reader always sees a prefix of
//!   the sequence.
//! * Two changes of one entity keep their order: updates lock the entity, so the second is logged after the first has been
//!   committed and has the higher id.

use model_registry_api::Kind;
use sea_query::{CaseStatement, Expr, ExprTrait, LockType, Order, Query, SelectStatement};

use crate::db::{Database, Transaction};
use crate::error::{Result, StoreError};
use crate::from_row;
use crate::tables::WORKSPACE;
use crate::unit_of_work::{Outcome, UnitOfWork};

/// Changes per transaction that assigns sequence numbers: it holds the lock for some ten milliseconds.
pub(crate) const BATCH: usize = 500;

const ONLY_ROW: i32 = 1;

/// One mutation of one entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The position in the change feed, ascending without gaps.
    pub sequence: i64,
    /// Milliseconds since the Unix epoch.
    pub time: i64,
    /// The name of the caller, if callers are authenticated.
    pub actor: Option<String>,
    pub kind: Kind,
    pub id: i64,
    /// `create`, `update` or `import`.
    pub verb: String,
    /// The entity's revision after the change.
    pub revision: i64,
}

/// How far sequence numbers have been assigned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogState {
    /// The newest sequence number.
    pub(crate) last: i64,
    /// The id of the first committed change without a sequence number.
    pub(crate) pending: Option<i64>,
}

from_row!(LogState { last, pending });

struct ChangeRow {
    id: i64,
    sequence: i64,
    time: i64,
    actor: Option<String>,
    kind: i16,
    entity_id: i64,
    verb: String,
    revision: i64,
}

from_row!(ChangeRow { id, sequence, time, actor, kind, entity_id, verb, revision });

impl Database {
    /// Reads the changes after a sequence number.
    pub(crate) async fn changes_after(&self, after: i64, limit: u32) -> Result<Vec<Change>> {
        let mut select = Query::select();
        select
            .columns(["id", "sequence", "time", "actor", "kind", "entity_id", "verb", "revision"])
            .from("change_log")
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .and_where(Expr::col("sequence").gt(after))
            .order_by("sequence", Order::Asc)
            .limit(u64::from(limit));
        self.fetch_all::<ChangeRow>(&select).await?.into_iter().map(Change::try_from).collect()
    }

    pub(crate) async fn log_state(&self) -> Result<LogState> {
        let first = pending(1);
        let mut select = Query::select();
        select
            .column("last")
            .expr_as(Expr::from(sea_query::SubQueryStatement::SelectStatement(first)), "pending")
            .from("change_sequence")
            .and_where(Expr::col("id").eq(ONLY_ROW));
        let state = self.fetch_optional::<LogState>(&select).await?;
        Ok(state.unwrap_or(LogState { last: 0, pending: None }))
    }
}

/// The ids of changes without a sequence number, of all workspaces: today there is only one.
fn pending(limit: u64) -> SelectStatement {
    Query::select()
        .column("id")
        .from("change_log")
        .and_where(Expr::col("sequence").is_null())
        .order_by("id", Order::Asc)
        .limit(limit)
        .take()
}

/// Assigns sequence numbers to the next batch of changes.
pub(crate) struct AssignSequences;

/// The result of a batch.
pub(crate) struct Assigned {
    /// The newest sequence number.
    pub(crate) last: i64,
    /// Whether there may be more changes without a sequence number.
    pub(crate) may_have_more: bool,
}

impl UnitOfWork for AssignSequences {
    type Output = Assigned;
    type Error = StoreError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<Assigned>> {
        let last = tx.lock_sequence().await?;
        // A separate statement after the lock, because it must see what the previous holder of the lock has committed.
        let ids: Vec<i64> = tx.fetch_all::<(i64,)>(&pending(BATCH as u64)).await?.into_iter().map(|(id,)| id).collect();
        if ids.is_empty() {
            return Ok(Outcome::Done(Assigned { last, may_have_more: false }));
        }
        let newest = tx.assign_sequences(&ids, last).await?;
        Ok(Outcome::Done(Assigned { last: newest, may_have_more: ids.len() == BATCH }))
    }

    fn may_retry(&self, error: &StoreError) -> bool {
        matches!(error, StoreError::Retry(_))
    }
}

impl Transaction {
    /// Locks the assignment of sequence numbers until the transaction ends, and returns the newest one. SQLite needs no lock:
    /// it has one writer.
    async fn lock_sequence(&mut self) -> Result<i64> {
        let mut select = Query::select();
        select.column("last").from("change_sequence").and_where(Expr::col("id").eq(ONLY_ROW)).lock(LockType::Update);
        let row = self.fetch_optional::<(i64,)>(&select).await?;
        let missing = || StoreError::Corrupt {
            table: "change_sequence",
            id: i64::from(ONLY_ROW),
            reason: "the row is missing".to_owned(),
        };
        row.map(|(last,)| last).ok_or_else(missing)
    }

    async fn assign_sequences(&mut self, ids: &[i64], last: i64) -> Result<i64> {
        let mut newest = last;
        let mut sequences = CaseStatement::new();
        for id in ids {
            newest += 1;
            sequences = sequences.case(Expr::col("id").eq(*id), newest);
        }
        let mut update = Query::update();
        update.table("change_log").value("sequence", sequences).and_where(Expr::col("id").is_in(ids.iter().copied()));
        self.execute(&update).await?;
        let mut update = Query::update();
        update.table("change_sequence").value("last", newest).and_where(Expr::col("id").eq(ONLY_ROW));
        self.execute(&update).await?;
        Ok(newest)
    }
}

impl TryFrom<ChangeRow> for Change {
    type Error = StoreError;

    fn try_from(row: ChangeRow) -> Result<Self> {
        let kind = Kind::from_code(row.kind).ok_or_else(|| StoreError::Corrupt {
            table: "change_log",
            id: row.id,
            reason: format!("unknown kind {}", row.kind),
        })?;
        let ChangeRow { sequence, time, actor, entity_id, verb, revision, .. } = row;
        Ok(Self { sequence, time, actor, kind, id: entity_id, verb, revision })
    }
}
