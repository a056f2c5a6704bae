//! How many parts of a file are in flight at the same time: fewer, the more files are copied.
//!
//! What is in flight when the process is killed moves again. With many files one part of each keeps the connections busy; with a
//! single file several parts have to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Parts in flight of a single file, and the least of all files together that is aimed at.
const PARTS_AT_ONCE: usize = 8;

/// The files that are being copied. Clones share the count.
#[derive(Clone, Debug, Default)]
pub(super) struct Parallelism(Arc<AtomicUsize>);

/// A file counts until this is dropped.
pub(super) struct InProgress(Arc<AtomicUsize>);

impl Parallelism {
    pub(super) fn begin_file(&self) -> InProgress {
        self.0.fetch_add(1, Ordering::Relaxed);
        InProgress(Arc::clone(&self.0))
    }

    /// Parts of one file that may be in flight now.
    pub(super) fn parts_at_once(&self) -> usize {
        PARTS_AT_ONCE.div_ceil(self.0.load(Ordering::Relaxed).max(1))
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_file_has_several_parts_in_flight_and_each_of_many_files_has_one() {
        let parallelism = Parallelism::default();
        let first = parallelism.begin_file();
        assert_eq!(parallelism.parts_at_once(), PARTS_AT_ONCE);
        let others: Vec<InProgress> = (0..7).map(|_| parallelism.begin_file()).collect();
        assert_eq!(parallelism.parts_at_once(), 1);
        drop(first);
        assert_eq!(parallelism.parts_at_once(), 2);
        drop(others);
        assert_eq!(parallelism.parts_at_once(), PARTS_AT_ONCE);
    }
}
