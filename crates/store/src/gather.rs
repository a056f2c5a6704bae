//! Reads of single entities that arrive together share a statement.
//!
//! While a statement is under way, further reads of the same table wait; the next statement answers all of them. Nobody
//! waits for company: a read that finds no statement under way starts one at once. A read is always answered by a
//! statement that began after it came, so it sees what was written before.
//!
//! What it never does: make a read fail or hang because of others. One that got no answer, or not soon, asks alone.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sea_query::{Expr, ExprTrait};
use tokio::sync::oneshot;

use crate::db::Database;
use crate::error::Result;
use crate::read::select_records;
use crate::record::{Record, RecordRow};

/// Entities of one statement at most.
const MOST: usize = 64;

/// How long a read waits for a shared statement before it asks alone.
const PATIENCE: Duration = Duration::from_millis(100);

/// The tables whose entities are read one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GatheredTable {
    Resource,
    Artifact,
}

impl GatheredTable {
    fn name(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Artifact => "artifact",
        }
    }
}

/// The reads that wait for a statement, by table.
#[derive(Default)]
pub(crate) struct Gather {
    resource: Mutex<Waiting>,
    artifact: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    reads: Vec<Read>,
    /// Whether a task runs statements until nobody waits.
    is_served: bool,
}

struct Read {
    id: i64,
    answer: oneshot::Sender<Option<Record>>,
}

impl Database {
    /// Reads the entity of an id, whatever its kind, together with those who ask at the same time.
    pub(crate) async fn read_gathered(&self, table: GatheredTable, id: i64) -> Result<Option<Record>> {
        let (answer, answered) = oneshot::channel();
        let must_serve = {
            let mut waiting = self.waiting(table).lock().unwrap_or_else(PoisonError::into_inner);
            waiting.reads.push(Read { id, answer });
            !std::mem::replace(&mut waiting.is_served, true)
        };
        if must_serve {
            // A task of its own: the request that began it may be given up.
            tokio::spawn(serve(self.clone(), table));
        }
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(found)) => Ok(found),
            // The shared statement failed or is slow; the reason, if it lasts, is found here as well.
            Ok(Err(_)) | Err(_) => Ok(self.read_together(table, &[id]).await?.remove(&id)),
        }
    }

    fn waiting(&self, table: GatheredTable) -> &Mutex<Waiting> {
        match table {
            GatheredTable::Resource => &self.gather.resource,
            GatheredTable::Artifact => &self.gather.artifact,
        }
    }

    async fn read_together(&self, table: GatheredTable, ids: &[i64]) -> Result<HashMap<i64, Record>> {
        let mut select = select_records(table.name());
        select.and_where(match ids {
            [id] => Expr::col("id").eq(*id),
            ids => Expr::col("id").is_in(padded(ids)),
        });
        let rows = self.fetch_all::<RecordRow>(&select).await?;
        rows.into_iter().map(|row| Ok((row.id, Record::try_from(row)?))).collect()
    }
}

/// Runs statements until nobody waits.
async fn serve(database: Database, table: GatheredTable) {
    loop {
        let reads = {
            let mut waiting = database.waiting(table).lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.reads.is_empty() {
                waiting.is_served = false;
                return;
            }
            let many = waiting.reads.len().min(MOST);
            waiting.reads.drain(..many).collect::<Vec<_>>()
        };
        let ids: Vec<i64> = reads.iter().map(|read| read.id).collect();
        // Those who wait learn of an error by being left without an answer.
        let Ok(records) = database.read_together(table, &ids).await else { continue };
        for read in reads {
            let _ = read.answer.send(records.get(&read.id).cloned());
        }
    }
}

/// The ids, the last one repeated up to the next power of two: few texts, so that statements stay prepared.
fn padded(ids: &[i64]) -> impl Iterator<Item = i64> {
    let last = ids.last().copied().unwrap_or_default();
    let length = ids.len().next_power_of_two();
    ids.iter().copied().chain(std::iter::repeat(last)).take(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_lengths_are_asked_for() {
        assert_eq!(padded(&[1, 2, 3]).collect::<Vec<_>>(), [1, 2, 3, 3]);
        assert_eq!(padded(&[1, 2]).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(padded(&[7; 33]).count(), 64);
    }
}
