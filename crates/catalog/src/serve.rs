//! The catalog's part in a running server: the first load, reloads, readiness, metrics.

use std::convert::Infallible;
use std::time::Duration;

use model_registry_server::health::Outcome;
use model_registry_store::StoreError;

use crate::Catalog;
use crate::watch::Watch;

const FIRST_RETRY: Duration = Duration::from_millis(200);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

impl Catalog {
    /// Loads, and loads again whenever a file changes; runs until the process ends.
    pub async fn run(self) -> Infallible {
        let mut watch = Watch::new(self.settings());
        loop {
            let seen = self.load_until_done().await;
            watch.changed(&self, &seen).await;
        }
    }

    async fn load_until_done(&self) -> Vec<u8> {
        let mut pause = FIRST_RETRY;
        loop {
            match self.load().await {
                Ok(summary) => return summary.fingerprint,
                // The database is still being connected to; that is logged elsewhere.
                Err(StoreError::Unavailable(_)) if !self.is_loaded() => {}
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "catalog not loaded; trying again");
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_RETRY);
        }
    }

    /// The readiness check.
    #[expect(clippy::unused_async, reason = "the form that checks have")]
    pub async fn check(self) -> Outcome {
        if self.is_loaded() {
            return Outcome::pass("catalog is loaded").with("sources", self.configuration().sources.len());
        }
        Outcome::fail("catalog not loaded yet")
    }
}
