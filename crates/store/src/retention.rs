//! Retention of the change log: the oldest changes are deleted in the background, by one replica, a batch per transaction.
//!
//! Only changes with a sequence number are deleted, in the order of these numbers, so that what is left is a suffix of the
//! feed without gaps. A reader that is too late notices it: the first change it gets is not the next one (see
//! [`Changes::first_retained`](crate::Changes::first_retained)).

use std::convert::Infallible;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use sea_query::{Expr, ExprTrait, Func, Order, Query};

use crate::db::{Database, Transaction};
use crate::error::{Result, StoreError};
use crate::lease::Lease;
use crate::store::Store;
use crate::unit_of_work::{Outcome, UnitOfWork};

/// Changes that one transaction deletes: it takes some ten milliseconds.
const BATCH: usize = 500;
/// Lets others write between two batches: SQLite has one writer.
const PAUSE: Duration = Duration::from_millis(20);
/// The interval in which old changes are deleted.
const INTERVAL: Duration = Duration::from_mins(10);
/// Longer than a batch takes. When its holder dies, another replica takes over after this time.
const LEASE_DURATION: Duration = Duration::from_mins(1);

/// Values for metrics: the start of the log and how much this process has deleted.
#[derive(Default)]
pub(crate) struct RetentionStatus {
    /// The sequence number of the oldest change when it was last read; 0 before that.
    oldest: AtomicI64,
    /// Changes that this process has deleted.
    deleted: AtomicU64,
}

impl Store {
    /// The sequence number of the oldest change when it was last read; does not access the database.
    pub fn oldest_known_change(&self) -> i64 {
        self.change_feed.retention.oldest.load(Ordering::Relaxed)
    }

    /// Changes that this process has deleted since it started.
    pub fn deleted_changes(&self) -> u64 {
        self.change_feed.retention.deleted.load(Ordering::Relaxed)
    }

    /// Deletes changes older than `retention` every ten minutes; runs until the process ends. Zero keeps all changes.
    pub async fn delete_old_changes_in_background(self, retention: Duration) -> Infallible {
        let lease = Lease::new("change-retention", LEASE_DURATION);
        loop {
            let run = async {
                if !retention.is_zero() {
                    self.delete_old_changes(&lease, retention).await?;
                }
                self.refresh_oldest_change().await
            };
            if let Err(error) = run.await {
                tracing::warn!(error = &error as &dyn std::error::Error, "old changes not deleted; trying again later");
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Deletes the changes older than `retention` and returns how many; none while another replica holds the lease.
    pub async fn delete_old_changes(&self, lease: &Lease, retention: Duration) -> Result<u64> {
        let retention = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
        let before = self.clock().now().saturating_sub(retention);
        let mut deleted = 0;
        while self.acquire(lease).await? {
            let batch = self.write_silently(&DeleteBatch { lease, before }).await?;
            if batch == 0 {
                self.release(lease).await?;
                break;
            }
            deleted += batch;
            self.change_feed.retention.deleted.fetch_add(batch, Ordering::Relaxed);
            tokio::time::sleep(PAUSE).await;
        }
        if deleted > 0 {
            tracing::info!(deleted, "changes deleted that exceeded the retention of the change log");
        }
        Ok(deleted)
    }

    async fn refresh_oldest_change(&self) -> Result<()> {
        let oldest = self.database()?.oldest_change().await?;
        self.change_feed.retention.oldest.store(oldest.unwrap_or(0), Ordering::Relaxed);
        Ok(())
    }
}

impl Database {
    /// Reads the sequence number of the oldest change.
    async fn oldest_change(&self) -> Result<Option<i64>> {
        let mut select = Query::select();
        select.expr_as(Func::min(Expr::col("sequence")), "oldest").from("change_log");
        Ok(self.fetch_optional::<(Option<i64>,)>(&select).await?.and_then(|(oldest,)| oldest))
    }
}

/// Deletes the next batch of old changes and returns how many.
struct DeleteBatch<'a> {
    lease: &'a Lease,
    /// Milliseconds since the Unix epoch.
    before: i64,
}

impl UnitOfWork for DeleteBatch<'_> {
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
        // Clocks differ a little, so times do not ascend strictly with sequence numbers. A change that precedes an old one
        // counts as old too: otherwise a change from a clock that is years ahead would keep everything after it.
        let Some(last) = oldest.iter().rposition(|(_, time)| *time < self.before) else {
            return Ok(Outcome::Done(0));
        };
        // By primary key: a range of sequence numbers would lock the gap into which new changes are inserted.
        let ids = oldest[..=last].iter().map(|(id, _)| *id);
        let mut delete = Query::delete();
        delete.from_table("change_log").and_where(Expr::col("id").is_in(ids));
        Ok(Outcome::Done(tx.execute(&delete).await?))
    }

    fn may_retry(&self, error: &StoreError) -> bool {
        matches!(error, StoreError::Retry(_))
    }
}

#[cfg(test)]
mod tests;
