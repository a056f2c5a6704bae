//! The memory that requests may use together, as shares that end when they are dropped.
//!
//! It consists of pools, so that none of them can starve the others: request bodies that are received, the work on
//! requests and large documents, and responses that the clients have not read yet. A share is an estimate; it is counted
//! in kibibytes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit of a share.
const UNIT: usize = 1024;

/// The pools of one process; clones share them.
#[derive(Clone, Debug)]
pub struct MemoryBudget {
    /// Received parts of request bodies.
    pub bodies: MemoryPool,
    /// What is derived from a large body or document while a request runs.
    pub work: MemoryPool,
    /// Large stored documents that are updated. A request may wait for them while it has its share of work, and never the other
    /// way round.
    pub updates: MemoryPool,
    /// The same of small bodies, which do not queue with large ones.
    pub small_work: MemoryPool,
    /// Responses until they are sent.
    pub responses: MemoryPool,
}

impl MemoryBudget {
    /// Divides a number of bytes: a quarter for bodies, a half for work, of which a quarter is for small bodies and an eighth for
    /// updates, and a quarter for responses.
    pub fn new(bytes: usize) -> Self {
        Self {
            bodies: MemoryPool::new(bytes / 4),
            work: MemoryPool::new(bytes / 16 * 5),
            updates: MemoryPool::new(bytes / 16),
            small_work: MemoryPool::new(bytes / 8),
            responses: MemoryPool::new(bytes / 4),
        }
    }
}

impl Default for MemoryBudget {
    /// 256 MiB.
    fn default() -> Self {
        Self::new(256 << 20)
    }
}

/// A number of bytes that shares are taken from.
#[derive(Clone, Debug)]
pub struct MemoryPool {
    free: Arc<Semaphore>,
    units: u32,
}

/// A part of a pool, returned when it is dropped.
#[derive(Debug)]
#[must_use = "a share ends when it is dropped"]
pub struct MemoryShare(OwnedSemaphorePermit);

impl MemoryPool {
    pub fn new(bytes: usize) -> Self {
        let units = units(bytes).max(1);
        Self { free: Arc::new(Semaphore::new(units as usize)), units }
    }

    /// The size of the pool, in bytes.
    pub fn size(&self) -> usize {
        self.units as usize * UNIT
    }

    /// The sum of all shares, in bytes.
    pub fn used(&self) -> usize {
        self.size().saturating_sub(self.free.available_permits() * UNIT)
    }

    /// Takes a share, if so much is free.
    pub fn try_take(&self, bytes: usize) -> Option<MemoryShare> {
        Arc::clone(&self.free).try_acquire_many_owned(units(bytes)).ok().map(MemoryShare)
    }

    /// Takes a share if `reserve` bytes stay free for others. The reserve is exceeded if others take shares meanwhile.
    pub fn try_take_beyond(&self, bytes: usize, reserve: usize) -> Option<MemoryShare> {
        let needed = (units(bytes) as usize).saturating_add(units(reserve) as usize);
        (needed <= self.free.available_permits()).then(|| self.try_take(bytes)).flatten()
    }

    /// Waits for a share, first come, first served. More than the pool holds is reduced to the whole pool.
    pub async fn take(&self, bytes: usize) -> MemoryShare {
        let units = units(bytes).min(self.units);
        match Arc::clone(&self.free).acquire_many_owned(units).await {
            Ok(permit) => MemoryShare(permit),
            // The semaphore is never closed.
            Err(_) => std::future::pending().await,
        }
    }

    /// As [`Self::take`], without waiting.
    pub fn try_take_at_most(&self, bytes: usize) -> Option<MemoryShare> {
        self.try_take(bytes.min(self.size()))
    }
}

impl MemoryShare {
    /// Adds another share of the same pool to this one.
    pub fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    /// The size of the share, in bytes.
    pub fn bytes(&self) -> usize {
        self.0.num_permits() * UNIT
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_returned_when_it_is_dropped() {
        let pool = MemoryPool::new(10 * UNIT);
        let first = pool.try_take(6 * UNIT).unwrap();
        assert_eq!(pool.used(), 6 * UNIT);
        assert!(pool.try_take(5 * UNIT).is_none());
        let mut second = pool.try_take(1).unwrap();
        assert_eq!(second.bytes(), UNIT);
        second.merge(pool.try_take(UNIT).unwrap());
        assert_eq!(second.bytes(), 2 * UNIT);
        drop(first);
        assert_eq!(pool.used(), 2 * UNIT);
        drop(second);
        assert_eq!(pool.used(), 0);
    }

    #[test]
    fn a_reserve_stays_free() {
        let pool = MemoryPool::new(10 * UNIT);
        assert!(pool.try_take_beyond(8 * UNIT, 3 * UNIT).is_none());
        let _share = pool.try_take_beyond(7 * UNIT, 3 * UNIT).unwrap();
        assert!(pool.try_take_beyond(UNIT, 3 * UNIT).is_none());
        assert!(pool.try_take(3 * UNIT).is_some());
    }

    #[tokio::test]
    async fn more_than_the_pool_holds_waits_for_the_whole_pool() {
        let pool = MemoryPool::new(10 * UNIT);
        let share = pool.try_take(UNIT).unwrap();
        let mut waiting = Box::pin(pool.take(usize::MAX));
        assert!(futures_are_pending(&mut waiting).await);
        assert!(pool.try_take_at_most(usize::MAX).is_none());
        drop(share);
        assert_eq!(waiting.await.bytes(), pool.size());
    }

    async fn futures_are_pending(future: &mut (impl Future + Unpin)) -> bool {
        tokio::select! {
            biased;
            _ = future => false,
            () = std::future::ready(()) => true,
        }
    }
}
