//! The catalog as the server holds it: settings, the current configuration, and loads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use model_registry_base::run_blocking;
use model_registry_catalog_sources::hub::{self, Gates, Measured};
use model_registry_catalog_sources::{
    Configuration, Files, Loaded, Measurements, Problem, Settings, read_all, read_configuration,
};
use model_registry_catalog_store::{CatalogLoad, CatalogStore, LoadReport};
use model_registry_server::telemetry::Metrics;
use model_registry_store::dialect::Dialect;
use model_registry_store::{Lease, Store, StoreError};
use tokio::sync::{Notify, Semaphore};

use crate::metrics::SourceMetrics;
use crate::routes::OptionsCache;

/// A replica that dies is replaced after this time at most.
pub(crate) const LEASE: Duration = Duration::from_secs(10);

/// More would be no courtesy to the hubs.
const PREVIEWS: usize = 2;

/// The catalog; clones are one catalog.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) store: CatalogStore,
    settings: Arc<Settings>,
    files: Arc<Mutex<Files>>,
    configuration: Arc<RwLock<Arc<Configuration>>>,
    pub(crate) options: Arc<OptionsCache>,
    is_loaded: Arc<AtomicBool>,
    /// There is something to serve, or nothing to wait for.
    pub(crate) is_ready: Arc<AtomicBool>,
    /// Something was loaded here.
    pub(crate) changed: Arc<Notify>,
    pub(crate) metrics: SourceMetrics,
    pub(crate) lease: Arc<Lease>,
    pub(crate) gates: Arc<Gates>,
    /// As this replica's last load found them; nothing where another one loads.
    measured: Arc<RwLock<Option<Arc<Measured>>>>,
    /// What a sync writes belongs to the configuration: a load that replaces it comes before or after.
    pub(crate) writing: Arc<tokio::sync::Mutex<()>>,
    /// Previews that may ask hubs at once.
    pub(crate) previews: Arc<Semaphore>,
}

/// How a load went.
#[derive(Clone, Debug, Default)]
pub struct LoadSummary {
    pub report: LoadReport,
    /// Everything that could not be used or was not understood, with its place.
    pub problems: Vec<Problem>,
    /// A digest of all files that were read.
    pub(crate) fingerprint: Vec<u8>,
}

impl Catalog {
    pub fn new(store: Store, settings: Settings) -> Self {
        Self {
            store: CatalogStore::new(store),
            settings: Arc::new(settings),
            files: Arc::default(),
            configuration: Arc::default(),
            options: Arc::default(),
            is_loaded: Arc::default(),
            is_ready: Arc::default(),
            changed: Arc::default(),
            metrics: SourceMetrics::default(),
            lease: Arc::new(Lease::new("catalog", LEASE)),
            gates: Arc::default(),
            measured: Arc::default(),
            writing: Arc::default(),
            previews: Arc::new(Semaphore::new(PREVIEWS)),
        }
    }

    /// What is loaded, in the database and in memory.
    pub fn store(&self) -> &CatalogStore {
        &self.store
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether there has been a load: before, lists would be empty or incomplete.
    pub fn is_loaded(&self) -> bool {
        self.is_loaded.load(Ordering::Acquire)
    }

    /// The configuration of the last load.
    pub(crate) fn configuration(&self) -> Arc<Configuration> {
        Arc::clone(&self.configuration.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The measurements of the last load, if this replica is the one that loads.
    pub(crate) fn measured(&self) -> Option<Arc<Measured>> {
        self.measured.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds what is counted for each source.
    pub fn register_metrics(&self, metrics: &Metrics) {
        self.metrics.register(metrics);
    }

    /// Whether other processes may use the same database.
    pub(crate) fn is_shared(&self) -> Result<bool, StoreError> {
        Ok(self.store.inner().database()?.dialect() != Dialect::Sqlite)
    }

    /// Reads the configuration alone: another replica loads what the sources publish.
    pub(crate) async fn load_configuration(&self) -> Result<Vec<u8>, StoreError> {
        let catalog = self.clone();
        let (configuration, _, fingerprint) = run_blocking(move || {
            let mut files = catalog.files.lock().unwrap_or_else(PoisonError::into_inner);
            read_configuration(&catalog.settings, || files.load(&catalog.settings.sources))
        })
        .await;
        // Nobody writes down how a load of nothing went.
        let writes_states = configuration.sources.values().any(|source| !hub::is_read(source));
        let is_filled = !writes_states || !self.store.list_source_states().await?.is_empty();
        self.metrics.keep(configuration.sources.keys());
        *self.configuration.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(configuration);
        *self.measured.write().unwrap_or_else(PoisonError::into_inner) = None;
        if is_filled {
            self.is_loaded.store(true, Ordering::Release);
        }
        Ok(fingerprint)
    }

    /// Makes the index of filterable values for what is served now. A running catalog does so by itself after each load;
    /// until then the database answers alone.
    pub async fn index(&self) -> Result<(), StoreError> {
        self.store.refresh_index().await.map(drop)
    }

    /// What is better done when a load is served already.
    pub(crate) async fn settle(&self, report: &LoadReport) {
        self.changed.notify_one();
        if let Err(error) = self.store.analyse(report).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the catalog's tables are not analysed");
        }
    }

    /// Reads all files and replaces what is served, at once.
    pub async fn load(&self) -> Result<LoadSummary, StoreError> {
        // Without a lease there is none to be lost.
        Ok(self.load_holding(None).await?.unwrap_or_default())
    }

    /// `None` where another replica has taken the lease meanwhile: nothing was written.
    pub(crate) async fn load_holding(&self, lease: Option<Lease>) -> Result<Option<LoadSummary>, StoreError> {
        let catalog = self.clone();
        let started = Instant::now();
        // Parsing takes a while; a panic in it is a defect and ends the load like one.
        let Read { configuration, loaded, mut problems, is_complete, fingerprint, measured } =
            run_blocking(move || catalog.read()).await;
        // Nobody knows which sources an unreadable file has: what they published in an earlier run stays.
        let complete = is_complete.then(|| configuration.sources.keys().cloned().collect());
        let mut snapshots = Vec::with_capacity(loaded.len());
        let mut measurements = Vec::with_capacity(loaded.len());
        for Loaded { snapshot, problems: of_source, measurements_skipped, notices } in loaded {
            for notice in &notices {
                tracing::warn!(place = notice.place, reason = notice.reason, "catalog source");
            }
            if let Some(error) = &snapshot.error {
                tracing::warn!(source = snapshot.source_id, status = snapshot.status, error, "catalog source");
            }
            problems.extend(of_source);
            problems.extend(notices);
            measurements.push(measurements_skipped);
            snapshots.push(snapshot);
        }
        let writing = self.writing.lock().await;
        let load = CatalogLoad { snapshots, sources: complete, clock: self.store.inner().clock().clone(), lease };
        let Some(report) = self.store.load(&load).await? else { return Ok(None) };
        self.metrics.keep(configuration.sources.keys());
        for (snapshot, measurements_skipped) in load.snapshots.iter().zip(measurements) {
            self.metrics.note_measurements(&snapshot.source_id, measurements_skipped);
            self.metrics.note(snapshot, started.elapsed(), self.store.inner().clock().now());
        }
        // Packed items and what the parser left behind are not needed any more.
        drop(load);
        *self.configuration.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(configuration);
        *self.measured.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(measured));
        drop(writing);
        self.is_loaded.store(true, Ordering::Release);
        self.settle(&report).await;
        tracing::info!(
            written = report.written,
            removed = report.removed,
            unchanged = report.unchanged,
            "catalog loaded"
        );
        Ok(Some(LoadSummary { report, problems, fingerprint }))
    }

    fn read(&self) -> Read {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let (configuration, mut problems, fingerprint) =
            read_configuration(&self.settings, || files.load(&self.settings.sources));
        for problem in &problems {
            tracing::warn!(place = problem.place, reason = problem.reason, "catalog configuration");
        }
        let (measurements, of_measurements) = Measurements::find(&self.settings.measurements);
        let loaded = read_all(&configuration, &measurements);
        for problem in &of_measurements {
            tracing::warn!(place = problem.place, reason = problem.reason, "catalog measurements");
        }
        problems.extend(of_measurements);
        let is_complete = files.has_all(&self.settings.sources);
        let measured = Measured::new(measurements);
        Read { configuration, loaded, problems, is_complete, fingerprint, measured }
    }
}

struct Read {
    configuration: Configuration,
    loaded: Vec<Loaded>,
    problems: Vec<Problem>,
    is_complete: bool,
    fingerprint: Vec<u8>,
    measured: Measured,
}

#[cfg(test)]
mod tests {
    use model_registry_base::Clock;
    use model_registry_store::{DatabaseUrl, PoolOptions};
    use model_registry_testkit::{Backend, TestDatabase};

    use super::*;

    // Another replica loads: what it has written counts, not what was read here.
    #[tokio::test]
    async fn a_replica_that_has_lost_its_lease_does_not_take_its_load_for_one() {
        let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
        let source: DatabaseUrl = database.url().parse().unwrap();
        let store = Store::connect(&source, PoolOptions::default(), Clock::system()).await.unwrap();
        let catalog = Catalog::new(store, Settings::default());
        let lease = (*catalog.lease).clone();
        assert!(catalog.load_holding(Some(lease.clone())).await.unwrap().is_none());
        assert!(!catalog.is_loaded() && catalog.measured().is_none());
        assert!(catalog.store.inner().acquire(&lease).await.unwrap());
        assert!(catalog.load_holding(Some(lease)).await.unwrap().is_some());
        assert!(catalog.is_loaded() && catalog.measured().is_some());
    }
}
