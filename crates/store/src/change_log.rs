//! The change log: every mutation in the order in which readers see it.
//!
//! A change is written with its mutation, without a number. Numbers are given later, to committed changes only, by one
//! transaction at a time (it holds the row of `change_sequence`). That is why readers see no gap and no late arrival:
//!
//! * An id is taken before the commit, so a change may become visible after one with a higher id. It then gets a later
//!   number; what was numbered before stays as it is.
//! * A batch of numbers commits as a whole, and before the next batch begins: what a reader sees is always a beginning
//!   of the sequence.
//! * Two changes of one entity keep their order: the second is logged after the first has committed, because updates
//!   wait for each other; so its id is higher, and whoever sees the second sees the first.

use crate::from_row;
use model_registry_api::Kind;
use sea_query::{CaseStatement, Expr, ExprTrait, LockType, Order, Query, SelectStatement};

use crate::db::{Database, Transaction};
use crate::error::{Result, StoreError};
use crate::store::{Operation, Outcome};
use crate::tables::WORKSPACE;

/// How many changes one transaction numbers: it holds the lock for some ten milliseconds.
pub(crate) const BATCH: usize = 500;

const ONLY_ROW: i32 = 1;

/// One mutation of one entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Ascending without gaps, in the order of the feed.
    pub sequence: i64,
    /// When it was made, in milliseconds since the Unix epoch.
    pub time: i64,
    /// Who made it, where callers are known.
    pub actor: Option<String>,
    pub kind: Kind,
    pub id: i64,
    /// `create`, `update` or `import`.
    pub verb: String,
    /// The entity's revision after it.
    pub revision: i64,
}

/// How far the log is numbered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogState {
    /// The newest number given.
    pub(crate) last: i64,
    /// The first committed change without a number.
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
    /// Reads numbered changes behind a number.
    pub(crate) async fn numbered_changes(&self, after: i64, limit: u32) -> Result<Vec<Change>> {
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

/// The ids of changes without a number. There is none of another workspace's while there is one workspace.
fn pending(limit: u64) -> SelectStatement {
    Query::select()
        .column("id")
        .from("change_log")
        .and_where(Expr::col("sequence").is_null())
        .order_by("id", Order::Asc)
        .limit(limit)
        .take()
}

/// Numbers the next batch of changes.
pub(crate) struct Number;

/// How a batch ended.
pub(crate) struct Numbered {
    /// The newest number given.
    pub(crate) last: i64,
    /// Whether there may be more to number.
    pub(crate) is_full: bool,
}

impl Operation for Number {
    type Output = Numbered;
    type Error = StoreError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<Numbered>> {
        let last = tx.lock_sequence().await?;
        // After the lock, in a statement of its own: it has to see what the previous holder has committed.
        let ids: Vec<i64> = tx.fetch_all::<(i64,)>(&pending(BATCH as u64)).await?.into_iter().map(|(id,)| id).collect();
        if ids.is_empty() {
            return Ok(Outcome::Done(Numbered { last, is_full: false }));
        }
        let newest = tx.number(&ids, last).await?;
        Ok(Outcome::Done(Numbered { last: newest, is_full: ids.len() == BATCH }))
    }

    fn may_retry(&self, error: &StoreError) -> bool {
        matches!(error, StoreError::Retry(_))
    }
}

impl Transaction {
    /// Waits until nobody else gives numbers, and tells the last one given. SQLite has one writer anyway.
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

    async fn number(&mut self, ids: &[i64], last: i64) -> Result<i64> {
        let mut newest = last;
        let mut numbers = CaseStatement::new();
        for id in ids {
            newest += 1;
            numbers = numbers.case(Expr::col("id").eq(*id), newest);
        }
        let mut update = Query::update();
        update.table("change_log").value("sequence", numbers).and_where(Expr::col("id").is_in(ids.iter().copied()));
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
            reason: format!("its kind is unknown: {}", row.kind),
        })?;
        let ChangeRow { sequence, time, actor, entity_id, verb, revision, .. } = row;
        Ok(Self { sequence, time, actor, kind, id: entity_id, verb, revision })
    }
}
