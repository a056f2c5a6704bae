//! The background tasks of a running catalog: the lease, loads and reloads, sync with hubs, the index; and the
//! readiness check.
//!
//! If several replicas share a database, the one that holds the lease loads; every replica reads the configuration and serves
//! requests.

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::time::Duration;

use model_registry_catalog_sources::{Source, data_files, remote};
use model_registry_server::health::Outcome;
use model_registry_store::StoreError;
use tokio::sync::watch::{Receiver, Sender, channel};

use crate::Catalog;
use crate::catalog::LEASE;
use crate::watch::Watch;

const INITIAL_BACK_OFF: Duration = Duration::from_millis(200);
const MAX_BACK_OFF: Duration = Duration::from_secs(30);
const RENEWAL: Duration = Duration::from_secs(3);

// A renewal may fail once, and a replica that dies is replaced within 15 seconds.
const _: () = assert!(RENEWAL.as_secs() * 2 < LEASE.as_secs() && RENEWAL.as_secs() + LEASE.as_secs() < 15);

impl Catalog {
    /// Loads the catalog, and again whenever a file changes. Runs until the process ends.
    pub async fn run(self) -> Infallible {
        let (leads, leading) = channel(None);
        let syncing = leading.clone();
        // Boxed, because large futures are expensive to move.
        let loading = Box::pin(self.keep_loaded(leading));
        let indexing = Box::pin(self.keep_indexed());
        let (never, ..) = tokio::join!(self.keep_lease(leads), loading, self.keep_synced(&syncing), indexing);
        never
    }

    /// Releases the lease, so that another replica takes over at once.
    pub async fn stop(&self) {
        if self.is_shared().unwrap_or(false)
            && let Err(error) = self.store.inner().release(&self.lease).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "catalog lease not released; it expires");
        }
    }

    /// Acquires and renews the lease, and sends whether this replica holds it; nothing before the database is connected.
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
            let mut pause = INITIAL_BACK_OFF;
            let loaded = loop {
                match self.load_as(leads).await {
                    Ok(seen) => break Some(seen),
                    Err(error) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "catalog not loaded; retrying");
                    }
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(MAX_BACK_OFF);
                if leading.has_changed().unwrap_or(false) {
                    break None;
                }
            };
            let Some(seen) = loaded else { continue };
            let data = data_files(&self.configuration());
            tokio::select! {
                () = watch.changed(self.settings(), &data, &seen) => {}
                _ = leading.changed() => {}
                // A replica that does not load is ready only after the first load of the one that does.
                () = tokio::time::sleep(RENEWAL), if !self.is_loaded() => {}
            }
        }
    }

    /// Indexes each load of this or another replica, and computes the filter options.
    async fn keep_indexed(&self) -> Infallible {
        loop {
            match self.is_shared() {
                // No other process loads.
                Ok(false) => self.changed.notified().await,
                _ => {
                    let _ = tokio::time::timeout(RENEWAL, self.changed.notified()).await;
                }
            }
            if self.is_loaded() {
                self.filter_options.refresh(&self.store).await;
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
            // Another replica holds the lease now; `keep_lease` will notice.
            None => self.load_configuration().await,
        }
    }

    /// The readiness check.
    pub async fn check(self) -> Outcome {
        if !self.is_loaded() {
            return Outcome::fail("catalog not loaded yet");
        }
        match self.serves().await {
            // A mistake in a sources file does not take the last good configuration out of service; it is shown here.
            Ok(true) => Outcome::pass("catalog is loaded")
                .with("sources", self.configuration().sources.len())
                .with("configuration_problems", self.configuration_problems.load(Ordering::Acquire)),
            Ok(false) => Outcome::fail("no hub or repository has been read yet, and there are no other sources"),
            Err(_) => Outcome::fail("the database is not available"),
        }
    }

    /// Whether there are items to serve, or nothing to wait for. A catalog whose only sources are read over the network waits until one of
    /// them has been read, or all have failed: then `/sources` has to be reachable, because it shows the errors.
    async fn serves(&self) -> Result<bool, StoreError> {
        if self.is_ready.load(Ordering::Acquire) {
            return Ok(true);
        }
        let configuration = self.configuration();
        let (remotes, others): (Vec<_>, Vec<_>) = configuration
            .sources
            .values()
            .filter(|source| source.enabled)
            .partition(|source| remote::is_remote(source));
        let serves = remotes.is_empty() || !others.is_empty() || {
            let states = self.store.list_source_states().await?;
            let of = |source: &&Source| {
                states.iter().find(|state| state.source_id == source.id && state.status != "disabled")
            };
            let found: Vec<_> = remotes.iter().filter_map(of).collect();
            found.len() == remotes.len() || found.iter().any(|state| state.item_count > 0)
        };
        self.is_ready.store(serves, Ordering::Release);
        Ok(serves)
    }
}
