//! Coalesced reads: reads of single entities that arrive at the same time share a statement (request coalescing).
//!
//! While a statement runs, further reads of the same table queue up, and the next statement serves all of them. An
//! uncontended read is never delayed: with no statement running, it starts one at once. A read is only served by a
//! statement that started after the read arrived, so it sees everything that was committed before it.
//!
//! Gain on PostgreSQL: 1.8 times the reads by id with 16 connections; none and no loss with one (docs/performance.md).
//!
//! Other reads cannot make a read fail, and delay it by 100 ms at most: when the shared statement fails or is slow, each
//! read sends its own.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::db::Database;
use crate::error::Result;
use crate::read::RecordTable;
use crate::record::PartialRow;

/// Entities that one statement reads at most.
const MAX_BATCH: usize = 64;

/// How long a read waits for a shared statement before it sends its own.
const PATIENCE: Duration = Duration::from_millis(100);

/// Reads the entities of some ids in one statement: the database, and what stands in for it in tests.
pub(crate) trait FetchRecords: Clone + Send + Sync + 'static {
    fn fetch_records(
        &self,
        table: RecordTable,
        ids: &[i64],
    ) -> impl Future<Output = Result<HashMap<i64, PartialRow>>> + Send;
}

impl FetchRecords for Database {
    async fn fetch_records(&self, table: RecordTable, ids: &[i64]) -> Result<HashMap<i64, PartialRow>> {
        self.find_records(table, ids).await
    }
}

/// The queued reads of each table.
#[derive(Clone, Default)]
pub(crate) struct CoalescedReads {
    resources: Queue,
    artifacts: Queue,
}

impl CoalescedReads {
    /// Reads the entity with this id, whatever its kind, without a large document, together with reads that arrive at the same time.
    pub(crate) async fn read(
        &self,
        database: &impl FetchRecords,
        table: RecordTable,
        id: i64,
    ) -> Result<Option<PartialRow>> {
        let queue = match table {
            RecordTable::Resource => &self.resources,
            RecordTable::Artifact => &self.artifacts,
        };
        let (record, shared) = oneshot::channel();
        if queue.push(Read { id, record }) {
            // A task of its own, because the request that starts it may be cancelled.
            tokio::spawn(run_statements(database.clone(), table, queue.clone()));
        }
        match tokio::time::timeout(PATIENCE, shared).await {
            Ok(Ok(record)) => Ok(record),
            // The shared statement failed or is slow. If the cause persists, this statement reports it.
            Ok(Err(_)) | Err(_) => Ok(database.fetch_records(table, &[id]).await?.remove(&id)),
        }
    }
}

#[derive(Clone, Default)]
struct Queue(Arc<Mutex<Queued>>);

#[derive(Default)]
struct Queued {
    reads: Vec<Read>,
    /// Whether a task is running statements until the queue is empty.
    is_served: bool,
}

struct Read {
    id: i64,
    record: oneshot::Sender<Option<PartialRow>>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Queued> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a read; true if the caller must start the task that serves the queue.
    fn push(&self, read: Read) -> bool {
        let mut queued = self.lock();
        queued.reads.push(read);
        !std::mem::replace(&mut queued.is_served, true)
    }

    /// Takes the reads of the next statement. Without any, the queue stops being served.
    fn next_batch(&self) -> Option<Vec<Read>> {
        let mut queued = self.lock();
        if queued.reads.is_empty() {
            queued.is_served = false;
            return None;
        }
        let count = queued.reads.len().min(MAX_BATCH);
        Some(queued.reads.drain(..count).collect())
    }
}

/// Runs statements until the queue is empty.
async fn run_statements(database: impl FetchRecords, table: RecordTable, queue: Queue) {
    let abandoned = AbandonedQueue(&queue);
    while let Some(reads) = queue.next_batch() {
        let ids: Vec<i64> = reads.iter().map(|read| read.id).collect();
        // After an error the reads are dropped, which makes each of them send its own statement.
        let Ok(records) = database.fetch_records(table, &ids).await else { continue };
        for read in reads {
            let _ = read.record.send(records.get(&read.id).cloned());
        }
    }
    std::mem::forget(abandoned);
}

/// Makes a queue usable again whose task ended early, by a panic.
struct AbandonedQueue<'a>(&'a Queue);

impl Drop for AbandonedQueue<'_> {
    fn drop(&mut self) {
        let mut queued = self.0.lock();
        queued.is_served = false;
        queued.reads.clear();
    }
}

#[cfg(test)]
mod tests;
