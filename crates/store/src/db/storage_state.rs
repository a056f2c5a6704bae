//! Whether the database can store what it receives, as far as this process knows: for probes of readiness.
//!
//! A write that fails because of a full disk or a read-only server is remembered until a write succeeds. Where no client
//! writes any more, because the process is not ready, the probe of readiness writes (`probe.rs`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::StorageProblem;

#[derive(Default)]
pub(super) struct StorageState {
    /// Read without a lock after each write.
    has_problem: AtomicBool,
    problem: Mutex<Option<StorageProblem>>,
    /// One probe at a time.
    pub(super) probing: tokio::sync::Mutex<()>,
}

impl StorageState {
    /// Remembers why a write failed. A shortage of memory passes with the statement.
    pub(super) fn record(&self, problem: StorageProblem) {
        if problem != StorageProblem::OutOfMemory {
            self.set(Some(problem));
        }
    }

    /// A write has succeeded.
    pub(super) fn clear(&self) {
        if self.has_problem.load(Ordering::Relaxed) {
            self.set(None);
        }
    }

    pub(super) fn problem(&self) -> Option<StorageProblem> {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, problem: Option<StorageProblem>) {
        let before = std::mem::replace(&mut *self.problem.lock().unwrap_or_else(PoisonError::into_inner), problem);
        self.has_problem.store(problem.is_some(), Ordering::Relaxed);
        match problem {
            Some(problem) if before != Some(problem) => {
                tracing::error!(problem = %problem, "the database cannot store anything: writes get 503 until it can");
            }
            None if before.is_some() => tracing::info!("the database stores writes again"),
            _ => {}
        }
    }
}
