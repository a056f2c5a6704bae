//! How long changes are kept: the oldest are deleted in the background, by one replica, a batch a transaction.
//!
//! Numbered changes go only, in the order of their numbers, so what is left is always an end of the feed without gaps. A
//! reader that asks for what is gone finds out by that: the first change it gets is not the next one (see
//! [`Changes::first_kept`](crate::Changes::first_kept)).

use std::convert::Infallible;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use sea_query::{Expr, ExprTrait, Func, Order, Query};

use crate::db::{Database, Transaction};
use crate::error::{Result, StoreError};
use crate::lease::Lease;
use crate::store::{Operation, Outcome, Store};

/// How many changes one transaction deletes: it is over in some ten milliseconds.
const BATCH: usize = 500;
/// Lets others write between two batches; SQLite has one writer.
const PAUSE: Duration = Duration::from_millis(20);
/// How often old changes are looked for.
const INTERVAL: Duration = Duration::from_mins(10);
/// Longer than a batch takes; a holder that dies is replaced after that.
const LEASE: Duration = Duration::from_mins(1);

/// What a process knows of the beginning of the log.
#[derive(Default)]
pub(crate) struct Kept {
    /// The oldest change when it was last looked for; 0 before.
    oldest: AtomicI64,
    /// Changes that this process has deleted.
    deleted: AtomicU64,
}

impl Store {
    /// The oldest change there was when it was last looked for; reads nothing.
    pub fn oldest_known_change(&self) -> i64 {
        self.feed.kept.oldest.load(Ordering::Relaxed)
    }

    /// Changes that this process has deleted since it started.
    pub fn deleted_changes(&self) -> u64 {
        self.feed.kept.deleted.load(Ordering::Relaxed)
    }

    /// Deletes changes that are older than `kept_for`, now and then; runs until the process ends. Zero keeps all.
    pub async fn delete_old_changes_in_background(self, kept_for: Duration) -> Infallible {
        let lease = Lease::new("change-retention", LEASE);
        loop {
            let looked = async {
                if !kept_for.is_zero() {
                    self.delete_old_changes(&lease, kept_for).await?;
                }
                self.look_for_oldest_change().await
            };
            if let Err(error) = looked.await {
                tracing::warn!(error = &error as &dyn std::error::Error, "old changes not deleted; trying again later");
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Deletes the changes that are older than `kept_for`; tells how many. None where another replica is at it.
    pub async fn delete_old_changes(&self, lease: &Lease, kept_for: Duration) -> Result<u64> {
        let kept_for = i64::try_from(kept_for.as_millis()).unwrap_or(i64::MAX);
        let before = self.clock().now().saturating_sub(kept_for);
        let mut deleted = 0;
        while self.acquire(lease).await? {
            let batch = self.write_silently(&DeleteBatch { lease, before }).await?;
            if batch == 0 {
                self.release(lease).await?;
                break;
            }
            deleted += batch;
            self.feed.kept.deleted.fetch_add(batch, Ordering::Relaxed);
            tokio::time::sleep(PAUSE).await;
        }
        if deleted > 0 {
            tracing::info!(deleted, "changes deleted that were older than the change log keeps them");
        }
        Ok(deleted)
    }

    async fn look_for_oldest_change(&self) -> Result<()> {
        let oldest = self.database()?.oldest_change().await?;
        self.feed.kept.oldest.store(oldest.unwrap_or(0), Ordering::Relaxed);
        Ok(())
    }
}

impl Database {
    /// The number of the oldest change that is kept.
    async fn oldest_change(&self) -> Result<Option<i64>> {
        let mut select = Query::select();
        select.expr_as(Func::min(Expr::col("sequence")), "oldest").from("change_log");
        Ok(self.fetch_optional::<(Option<i64>,)>(&select).await?.and_then(|(oldest,)| oldest))
    }
}

/// Deletes the next batch of old changes; tells how many.
struct DeleteBatch<'a> {
    lease: &'a Lease,
    /// Milliseconds since the Unix epoch.
    before: i64,
}

impl Operation for DeleteBatch<'_> {
    type Output = u64;
    type Error = StoreError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<u64>> {
        if !self.lease.is_held(tx).await? {
            return Ok(Outcome::Done(0));
        }
        let mut select = Query::select();
        select
            .columns(["id", "time"])
            .from("change_log")
            .and_where(Expr::col("sequence").is_not_null())
            .order_by("sequence", Order::Asc)
            .limit(BATCH as u64);
        let oldest = tx.fetch_all::<(i64, i64)>(&select).await?;
        // Clocks differ a little, so times do not ascend like numbers. What stands before an old change is old as well:
        // a change from a clock that was years ahead must not keep all that came after it.
        let Some(last) = oldest.iter().rposition(|(_, time)| *time < self.before) else {
            return Ok(Outcome::Done(0));
        };
        // By primary key: a range of numbers would lock the place where new changes, still without one, are inserted.
        let ids = oldest[..=last].iter().map(|(id, _)| *id);
        let mut delete = Query::delete();
        delete.from_table("change_log").and_where(Expr::col("id").is_in(ids));
        Ok(Outcome::Done(tx.execute(&delete).await?))
    }

    fn may_retry(&self, error: &StoreError) -> bool {
        matches!(error, StoreError::Retry(_))
    }
}
