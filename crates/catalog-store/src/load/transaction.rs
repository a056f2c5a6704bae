//! The transaction of a load: compares digests, removes what is gone, writes what changed.

use std::collections::{HashMap, HashSet};

use model_registry_api::catalog::AssetType;
use model_registry_base::{excerpt, run_blocking};
use model_registry_store::sql::{Insertion, WORKSPACE};
use model_registry_store::{Result, Transaction, from_row};
use sea_query::{DeleteStatement, Expr, ExprTrait, Query, SelectStatement};

use super::rows::{Changed, Children, LoadRows};
use super::{LoadReport, SourceSnapshot, tuning};
use crate::packing::clean;
use crate::{CatalogItems, CatalogKind};

/// Items written, and ids in one statement, at a time.
const BATCH: usize = 500;

/// What stays of what a source published before, in addition to the items of the load.
#[derive(Clone, Copy)]
pub(super) enum Kept<'a> {
    /// The items with these keys.
    Keys(&'a [String]),
    /// Everything that is not among the items.
    Others,
}

pub(super) struct LoadTransaction {
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

impl LoadTransaction {
    /// Locks the catalog against other loads.
    pub(super) async fn begin(tx: &mut Transaction, now: i64) -> Result<Self> {
        let lock = Query::update()
            .table("catalog_state")
            .value("next_id", Expr::col("next_id"))
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .take();
        tx.execute(&lock).await?;
        tuning::begin(tx).await?;
        let select = Query::select()
            .columns(["generation", "next_id"])
            .from("catalog_state")
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .take();
        let (generation, next_id) = tx.fetch_optional::<(i64, i64)>(&select).await?.unwrap_or((0, 1));
        Ok(Self { now, next_id, generation, report: LoadReport::default() })
    }

    pub(super) async fn count_stored(&self, tx: &mut Transaction, source_id: &str) -> Result<usize> {
        Ok(stored(tx, source_id).await?.len())
    }

    /// Replaces what a source published before; returns the number of its items now.
    pub(super) async fn replace(
        &mut self,
        tx: &mut Transaction,
        source_id: &str,
        items: &CatalogItems,
        kept: Kept<'_>,
    ) -> Result<usize> {
        let mut stored = stored(tx, source_id).await?;
        let mut kept_items = HashSet::new();
        if let Kept::Keys(kept) = kept {
            for key in kept {
                let key = clean(key).into_owned();
                let kinds = AssetType::ALL.iter().map(|asset_type| asset_type.spec().item.code());
                let found = kinds.filter_map(|kind| stored.remove_entry(&(kind, key.clone())));
                kept_items.extend(found.map(|(item, _)| item));
            }
        }
        self.report.unchanged += kept_items.len();
        let mut count = kept_items.len();
        let mut changed = Vec::new();
        for entry in items.entries() {
            if kept_items.contains(&(entry.kind.code(), entry.key.to_string())) {
                continue;
            }
            count += 1;
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
        remove(tx, &removed).await?;
        let mut rows = LoadRows::new(tx.dialect(), source_id, self.now, self.next_id);
        let mut insertions = Vec::new();
        // In batches, so that few of the replaced rows are held in memory. The rows of a batch are made while the database
        // writes those of the previous one.
        for changed in changed.chunks(BATCH) {
            let replaced: Vec<i64> = changed.iter().filter_map(|(_, _, old)| old.map(|(id, _)| id)).collect();
            let children = remove(tx, &replaced).await?;
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

    /// Writes how reading a source went, and when it is due next.
    pub(super) async fn write_state(
        &mut self,
        tx: &mut Transaction,
        snapshot: &SourceSnapshot,
        count: usize,
    ) -> Result<()> {
        delete_state(tx, &snapshot.source_id).await?;
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let mut insert = Query::insert();
        insert
            .into_table("catalog_source")
            .columns(["workspace_id", "source_id", "status", "error", "item_count", "skipped_count", "update_time"])
            .values_panic([
                WORKSPACE.into(),
                snapshot.source_id.as_str().into(),
                snapshot.status.into(),
                snapshot.error.as_ref().map(|error| excerpt(&clean(error)).into_owned()).into(),
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

    /// Removes the items of sources that are no longer configured.
    pub(super) async fn remove_other_sources(&mut self, tx: &mut Transaction, sources: &[String]) -> Result<()> {
        let configured: HashSet<&str> = sources.iter().map(String::as_str).collect();
        let select = Query::select()
            .column("source_id")
            .from("catalog_source")
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .take();
        for (source_id,) in tx.fetch_all::<(String,)>(&select).await? {
            if configured.contains(source_id.as_str()) {
                continue;
            }
            self.replace(tx, &source_id, &CatalogItems::default(), Kept::Keys(&[])).await?;
            delete_state(tx, &source_id).await?;
        }
        Ok(())
    }

    pub(super) async fn finish(self, tx: &mut Transaction) -> Result<LoadReport> {
        if self.report.written + self.report.removed > 0 {
            let update = Query::update()
                .table("catalog_state")
                .value("generation", self.generation + 1)
                .value("next_id", self.next_id)
                .and_where(Expr::col("workspace_id").eq(WORKSPACE))
                .take();
            tx.execute(&update).await?;
        }
        tuning::end(tx, &self.report).await?;
        Ok(self.report)
    }
}

/// The stored items of a source, by kind and key.
async fn stored(tx: &mut Transaction, source_id: &str) -> Result<HashMap<(i16, String), StoredRow>> {
    let select = Query::select()
        .columns(["id", "kind", "item_key", "digest", "create_time"])
        .from("catalog_item")
        .and_where(Expr::col("workspace_id").eq(WORKSPACE))
        .and_where(Expr::col("source_id").eq(source_id))
        .and_where(Expr::col("parent_id").eq(0))
        .take();
    let rows: Vec<StoredRow> = tx.fetch_all(&select).await?;
    Ok(rows.into_iter().map(|row| ((row.kind, row.item_key.clone()), row)).collect())
}

/// Deletes items with their children and properties; returns the children.
async fn remove(tx: &mut Transaction, ids: &[i64]) -> Result<Children> {
    let mut children = Children::new();
    for ids in ids.chunks(BATCH) {
        let mut owners = ids.to_vec();
        for table in ["catalog_item", "catalog_artifact"] {
            for row in tx.fetch_all::<ChildRow>(&select_children(table, ids)).await? {
                owners.push(row.id);
                children.insert((row.parent_id, row.kind, row.item_key), (row.id, row.create_time));
            }
            tx.execute(&delete_by(table, "parent_id", ids)).await?;
        }
        for owners in owners.chunks(BATCH) {
            let mut properties = delete_by("catalog_property", "owner_id", owners);
            // Ids are unique across kinds; with the kinds, the primary key is used.
            properties.and_where(Expr::col("kind").is_in(CatalogKind::ALL.map(CatalogKind::code)));
            tx.execute(&properties).await?;
        }
        tx.execute(&delete_by("catalog_item", "id", ids)).await?;
    }
    Ok(children)
}

fn select_children(table: &'static str, parents: &[i64]) -> SelectStatement {
    Query::select()
        .columns(["id", "kind", "parent_id", "item_key", "create_time"])
        .from(table)
        .and_where(Expr::col("parent_id").is_in(parents.iter().copied()))
        .take()
}

fn delete_by(table: &'static str, column: &'static str, ids: &[i64]) -> DeleteStatement {
    Query::delete().from_table(table).and_where(Expr::col(column).is_in(ids.iter().copied())).take()
}

/// Deletes how the last load of a source went, and when the source is due.
async fn delete_state(tx: &mut Transaction, source_id: &str) -> Result<()> {
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
