//! The catalog's part in a running server: who loads, the first load, reloads, readiness.
//!
//! Where several replicas share a database, the one that holds the lease loads; every replica reads the configuration and
//! serves.

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::time::Duration;

use model_registry_server::health::Outcome;
use model_registry_store::StoreError;
use tokio::sync::watch::{Receiver, Sender, channel};

use crate::Catalog;
use crate::catalog::LEASE;
use crate::routes::prepare_options;
use crate::watch::Watch;
use model_registry_catalog_sources::Source;
use model_registry_catalog_sources::hub;

const FIRST_RETRY: Duration = Duration::from_millis(200);
const LONGEST_RETRY: Duration = Duration::from_secs(30);
const RENEWAL: Duration = Duration::from_secs(3);

// Renewed in time, and a replica that dies is replaced within 15 seconds.
const _: () = assert!(RENEWAL.as_secs() * 2 < LEASE.as_secs() && RENEWAL.as_secs() + LEASE.as_secs() < 15);

impl Catalog {
    /// Loads, and loads again whenever a file changes; runs until the process ends.
    pub async fn run(self) -> Infallible {
        let (leads, leading) = channel(None);
        let syncing = leading.clone();
        // Large ones are moved often otherwise.
        let loading = Box::pin(self.keep_loaded(leading));
        let indexing = Box::pin(self.keep_indexed());
        let (never, ..) = tokio::join!(self.keep_lease(leads), loading, self.keep_synced(&syncing), indexing);
        never
    }

    /// Lets another replica take over at once.
    pub async fn stop(&self) {
        if self.is_shared().unwrap_or(false)
            && let Err(error) = self.store.inner().release(&self.lease).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "the lease of the catalog runs out by itself");
        }
    }

    /// Says whether this replica is the one that loads; nothing before the database is there.
    async fn keep_lease(&self, leads: Sender<Option<bool>>) -> Infallible {
        self.store.inner().connected().await;
        if matches!(self.is_shared(), Ok(false)) {
            leads.send_replace(Some(true));
            return std::future::pending().await;
        }
        loop {
            // A replica that cannot reach the database cannot write to it either.
            let held = self.store.inner().acquire(&self.lease).await.unwrap_or(false);
            leads.send_if_modified(|leads| {
                let is_new = *leads != Some(held);
                if is_new {
                    tracing::info!(leads = held, "catalog lease");
                    *leads = Some(held);
                }
                is_new
            });
            tokio::time::sleep(RENEWAL).await;
        }
    }

    async fn keep_loaded(&self, mut leading: Receiver<Option<bool>>) -> Infallible {
        let mut watch = Watch::new(self.settings());
        loop {
            let known = *leading.borrow_and_update();
            let Some(leads) = known else {
                let _ = leading.changed().await;
                continue;
            };
            let mut pause = FIRST_RETRY;
            let loaded = loop {
                match self.load_as(leads).await {
                    Ok(seen) => break Some(seen),
                    Err(error) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "catalog not loaded; trying again");
                    }
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_RETRY);
                if leading.has_changed().unwrap_or(false) {
                    break None;
                }
            };
            let Some(seen) = loaded else { continue };
            tokio::select! {
                () = watch.changed(self, &seen) => {}
                _ = leading.changed() => {}
                // Until the replica that loads has done so once, this one is not ready.
                () = tokio::time::sleep(RENEWAL), if !self.is_loaded() => {}
            }
        }
    }

    /// Indexes what was loaded here or by another replica, and makes what can be filtered by.
    async fn keep_indexed(&self) -> Infallible {
        loop {
            match self.is_shared() {
                // Nobody else loads.
                Ok(false) => self.changed.notified().await,
                _ => {
                    let _ = tokio::time::timeout(RENEWAL, self.changed.notified()).await;
                }
            }
            if self.is_loaded() {
                prepare_options(self).await;
            }
        }
    }

    async fn load_as(&self, leads: bool) -> Result<Vec<u8>, StoreError> {
        if !leads {
            return self.load_configuration().await;
        }
        let lease = self.is_shared()?.then(|| (*self.lease).clone());
        match self.load_holding(lease).await? {
            Some(summary) => Ok(summary.fingerprint),
            // Another replica leads now, which this one is about to learn.
            None => self.load_configuration().await,
        }
    }

    /// The readiness check.
    pub async fn check(self) -> Outcome {
        if !self.is_loaded() {
            return Outcome::fail("catalog not loaded yet");
        }
        match self.serves().await {
            Ok(true) => Outcome::pass("catalog is loaded").with("sources", self.configuration().sources.len()),
            Ok(false) => Outcome::fail("no hub was read yet, and there are no other sources"),
            Err(_) => Outcome::fail("what the catalog has is not known: the database is not available"),
        }
    }

    /// Whether there is something to serve, or nothing to wait for. Hubs are waited for where there is nothing else, until
    /// one of them has been read or all of them have failed: their sources tell why.
    async fn serves(&self) -> Result<bool, StoreError> {
        if self.is_ready.load(Ordering::Acquire) {
            return Ok(true);
        }
        let configuration = self.configuration();
        let (hubs, others): (Vec<_>, Vec<_>) =
            configuration.sources.values().filter(|source| source.enabled).partition(|source| hub::is_read(source));
        let serves = hubs.is_empty() || !others.is_empty() || {
            let states = self.store.list_source_states().await?;
            let of = |source: &&Source| {
                states.iter().find(|state| state.source_id == source.id && state.status != "disabled")
            };
            let found: Vec<_> = hubs.iter().filter_map(of).collect();
            found.len() == hubs.len() || found.iter().any(|state| state.item_count > 0)
        };
        self.is_ready.store(serves, Ordering::Release);
        Ok(serves)
    }
}
