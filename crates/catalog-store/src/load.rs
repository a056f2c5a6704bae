//! Loads: what sources publish now replaces what they published before, in one transaction.
//!
//! Only what changed is written, and an id stays with its key, so that links into the catalog survive a reload.

use model_registry_store::from_row;
use std::collections::{HashMap, HashSet};

use model_registry_base::{Clock, run_blocking};
use model_registry_store::dialect::Dialect;
use model_registry_store::sql::{Insertion, WORKSPACE};
use model_registry_store::{Lease, Outcome, Result, StoreError, Transaction, UnitOfWork};
use sea_query::{Expr, ExprTrait, Query};

use super::item::{CatalogItems, REPLACEMENT};
use super::{CatalogKind, CatalogStore};

mod bulk;
mod rows;
#[cfg(test)]
mod tests;

use rows::{Changed, Children, LoadRows};

/// Items written, and ids asked for, at a time.
const ROWS: usize = 500;
/// From this many written items on, the planner is told what the tables hold now.
const MANY: usize = 1_000;

/// What one source publishes now, and how reading it went.
#[derive(Clone, Debug)]
pub struct SourceSnapshot {
    pub source_id: String,
    pub status: &'static str,
    pub error: Option<String>,
    /// Items that could not be read.
    pub skipped: usize,
    /// `None` keeps what the source published before.
    pub items: Option<CatalogItems>,
    /// Keys of models that stay as they are, beside `items`.
    pub kept: Vec<String>,
    /// Nothing goes: the items are a part of what the source publishes.
    pub is_part: bool,
    /// When it is read again, whoever does that.
    pub next_sync: Option<NextSync>,
}

/// When a source is due that is read over the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextSync {
    /// A digest of its configuration: with another one it is due at once.
    pub configuration: String,
    pub next_time: i64,
}

from_row!(NextSync { configuration, next_time });

/// One load of several sources.
pub struct CatalogLoad {
    pub snapshots: Vec<SourceSnapshot>,
    /// Every configured source: what others published goes. `None` to leave the others alone.
    pub sources: Option<Vec<String>>,
    pub clock: Clock,
    /// Write only while this is held; without it, the load has no report.
    pub lease: Option<Lease>,
}

/// What a load did.
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
        let mut load = Load::begin(tx, self.clock.now()).await?;
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
                None => load.stored(tx, &snapshot.source_id).await?.len(),
            };
            load.write_state(tx, snapshot, count).await?;
        }
        if let Some(sources) = &self.sources {
            load.remove_others(tx, sources).await?;
        }
        let report = load.finish(tx).await?;
        bulk::end(tx, &report).await?;
        Ok(Outcome::Done(Some(report)))
    }

    fn may_retry(&self, error: &StoreError) -> bool {
        matches!(error, StoreError::Retry(_))
    }
}

/// What stays of what a source published before.
#[derive(Clone, Copy)]
enum Kept<'a> {
    /// These models.
    Keys(&'a [String]),
    /// Everything that is not among the items.
    Others,
}

struct Load {
    now: i64,
    next_id: i64,
    generation: i64,
    report: LoadReport,
}

struct StoredRow {
    id: i64,
    kind: i16,
    item_key: String,
    digest: String,
    create_time: i64,
}

from_row!(StoredRow { id, kind, item_key, digest, create_time });

struct ChildRow {
    id: i64,
    kind: i16,
    parent_id: i64,
    item_key: String,
    create_time: i64,
}

from_row!(ChildRow { id, kind, parent_id, item_key, create_time });

impl Load {
    /// Locks the catalog against other loads.
    async fn begin(tx: &mut Transaction, now: i64) -> Result<Self> {
        let lock = Query::update()
            .table("catalog_state")
            .value("next_id", Expr::col("next_id"))
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .take();
        tx.execute(&lock).await?;
        bulk::begin(tx).await?;
        let select = Query::select()
            .columns(["generation", "next_id"])
            .from("catalog_state")
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .take();
        let (generation, next_id) = tx.fetch_optional::<(i64, i64)>(&select).await?.unwrap_or((0, 1));
        Ok(Self { now, next_id, generation, report: LoadReport::default() })
    }

    async fn stored(&self, tx: &mut Transaction, source_id: &str) -> Result<Vec<StoredRow>> {
        let select = Query::select()
            .columns(["id", "kind", "item_key", "digest", "create_time"])
            .from("catalog_item")
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .and_where(Expr::col("source_id").eq(source_id))
            .and_where(Expr::col("parent_id").eq(0))
            .take();
        tx.fetch_all(&select).await
    }

    /// Tells how many items there are now.
    async fn replace(
        &mut self,
        tx: &mut Transaction,
        source_id: &str,
        items: &CatalogItems,
        kept: Kept<'_>,
    ) -> Result<usize> {
        let mut stored: HashMap<(i16, String), StoredRow> = HashMap::new();
        for row in self.stored(tx, source_id).await? {
            stored.insert((row.kind, row.item_key.clone()), row);
        }
        let mut count = items.len();
        if let Kept::Keys(kept) = kept {
            let key = |key: &String| (CatalogKind::Model.code(), key.replace('\0', REPLACEMENT));
            let kept = kept.iter().filter(|kept| stored.remove(&key(kept)).is_some()).count();
            self.report.unchanged += kept;
            count += kept;
        }
        let mut changed = Vec::new();
        for entry in items.entries() {
            let digest = entry.digest();
            let old = stored.remove(&(entry.kind.code(), entry.key.to_string()));
            if old.as_ref().is_some_and(|old| old.digest == digest) {
                self.report.unchanged += 1;
                continue;
            }
            changed.push((entry, digest, old.map(|old| (old.id, old.create_time))));
        }
        if let Kept::Others = kept {
            count += stored.len();
            stored.clear();
        }
        self.report.removed += stored.len();
        let removed: Vec<i64> = stored.into_values().map(|row| row.id).collect();
        self.clear(tx, &removed).await?;
        let mut rows = LoadRows::new(tx.dialect(), source_id, self.now, self.next_id);
        let mut insertions = Vec::new();
        // Some at a time, so that little is remembered of what was there; each time the next ones are made while the
        // database writes those before.
        for changed in changed.chunks(ROWS) {
            let replaced: Vec<i64> = changed.iter().filter_map(|(_, _, old)| old.map(|(id, _)| id)).collect();
            let children = self.clear(tx, &replaced).await?;
            self.report.written += changed.len();
            let changed: Vec<Changed> = changed
                .iter()
                .map(|(entry, digest, old)| Changed {
                    packed: items.packed(entry).into(),
                    digest: digest.clone(),
                    old: *old,
                })
                .collect();
            let making = run_blocking(move || rows.make(changed, &children));
            write(tx, insertions).await?;
            (rows, insertions) = making.await?;
        }
        write(tx, insertions).await?;
        self.next_id = rows.next_id();
        write(tx, rows.finish()).await?;
        Ok(count)
    }

    /// Deletes items with everything below them; tells what was there.
    async fn clear(&mut self, tx: &mut Transaction, ids: &[i64]) -> Result<Children> {
        let mut children = Children::new();
        for ids in ids.chunks(ROWS) {
            let mut owners = ids.to_vec();
            for table in ["catalog_item", "catalog_artifact"] {
                let select = Query::select()
                    .columns(["id", "kind", "parent_id", "item_key", "create_time"])
                    .from(table)
                    .and_where(Expr::col("parent_id").is_in(ids.iter().copied()))
                    .take();
                for row in tx.fetch_all::<ChildRow>(&select).await? {
                    owners.push(row.id);
                    children.insert((row.parent_id, row.kind, row.item_key), (row.id, row.create_time));
                }
                let of_parents = Query::delete()
                    .from_table(table)
                    .and_where(Expr::col("parent_id").is_in(ids.iter().copied()))
                    .take();
                tx.execute(&of_parents).await?;
            }
            for owners in owners.chunks(ROWS) {
                let properties = Query::delete()
                    .from_table("catalog_property")
                    // Ids are unique across kinds; the kinds let the primary key be used.
                    .and_where(Expr::col("kind").is_in(1_i16..=6))
                    .and_where(Expr::col("owner_id").is_in(owners.iter().copied()))
                    .take();
                tx.execute(&properties).await?;
            }
            let items =
                Query::delete().from_table("catalog_item").and_where(Expr::col("id").is_in(ids.iter().copied())).take();
            tx.execute(&items).await?;
        }
        Ok(children)
    }

    async fn write_state(&mut self, tx: &mut Transaction, snapshot: &SourceSnapshot, count: usize) -> Result<()> {
        forget_state(tx, &snapshot.source_id).await?;
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let mut insert = Query::insert();
        insert
            .into_table("catalog_source")
            .columns(["workspace_id", "source_id", "status", "error", "item_count", "skipped_count", "update_time"])
            .values_panic([
                WORKSPACE.into(),
                snapshot.source_id.as_str().into(),
                snapshot.status.into(),
                snapshot.error.as_ref().map(|error| error.replace('\0', REPLACEMENT)).into(),
                number(count).into(),
                number(snapshot.skipped).into(),
                self.now.into(),
            ]);
        tx.execute(&insert).await?;
        if let Some(next) = &snapshot.next_sync {
            let mut insert = Query::insert();
            insert
                .into_table("catalog_sync")
                .columns(["workspace_id", "source_id", "configuration", "next_time"])
                .values_panic([
                    WORKSPACE.into(),
                    snapshot.source_id.as_str().into(),
                    next.configuration.as_str().into(),
                    next.next_time.into(),
                ]);
            tx.execute(&insert).await?;
        }
        Ok(())
    }

    /// Removes what sources published that are no longer configured.
    async fn remove_others(&mut self, tx: &mut Transaction, sources: &[String]) -> Result<()> {
        let known: HashSet<&str> = sources.iter().map(String::as_str).collect();
        let select = Query::select()
            .column("source_id")
            .from("catalog_source")
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .take();
        for (source_id,) in tx.fetch_all::<(String,)>(&select).await? {
            if known.contains(source_id.as_str()) {
                continue;
            }
            self.replace(tx, &source_id, &CatalogItems::default(), Kept::Keys(&[])).await?;
            forget_state(tx, &source_id).await?;
        }
        Ok(())
    }

    async fn finish(self, tx: &mut Transaction) -> Result<LoadReport> {
        if self.report.written + self.report.removed > 0 {
            let update = Query::update()
                .table("catalog_state")
                .value("generation", self.generation + 1)
                .value("next_id", self.next_id)
                .and_where(Expr::col("workspace_id").eq(WORKSPACE))
                .take();
            tx.execute(&update).await?;
        }
        Ok(self.report)
    }
}

/// Forgets how the last load of a source went, and when it is due.
async fn forget_state(tx: &mut Transaction, source_id: &str) -> Result<()> {
    for table in ["catalog_source", "catalog_sync"] {
        let delete = Query::delete()
            .from_table(table)
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .and_where(Expr::col("source_id").eq(source_id))
            .take();
        tx.execute(&delete).await?;
    }
    Ok(())
}

async fn write(tx: &mut Transaction, insertions: Vec<Insertion>) -> Result<()> {
    for insertion in insertions {
        tx.run_insertion(insertion).await?;
    }
    Ok(())
}

impl CatalogStore {
    /// Tells the planner what the tables of the catalog hold after a large load. Until then plans are made for what was there
    /// before.
    pub async fn analyse(&self, report: &LoadReport) -> Result<()> {
        if report.written < MANY {
            return Ok(());
        }
        let tables = ["catalog_item", "catalog_artifact", "catalog_property"];
        let mut tx = self.database()?.begin().await?;
        match tx.dialect() {
            Dialect::Postgres => tx.execute_text(format!("ANALYZE {}", tables.join(", "))).await?,
            Dialect::Sqlite => {
                // A sample of each index will do.
                tx.execute_text("PRAGMA analysis_limit = 1000".to_owned()).await?;
                for table in tables {
                    tx.execute_text(format!("ANALYZE {table}")).await?;
                }
            }
            // It keeps its statistics up to date by itself, and the statement would commit.
            Dialect::MySql => {}
        }
        tx.commit().await
    }
}
