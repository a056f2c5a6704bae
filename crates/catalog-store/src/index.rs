//! The catalog's filterable values in memory, for lists that no index of a database serves well.
//!
//! A filter of several conditions, each of which many models satisfy, makes a database visit thousands of rows for a page of
//! ten; here each condition is one pass over a column and yields a set of rows. It holds the values that filters, searches
//! and orders compare, not the documents: about 1 KB for a model with 25 values. The rows of the page are then read from the
//! database, together with the current generation of the catalog.
//!
//! It never serves another generation than the database has at that moment, nor a property whose values it does not hold
//! completely. In these cases, and until an index is built, the list is read from the database alone: the same result, only
//! slower.
//!
//! Gain with 30,000 models over the database with its indexes alone: 3 ms instead of 15 ms on SQLite, which has a prefilter
//! (`prefilter.rs`), for a filter with three conditions; without a prefilter, 1 to 4 ms instead of 100 to 580 ms
//! (docs/performance.md).

mod builder;
mod column;
mod filter_options;
mod list;
mod page;
mod strings;
mod table;
mod trigrams;

#[cfg(test)]
pub(crate) use list::select_rows;

use std::cmp::Reverse;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use model_registry_api::catalog::AssetType;
use model_registry_store::{Result, StoreError};
use sea_query::{Expr, Func, Query};

use crate::read::select_generation;
use crate::{CatalogKind, CatalogStore};
use strings::Strings;
use table::Table;
use trigrams::TrigramIndex;

/// With more rows no index is built: it would take gigabytes.
const MAX_ROWS: i64 = 3_000_000;

/// The current index, if there is one, and how often it was used.
#[derive(Default)]
pub(crate) struct IndexSlot {
    built: RwLock<Option<Built>>,
    /// One index is built at a time.
    building: tokio::sync::Mutex<()>,
    lists_with_index: AtomicU64,
    lists_without_index: AtomicU64,
}

/// The result of building an index for a generation: nothing where the catalog is too large or damaged.
struct Built {
    generation: i64,
    index: Option<Arc<Index>>,
}

/// How many lists were read with the index in memory, and how many by the database alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListCounts {
    pub with_index: u64,
    pub without_index: u64,
}

impl IndexSlot {
    fn current(&self) -> Option<Arc<Index>> {
        self.built.read().unwrap_or_else(PoisonError::into_inner).as_ref()?.index.clone()
    }

    fn is_built_for(&self, generation: i64) -> bool {
        let built = self.built.read().unwrap_or_else(PoisonError::into_inner);
        built.as_ref().is_some_and(|built| built.generation == generation)
    }

    fn replace(&self, built: Option<Built>) {
        *self.built.write().unwrap_or_else(PoisonError::into_inner) = built;
    }

    pub(crate) fn count_list(&self, with_index: bool) {
        let counter = if with_index { &self.lists_with_index } else { &self.lists_without_index };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl CatalogStore {
    /// Builds the index for the current generation of the catalog, unless that was done before; returns the generation.
    pub async fn refresh_index(&self) -> Result<i64> {
        let slot = &self.index;
        let _building = slot.building.lock().await;
        let generation = self.generation().await?;
        if slot.is_built_for(generation) {
            return Ok(generation);
        }
        // The previous index is useless now, and both together are large.
        slot.replace(None);
        let started = Instant::now();
        let built = match self.build_index().await {
            Ok(Some(index)) => {
                let rows: usize = index.items.iter().map(|(_, items)| items.table.len()).sum();
                let seconds = started.elapsed().as_secs_f64();
                tracing::info!(generation = index.generation, items = rows, seconds, "catalog indexed");
                Built { generation: index.generation, index: Some(Arc::new(index)) }
            }
            Ok(None) => Built { generation, index: None },
            // Another attempt would find the same row.
            Err(error @ StoreError::Corrupt { .. }) => {
                slot.replace(Some(Built { generation, index: None }));
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        let generation = built.generation;
        slot.replace(Some(built));
        Ok(generation)
    }

    /// The lists read so far, for tests that compare both ways.
    pub fn list_counts(&self) -> ListCounts {
        ListCounts {
            with_index: self.index.lists_with_index.load(Ordering::Relaxed),
            without_index: self.index.lists_without_index.load(Ordering::Relaxed),
        }
    }

    /// `None` where the catalog is too large.
    async fn build_index(&self) -> Result<Option<Index>> {
        let mut snapshot = self.database()?.begin_long_snapshot().await?;
        let generation = snapshot.fetch_optional::<(i64,)>(&select_generation()).await?;
        let generation = generation.map_or(0, |(generation,)| generation);
        let mut rows = 0;
        for table in ["catalog_item", "catalog_artifact"] {
            let count = Query::select().expr(Func::count(Expr::cust("1"))).from(table).take();
            rows += snapshot.fetch_optional::<(i64,)>(&count).await?.map_or(0, |(count,)| count);
        }
        if rows > MAX_ROWS {
            tracing::warn!(rows, max = MAX_ROWS, "catalog too large for an index in memory: filters are slower");
            return Ok(None);
        }
        let mut items = Vec::new();
        for asset_type in AssetType::ALL {
            let kind = asset_type.spec().item;
            items.push((kind, builder::items(&mut snapshot, kind).await?));
        }
        Ok(Some(Index { generation, items }))
    }
}

/// The index of one generation.
pub(crate) struct Index {
    generation: i64,
    /// The items of each asset type.
    items: Vec<(CatalogKind, Items)>,
}

/// The items of one asset type.
struct Items {
    table: Table,
    /// Their artifacts; empty where filters on these items do not reach any.
    artifacts: Table,
    sort_names: Strings,
    /// All rows in the order of their names, equal names by id; ascending and descending.
    by_name: [Vec<u32>; 2],
    search_strings: Strings,
    trigrams: TrigramIndex,
}

impl Index {
    fn items(&self, kind: CatalogKind) -> Option<&Items> {
        self.items.iter().find(|(known, _)| *known == kind).map(|(_, items)| items)
    }
}

impl Items {
    fn new(table: Table, artifacts: Table, sort_names: Strings, search_strings: Strings) -> Self {
        let name = |row: &u32| sort_names.get(*row);
        let mut ascending: Vec<u32> = (0_u32..).take(sort_names.len()).collect();
        let mut descending = ascending.clone();
        ascending.sort_by_key(name);
        descending.sort_by_key(|row| Reverse(name(row)));
        let trigrams = TrigramIndex::new(&search_strings);
        Self { table, artifacts, by_name: [ascending, descending], sort_names, search_strings, trigrams }
    }
}
