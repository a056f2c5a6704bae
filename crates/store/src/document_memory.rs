//! The memory of stored documents that a transaction reads.
//!
//! A transaction does not wait for memory, because others wait for its locks meanwhile, or for the only writer of SQLite. It
//! reads documents up to a limit instead; if one is larger, it is rolled back, and runs again with a share of the memory budget.

use model_registry_base::{MemoryPool, MemoryShare};

use crate::error::StoreError;

/// Documents up to this size, in bytes, are read without a share: the number of connections limits how many.
const UNCOUNTED: usize = 256 * 1024;

/// Bytes of memory for each byte of a document that is updated: the row, the parsed document before and after, its properties,
/// the statement, the response.
const FACTOR: usize = 8;

/// What a unit of work has for the documents that it reads.
#[derive(Default)]
pub(crate) struct DocumentMemory {
    /// The size of the documents that it lacked memory for when it last ran, or has a share for.
    bytes: usize,
    share: Option<MemoryShare>,
}

impl DocumentMemory {
    /// The limit for the next run.
    pub(crate) fn limit(&self) -> DocumentLimit {
        let bytes = if self.share.is_some() { self.bytes } else { 0 };
        DocumentLimit { bytes: bytes.max(UNCOUNTED), lacking: 0 }
    }

    /// Waits for the memory that a run lacked.
    pub(crate) async fn provide(&mut self, lacking: usize, pool: &MemoryPool) {
        // Two requests that keep a share while they wait for a larger one would wait for each other.
        self.share = None;
        self.share = Some(pool.take(lacking.saturating_mul(FACTOR)).await);
        self.bytes = lacking;
    }
}

/// The size of the documents that a transaction may read.
#[derive(Clone, Copy)]
pub(crate) struct DocumentLimit {
    bytes: usize,
    /// The size of those that it was not allowed to read, in bytes.
    lacking: usize,
}

impl Default for DocumentLimit {
    fn default() -> Self {
        DocumentMemory::default().limit()
    }
}

impl DocumentLimit {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn lacking(&self) -> usize {
        self.lacking
    }

    /// Notes documents that are larger than the limit. The error ends the run; the next one has the memory.
    pub(crate) fn exceeded(&mut self, bytes: usize) -> StoreError {
        self.lacking = self.lacking.max(bytes);
        StoreError::Retry(sqlx::Error::RowNotFound)
    }
}

#[cfg(test)]
mod tests {
    use model_registry_base::MemoryBudget;

    use super::*;

    #[tokio::test]
    async fn the_next_run_has_the_memory_that_the_previous_one_lacked() {
        let pool = MemoryBudget::default().updates;
        let mut memory = DocumentMemory::default();
        let mut limit = memory.limit();
        assert_eq!((limit.bytes(), limit.lacking()), (UNCOUNTED, 0));
        limit.exceeded(300_000);
        limit.exceeded(290_000);
        memory.provide(limit.lacking(), &pool).await;
        assert_eq!(memory.limit().bytes(), 300_000);
        assert!((300_000 * FACTOR..300_000 * FACTOR + 2048).contains(&pool.used()));
        // It has grown meanwhile, beyond the pool.
        memory.provide(pool.size(), &pool).await;
        assert_eq!((memory.limit().bytes(), pool.used()), (pool.size(), pool.size()));
        drop(memory);
        assert_eq!(pool.used(), 0);
    }
}
