//! Probes the database in the background, so that the metric `database_ready` is true also when no request uses it, and
//! the log has the times at which it became unreachable and reachable.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model_registry_base::{ConnectionProblem, error_chain};
use model_registry_store::{Store, StoreError};

/// The pause between two probes.
const INTERVAL: Duration = Duration::from_secs(5);
/// The time limit of a probe; also that of a health check.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Whether the database responded to the last probe and stores writes; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct DatabaseProbe(Arc<AtomicBool>);

impl DatabaseProbe {
    pub(super) fn is_ready(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Probes until the process ends.
    pub(super) async fn run(self, store: Store) -> Infallible {
        store.connected().await;
        self.0.store(true, Ordering::Relaxed);
        loop {
            tokio::time::sleep(INTERVAL).await;
            self.record(probe(&store).await);
        }
    }

    /// Stores the result of a probe, and logs a change.
    fn record(&self, result: Result<(), Unreachable>) {
        let was_ready = self.0.swap(result.is_ok(), Ordering::Relaxed);
        match result {
            Ok(()) if !was_ready => tracing::info!("database reachable again"),
            // Logged by the store, which finds it first.
            Err(Unreachable { is_storage: true, .. }) => {}
            Err(Unreachable { error, remedy, .. }) if was_ready => {
                tracing::warn!(error, remedy, "database not reachable: requests get 503 until it is");
            }
            _ => {}
        }
    }
}

struct Unreachable {
    /// The database responds, but stores nothing.
    is_storage: bool,
    error: String,
    remedy: Option<&'static str>,
}

async fn probe(store: &Store) -> Result<(), Unreachable> {
    match tokio::time::timeout(TIMEOUT, store.probe()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            let remedy = ConnectionProblem::of(&error).map(ConnectionProblem::remedy);
            let is_storage = matches!(error, StoreError::Storage { .. });
            Err(Unreachable { is_storage, error: error_chain(&error), remedy })
        }
        Err(_) => {
            let error = format!("no response within {} s", TIMEOUT.as_secs());
            Err(Unreachable { is_storage: false, error, remedy: Some(ConnectionProblem::NoResponse.remedy()) })
        }
    }
}

#[cfg(test)]
mod tests {
    use model_registry_base::Clock;
    use model_registry_store::{DatabaseUrl, PoolOptions};

    use super::*;

    #[tokio::test]
    async fn a_closed_database_is_not_ready_and_an_open_one_is() {
        let database = DatabaseUrl::Sqlite { path: None };
        let store = Store::connect(&database, PoolOptions::default(), Clock::system()).await.unwrap();
        let ready = DatabaseProbe::default();
        assert!(!ready.is_ready());
        ready.record(probe(&store).await);
        assert!(ready.is_ready());
        store.database().unwrap().close().await;
        ready.record(probe(&store).await);
        assert!(!ready.is_ready());
    }
}
