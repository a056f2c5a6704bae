//! The catalog's part in a running server: who loads, the first load, reloads, readiness.
//!
//! Where several replicas share a database, the one that holds the lease loads; every replica reads the configuration and
//! serves.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use model_registry_server::health::Outcome;
use model_registry_store::StoreError;
use tokio::sync::watch::{Receiver, Sender, channel};

use crate::Catalog;
use crate::configuration::Source;
use crate::hub;
use crate::loader::is_hub;
use crate::routes::prepare_options;
use crate::watch::Watch;

const FIRST_RETRY: Duration = Duration::from_millis(200);
const LONGEST_RETRY: Duration = Duration::from_secs(30);
const RENEWAL: Duration = Duration::from_secs(3);
/// How often hub sources are looked at, whether one is due.
const LOOK: Duration = Duration::from_secs(1);
const CLAIM: Duration = Duration::from_millis(200);

/// When a hub source is read next.
struct Synced {
    /// As it was configured.
    source: Source,
    next: Instant,
    /// Syncs in a row that did not read everything.
    failures: u32,
}

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
            && let Err(error) = self.store.release(&self.lease).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "the lease of the catalog runs out by itself");
        }
    }

    /// Says whether this replica is the one that loads; nothing before the database is there.
    async fn keep_lease(&self, leads: Sender<Option<bool>>) -> Infallible {
        loop {
            let pause = match self.is_shared() {
                Err(_) => CLAIM,
                Ok(false) => {
                    leads.send_replace(Some(true));
                    std::future::pending::<Infallible>().await;
                    RENEWAL
                }
                Ok(true) => {
                    // A replica that cannot reach the database cannot write to it either.
                    let held = self.store.acquire(&self.lease).await.unwrap_or(false);
                    leads.send_if_modified(|leads| {
                        let is_new = *leads != Some(held);
                        if is_new {
                            tracing::info!(leads = held, "catalog lease");
                            *leads = Some(held);
                        }
                        is_new
                    });
                    RENEWAL
                }
            };
            tokio::time::sleep(pause).await;
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

    /// Reads each hub source when it is new or changed, and again after its interval, sooner after one that failed.
    async fn keep_synced(&self, leading: &Receiver<Option<bool>>) -> Infallible {
        let mut synced: HashMap<String, Synced> = HashMap::new();
        loop {
            tokio::time::sleep(LOOK).await;
            if !self.is_loaded() || *leading.borrow() != Some(true) {
                // Whoever leads next starts from what is in the database.
                synced.clear();
                continue;
            }
            let configuration = self.configuration();
            let hubs = configuration.sources.values().filter(|source| source.enabled && is_hub(source));
            let hubs = hubs.filter(|source| source.broken.is_none() && hub::wanted(source).is_ok());
            let now = Instant::now();
            let is_due = |source: &&Source| {
                synced.get(&source.id).is_none_or(|synced| synced.source != **source || synced.next <= now)
            };
            let due: Vec<Source> = hubs.filter(is_due).cloned().collect();
            let syncs = due.into_iter().map(|source| async move {
                let lease = self.is_shared()?.then(|| (*self.lease).clone());
                let (_, is_complete) = self.sync_holding(&source.id, lease).await?;
                Ok::<_, StoreError>((source, is_complete))
            });
            for result in futures::future::join_all(syncs).await {
                match result {
                    Ok((source, is_complete)) => {
                        let before = synced.get(&source.id).filter(|before| before.source == source);
                        let failures = if is_complete { 0 } else { before.map_or(0, |before| before.failures) + 1 };
                        let next = Instant::now() + hub::pause(&source, failures);
                        synced.insert(source.id.clone(), Synced { source, next, failures });
                    }
                    Err(error) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "hub not stored; trying again");
                    }
                }
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
            if self.is_loaded()
                && let Err(error) = prepare_options(self).await
            {
                tracing::warn!(error = &error as &dyn std::error::Error, "catalog not indexed");
            }
        }
    }

    async fn load_as(&self, leads: bool) -> Result<Vec<u8>, StoreError> {
        if !leads {
            return self.load_configuration().await;
        }
        let lease = self.is_shared()?.then(|| (*self.lease).clone());
        Ok(self.load_holding(lease).await?.fingerprint)
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
