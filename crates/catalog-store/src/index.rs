//! The catalog's filterable values in memory, for lists that no index of a database serves well.
//!
//! A filter of several conditions, each of which many models satisfy, makes a database visit thousands of rows for a page of
//! ten; here each condition is one pass over a column and gives a bit for each row. What is held are the values that filters,
//! searches and orders look at, not the documents: about 1 KB a model with 25 values. The rows of the page are then read from
//! the database, together with the generation of its catalog.
//!
//! What it never does: answer for another generation than the database has at that moment, or for a property whose
//! values it does not hold completely. Then, and as long as there is no index, the database answers alone: the same, only
//! slower.

mod build;
mod column;
mod grams;
mod list;
mod options;
mod page;
mod rows;
mod texts;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use model_registry_filter::{Condition, Subject, Test};
use model_registry_store::{Result, StoreError};
use sea_query::{Expr, Func, Query};

use super::read::select_generation;
use super::{CatalogKind, CatalogStore};
use column::Column;
use grams::Signatures;
use rows::Rows;
use texts::Texts;

/// With more rows there is no index: it would take gigabytes.
const MOST_ROWS: i64 = 3_000_000;

/// Where the current index is, if there is one.
#[derive(Default)]
pub(crate) struct IndexSlot {
    made: RwLock<Option<Made>>,
    /// One is made at a time.
    making: tokio::sync::Mutex<()>,
}

/// What was made for a generation: no index where the catalog is too large or damaged.
struct Made {
    generation: i64,
    index: Option<Arc<Index>>,
}

impl IndexSlot {
    fn current(&self) -> Option<Arc<Index>> {
        self.made.read().unwrap_or_else(PoisonError::into_inner).as_ref()?.index.clone()
    }

    fn is_made_for(&self, generation: i64) -> bool {
        let made = self.made.read().unwrap_or_else(PoisonError::into_inner);
        made.as_ref().is_some_and(|made| made.generation == generation)
    }

    fn clear(&self) {
        *self.made.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn replace(&self, made: Made) {
        *self.made.write().unwrap_or_else(PoisonError::into_inner) = Some(made);
    }
}

impl CatalogStore {
    /// Makes the index of the catalog, unless that was done for what the catalog has now; tells which generation it is of.
    pub async fn refresh_index(&self) -> Result<i64> {
        let slot = &self.index;
        let _making = slot.making.lock().await;
        let generation = self.generation().await?;
        if slot.is_made_for(generation) {
            return Ok(generation);
        }
        // The one that is there is of no use any more, and both together are large.
        slot.clear();
        let started = Instant::now();
        match self.read_index().await {
            Ok(Some(index)) => {
                let (models, servers) = (index.models.table.ids.len(), index.servers.table.ids.len());
                let seconds = started.elapsed().as_secs_f64();
                tracing::info!(generation = index.generation, models, servers, seconds, "catalog indexed");
                let generation = index.generation;
                slot.replace(Made { generation, index: Some(Arc::new(index)) });
                Ok(generation)
            }
            Ok(None) => {
                slot.replace(Made { generation, index: None });
                Ok(generation)
            }
            // It is as damaged the next time.
            Err(error @ StoreError::Corrupt { .. }) => {
                slot.replace(Made { generation, index: None });
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn read_index(&self) -> Result<Option<Index>> {
        let mut snapshot = self.database()?.begin_long_snapshot().await?;
        let generation = snapshot.fetch_optional::<(i64,)>(&select_generation()).await?;
        let generation = generation.map_or(0, |(generation,)| generation);
        let mut rows = 0;
        for table in ["catalog_item", "catalog_artifact"] {
            let count = Query::select().expr(Func::count(Expr::cust("1"))).from(table).take();
            rows += snapshot.fetch_optional::<(i64,)>(&count).await?.map_or(0, |(count,)| count);
        }
        if rows > MOST_ROWS {
            tracing::warn!(
                rows,
                most = MOST_ROWS,
                "the catalog is too large for an index in memory; filters are slower"
            );
            return Ok(None);
        }
        let models = build::items(&mut snapshot, CatalogKind::Model).await?;
        let servers = build::items(&mut snapshot, CatalogKind::McpServer).await?;
        let artifacts = build::artifacts(&mut snapshot, &models.table).await?;
        Ok(Some(Index { generation, models, servers, artifacts }))
    }
}

/// What lists of one generation look at.
pub(crate) struct Index {
    generation: i64,
    models: Items,
    servers: Items,
    artifacts: Table,
}

/// Models or servers.
struct Items {
    table: Table,
    /// What names are ordered by.
    sort_names: Texts,
    /// All rows in the order of their names, those of one name by id; ascending and descending.
    by_name: [Vec<u32>; 2],
    search_texts: Texts,
    signatures: Signatures,
}

/// Rows in the order of their ids, with the values that filters look at.
#[derive(Default)]
struct Table {
    ids: Vec<i64>,
    /// The rows of the models, of artifacts.
    parents: Vec<u32>,
    columns: HashMap<&'static str, Column>,
    /// By name; first what is built in, then what is custom.
    properties: HashMap<String, [Column; 2]>,
}

impl Items {
    fn new(table: Table, sort_names: Texts, search_texts: Texts) -> Self {
        let name = |row: &u32| sort_names.get(*row);
        let mut ascending: Vec<u32> = (0_u32..).take(sort_names.len()).collect();
        let mut descending = ascending.clone();
        ascending.sort_by_key(name);
        descending.sort_by_key(|row| Reverse(name(row)));
        let signatures = Signatures::of(&search_texts);
        Self { table, by_name: [ascending, descending], sort_names, search_texts, signatures }
    }
}

impl Table {
    /// The row of an id.
    fn row(&self, id: i64) -> Option<u32> {
        self.ids.binary_search(&id).ok().and_then(|row| u32::try_from(row).ok())
    }

    /// The rows that satisfy a condition; `None` where a value is asked for that is not held.
    fn select(&self, condition: &Condition, related: Option<&Self>) -> Option<Rows> {
        let count = self.ids.len();
        let each = |members: &[Condition], first: Rows, join: fn(Rows, &Rows) -> Rows| {
            members.iter().try_fold(first, |rows, member| Some(join(rows, &self.select(member, related)?)))
        };
        Some(match condition {
            Condition::Any(members) => each(members, Rows::none(count), Rows::or)?,
            // An AND of nothing cannot be written.
            Condition::All(members) => each(members, Rows::all(count), Rows::and)?,
            Condition::Not(inner) => self.select(inner, related)?.others(),
            Condition::Holds { subject: Subject::Column { name, .. }, test } => {
                // A column has values of one type.
                let any = Test::Present(None);
                let test = if matches!(test, Test::Present(_)) { &any } else { test };
                self.passing(self.column(name), test)?
            }
            Condition::Holds { subject: Subject::Property { name, built_in_only }, test } => {
                self.passing(self.properties(name, *built_in_only), test)?
            }
            Condition::Related(inner) => {
                let mut rows = Rows::none(count);
                if let Some(related) = related {
                    for row in related.select(inner, None)?.iter() {
                        rows.add(related.parents.get(row as usize).copied()?);
                    }
                }
                rows
            }
        })
    }

    /// The rows with a value in one of the columns that passes; `None` where not all values are held.
    fn passing(&self, columns: &[Column], test: &Test) -> Option<Rows> {
        let mut rows = Rows::none(self.ids.len());
        for column in columns {
            column.is_complete().then(|| column.select(test, &mut rows))?;
        }
        Some(rows)
    }

    /// The values of a column of the database; none where no row has one.
    fn column(&self, name: &str) -> &[Column] {
        self.columns.get(name).map(std::slice::from_ref).unwrap_or_default()
    }

    /// The columns of a property.
    fn properties(&self, name: &str, built_in_only: bool) -> &[Column] {
        let columns: &[Column] = self.properties.get(name).map_or(&[], |columns| columns);
        if built_in_only { columns.get(..1).unwrap_or_default() } else { columns }
    }
}
