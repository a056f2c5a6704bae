//! Loads: what sources publish now replaces what they published before, in one transaction.
//!
//! Only what changed is written, and an id stays with its key, so that links into the catalog survive a reload.

mod rows;
#[cfg(test)]
mod tests;
mod transaction;
mod tuning;

use std::collections::HashSet;

use model_registry_base::Clock;
use model_registry_store::dialect::Dialect;
use model_registry_store::{Lease, Outcome, Result, StoreError, Transaction, UnitOfWork, from_row};

use crate::{CatalogItems, CatalogStore};
use transaction::{Kept, LoadTransaction};

/// A load that wrote this many items or more updates the statistics of the query planner.
const ANALYSED_FROM: usize = 1_000;

/// What one source publishes now, and how reading it went.
#[derive(Clone, Debug)]
pub struct SourceSnapshot {
    pub source_id: String,
    pub status: &'static str,
    pub error: Option<String>,
    /// Items that could not be read.
    pub skipped: usize,
    /// Keys, words and values that were ignored without leaving an item out.
    pub ignored: usize,
    /// `None` keeps what the source published before.
    pub items: Option<CatalogItems>,
    /// Keys of stored items that stay unchanged, in addition to `items` or in the place of one of them.
    pub kept: Vec<String>,
    /// The items are a part of what the source publishes: nothing is removed.
    pub is_part: bool,
    /// When the source is read next, by any replica.
    pub next_sync: Option<NextSync>,
}

impl SourceSnapshot {
    /// The number of items that the source publishes, if it was read and all kept ones are stored.
    pub fn item_count(&self) -> Option<usize> {
        let items = self.items.as_ref()?;
        if self.kept.is_empty() {
            return Some(items.len());
        }
        let keys: HashSet<&str> = items.entries().iter().map(|entry| &*entry.key).collect();
        Some(items.len() + self.kept.iter().filter(|key| !keys.contains(key.as_str())).count())
    }
}

/// When a source is due that is read over the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextSync {
    /// A digest of its configuration: with another one it is due at once.
    pub configuration: String,
    /// Milliseconds since the Unix epoch.
    pub next_time: i64,
}

from_row!(NextSync { configuration, next_time });

/// One load of several sources.
pub struct CatalogLoad {
    pub snapshots: Vec<SourceSnapshot>,
    /// Every configured source: items of others are removed. `None` keeps them.
    pub sources: Option<Vec<String>>,
    pub clock: Clock,
    /// Write only while this lease is held; otherwise the load returns no report.
    pub lease: Option<Lease>,
}

/// The result of a load, in items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    pub written: usize,
    pub removed: usize,
    pub unchanged: usize,
}

impl UnitOfWork for CatalogLoad {
    type Output = Option<LoadReport>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<Option<LoadReport>>> {
        let mut load = LoadTransaction::begin(tx, self.clock.now()).await?;
        if let Some(lease) = &self.lease
            && !lease.is_held(tx).await?
        {
            // Another replica loads now. Nothing has been written.
            return Ok(Outcome::Done(None));
        }
        for snapshot in &self.snapshots {
            let count = match &snapshot.items {
                Some(items) => {
                    let kept = if snapshot.is_part { Kept::Others } else { Kept::Keys(&snapshot.kept) };
                    load.replace(tx, &snapshot.source_id, items, kept).await?
                }
                None => load.count_stored(tx, &snapshot.source_id).await?,
            };
            load.write_state(tx, snapshot, count).await?;
        }
        if let Some(sources) = &self.sources {
            load.remove_other_sources(tx, sources).await?;
        }
        let report = load.finish(tx).await?;
        if report.is_large() && tx.dialect() == Dialect::Postgres {
            // In the same transaction, because the first pages are read as soon as it is committed.
            analyse_in_postgres(tx, &["catalog_item", "catalog_artifact"]).await?;
        }
        Ok(Outcome::Done(Some(report)))
    }

    fn may_retry(&self, error: &StoreError) -> bool {
        matches!(error, StoreError::Retry(_))
    }
}

impl LoadReport {
    /// Whether the statistics of the query planner are useless after it.
    fn is_large(&self) -> bool {
        self.written >= ANALYSED_FROM
    }
}

impl CatalogStore {
    /// Updates the statistics of the query planner after a large load. Until then statements are planned for the rows that
    /// were there before.
    pub async fn analyse(&self, report: &LoadReport) -> Result<()> {
        if !report.is_large() {
            return Ok(());
        }
        let mut tx = self.database()?.begin().await?;
        match tx.dialect() {
            // The load itself has updated those of the items. Those of the properties take seconds.
            Dialect::Postgres => analyse_in_postgres(&mut tx, &["catalog_property"]).await?,
            Dialect::Sqlite => {
                // A sample of each index is enough.
                tx.execute_text("PRAGMA analysis_limit = 1000".to_owned()).await?;
                for table in ["catalog_item", "catalog_artifact", "catalog_property"] {
                    tx.execute_text(format!("ANALYZE {table}")).await?;
                }
            }
            // It keeps its statistics up to date, and the statement would commit.
            Dialect::MySql => {}
        }
        tx.commit().await
    }
}

/// PostgreSQL keeps plans of prepared statements that were made before: new statistics alone do not invalidate them, a change
/// of the table does, even one that changes nothing. Only the owner of a table may do either.
async fn analyse_in_postgres(tx: &mut Transaction, tables: &[&str]) -> Result<()> {
    tx.execute_text(format!("ANALYZE {}", tables.join(", "))).await?;
    let replan = |table: &&str| format!("ALTER TABLE {table} ALTER COLUMN workspace_id SET STATISTICS -1;");
    let replan: String = tables.iter().map(replan).collect();
    tx.execute_text(format!("DO $$ BEGIN {replan} EXCEPTION WHEN insufficient_privilege THEN NULL; END $$")).await
}
