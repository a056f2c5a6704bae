//! The state of a catalog: settings, the current configuration, and loads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use model_registry_base::run_blocking;
use model_registry_catalog_sources::git::GitMemory;
use model_registry_catalog_sources::hub::RateLimiters;
use model_registry_catalog_sources::remote;
use model_registry_catalog_sources::{
    Configuration, LoadedSource, PerformanceMetrics, PerformanceMetricsSnapshot, Problem, Settings, SourcesFiles,
    read_configuration, read_sources,
};
use model_registry_catalog_store::{CatalogLoad, CatalogStore, LoadReport};
use model_registry_server::telemetry::Metrics;
use model_registry_store::dialect::Dialect;
use model_registry_store::{Lease, Store, StoreError};
use tokio::sync::{Notify, Semaphore};

use crate::filter_options::FilterOptionsCache;
use crate::telemetry::SourceTelemetry;

/// Duration of the lease: a replica that dies is replaced after this time at most.
pub(crate) const LEASE: Duration = Duration::from_secs(10);

/// Sources that may be synced with their Git repositories at the same time.
const MAX_REPOSITORY_SYNCS: usize = 2;
/// Previews that may be computed at the same time.
const MAX_PREVIEWS: usize = 2;
/// Previews that are computed or wait for that, with the data that was sent; more get 503.
const MAX_WAITING_PREVIEWS: usize = 10;

/// A catalog; clones share their state.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) store: CatalogStore,
    settings: Arc<Settings>,
    files: Arc<Mutex<SourcesFiles>>,
    configuration: Arc<RwLock<Arc<Configuration>>>,
    pub(crate) filter_options: Arc<FilterOptionsCache>,
    is_loaded: Arc<AtomicBool>,
    /// Number of problems of the sources files in the last load.
    pub(crate) configuration_problems: Arc<AtomicUsize>,
    /// Whether the readiness check has passed once: there are items to serve, or nothing to wait for.
    pub(crate) is_ready: Arc<AtomicBool>,
    /// Notified after each load of this process.
    pub(crate) changed: Arc<Notify>,
    pub(crate) telemetry: SourceTelemetry,
    pub(crate) lease: Arc<Lease>,
    pub(crate) rate_limiters: Arc<RateLimiters>,
    /// The performance metrics of this replica's last load; `None` on a replica that does not load.
    performance_metrics: Arc<RwLock<Option<Arc<PerformanceMetricsSnapshot>>>>,
    /// Held while a load or a sync is written: a load that replaces the configuration runs before or after the
    /// sync that belongs to it.
    pub(crate) writing: Arc<tokio::sync::Mutex<()>>,
    pub(crate) previews: Arc<Semaphore>,
    pub(crate) waiting_previews: Arc<Semaphore>,
    pub(crate) repository_syncs: Arc<Semaphore>,
    pub(crate) repository_memory: Arc<GitMemory>,
}

/// The result of a load.
#[derive(Clone, Debug, Default)]
pub struct LoadSummary {
    pub report: LoadReport,
    /// Everything invalid or ignored, with its place.
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
            filter_options: Arc::default(),
            is_loaded: Arc::default(),
            configuration_problems: Arc::default(),
            is_ready: Arc::default(),
            changed: Arc::default(),
            telemetry: SourceTelemetry::default(),
            lease: Arc::new(Lease::new("catalog", LEASE)),
            rate_limiters: Arc::default(),
            performance_metrics: Arc::default(),
            writing: Arc::default(),
            previews: Arc::new(Semaphore::new(MAX_PREVIEWS)),
            waiting_previews: Arc::new(Semaphore::new(MAX_WAITING_PREVIEWS)),
            repository_syncs: Arc::new(Semaphore::new(MAX_REPOSITORY_SYNCS)),
            repository_memory: Arc::default(),
        }
    }

    /// The loaded items, in the database and in memory.
    pub fn store(&self) -> &CatalogStore {
        &self.store
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether there has been a load. Before, lists would be empty or incomplete.
    pub fn is_loaded(&self) -> bool {
        self.is_loaded.load(Ordering::Acquire)
    }

    /// The configuration of the last load.
    pub(crate) fn configuration(&self) -> Arc<Configuration> {
        Arc::clone(&self.configuration.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The performance metrics of the last load; `None` on a replica that does not load.
    pub(crate) fn performance_metrics(&self) -> Option<Arc<PerformanceMetricsSnapshot>> {
        self.performance_metrics.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Registers the Prometheus metrics of the sources.
    pub fn register_metrics(&self, metrics: &Metrics) {
        self.telemetry.register(metrics);
    }

    /// Whether other processes may use the same database.
    pub(crate) fn is_shared(&self) -> Result<bool, StoreError> {
        Ok(self.store.inner().database()?.dialect() != Dialect::Sqlite)
    }

    /// Reads the configuration only, because another replica loads. Returns a digest of all files.
    pub(crate) async fn load_configuration(&self) -> Result<Vec<u8>, StoreError> {
        let catalog = self.clone();
        let (configuration, problems, fingerprint) = run_blocking(move || {
            let mut files = catalog.files.lock().unwrap_or_else(PoisonError::into_inner);
            read_configuration(&catalog.settings, &mut files)
        })
        .await;
        self.configuration_problems.store(problems.len(), Ordering::Release);
        // Without sources that are loaded from files, no state would show a load.
        let writes_states = configuration.sources.values().any(|source| !remote::is_remote(source));
        let is_filled = !writes_states || !self.store.list_source_states().await?.is_empty();
        self.telemetry.set_sources(configuration.sources.keys());
        *self.configuration.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(configuration);
        *self.performance_metrics.write().unwrap_or_else(PoisonError::into_inner) = None;
        if is_filled {
            self.is_loaded.store(true, Ordering::Release);
        }
        Ok(fingerprint)
    }

    /// Builds the in-memory index of the current generation. A running catalog does so after each load; without an index, lists
    /// are read from the database alone.
    pub async fn index(&self) -> Result<(), StoreError> {
        self.store.refresh_index().await.map(drop)
    }

    /// The work after a load that does not have to delay it.
    pub(crate) async fn after_load(&self, report: &LoadReport) {
        self.changed.notify_one();
        if let Err(error) = self.store.analyse(report).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "statistics of the catalog's tables not updated");
        }
    }

    /// Reads all files and replaces the items of the catalog in one transaction.
    pub async fn load(&self) -> Result<LoadSummary, StoreError> {
        // `None` means a lost lease, and there is none.
        Ok(self.load_holding(None).await?.unwrap_or_default())
    }

    /// Like [`Self::load`]; `None` if another replica has taken the lease meanwhile, and nothing was written.
    pub(crate) async fn load_holding(&self, lease: Option<Lease>) -> Result<Option<LoadSummary>, StoreError> {
        let catalog = self.clone();
        let started = Instant::now();
        // Parsing takes a while. A panic in it is a defect, and is passed on.
        let ReadResult { configuration, loaded, mut problems, is_complete, fingerprint, performance_metrics } =
            run_blocking(move || catalog.read()).await;
        // If a file cannot be read, its sources are unknown: the items that they published in an earlier run stay.
        let sources = is_complete.then(|| configuration.sources.keys().cloned().collect());
        let mut snapshots = Vec::with_capacity(loaded.len());
        let mut skipped_metrics = Vec::with_capacity(loaded.len());
        for LoadedSource { snapshot, problems: source_problems, performance_metrics_skipped, notices } in loaded {
            for notice in &notices {
                tracing::warn!(location = notice.location, reason = notice.reason, "catalog source");
            }
            if let Some(error) = &snapshot.error {
                tracing::warn!(source = snapshot.source_id, status = snapshot.status, error, "catalog source");
            }
            problems.extend(source_problems);
            problems.extend(notices);
            skipped_metrics.push(performance_metrics_skipped);
            snapshots.push(snapshot);
        }
        let writing = self.writing.lock().await;
        let clock = self.store.inner().clock().clone();
        let load = CatalogLoad { snapshots, sources, clock: clock.clone(), lease };
        let Some(report) = self.store.load(&load).await? else { return Ok(None) };
        self.telemetry.set_sources(configuration.sources.keys());
        for (snapshot, skipped) in load.snapshots.iter().zip(skipped_metrics) {
            self.telemetry.record_skipped_metrics(&snapshot.source_id, skipped);
            self.telemetry.record_load(snapshot, started.elapsed(), clock.now());
        }
        // Items with a mistake that were published before stay, which only the database knows.
        if load.snapshots.iter().any(|snapshot| snapshot.is_part || !snapshot.kept.is_empty()) {
            for state in self.store.list_source_states().await? {
                self.telemetry.record_items(&state.source_id, state.item_count);
            }
        }
        // Frees the packed items before the analysis of the tables.
        drop(load);
        *self.configuration.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(configuration);
        *self.performance_metrics.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(performance_metrics));
        drop(writing);
        self.is_loaded.store(true, Ordering::Release);
        self.after_load(&report).await;
        tracing::info!(
            written = report.written,
            removed = report.removed,
            unchanged = report.unchanged,
            "catalog loaded"
        );
        Ok(Some(LoadSummary { report, problems, fingerprint }))
    }

    fn read(&self) -> ReadResult {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let (configuration, mut problems, fingerprint) = read_configuration(&self.settings, &mut files);
        self.configuration_problems.store(problems.len(), Ordering::Release);
        for problem in &problems {
            tracing::warn!(location = problem.location, reason = problem.reason, "catalog configuration");
        }
        let earlier = self.performance_metrics();
        let earlier = earlier.as_ref().map(|earlier| earlier.metrics());
        let (metrics, metrics_problems) = PerformanceMetrics::find(&self.settings.performance_metrics, earlier);
        let loaded = read_sources(&configuration, &metrics);
        for problem in &metrics_problems {
            tracing::warn!(location = problem.location, reason = problem.reason, "catalog performance metrics");
        }
        problems.extend(metrics_problems);
        let is_complete = files.has_all(&self.settings.sources);
        let performance_metrics = PerformanceMetricsSnapshot::new(metrics);
        ReadResult { configuration, loaded, problems, is_complete, fingerprint, performance_metrics }
    }
}

/// The content of all files of a catalog.
struct ReadResult {
    configuration: Configuration,
    loaded: Vec<LoadedSource>,
    problems: Vec<Problem>,
    /// Whether every sources file could be read, now or earlier.
    is_complete: bool,
    fingerprint: Vec<u8>,
    performance_metrics: PerformanceMetricsSnapshot,
}

#[cfg(test)]
mod tests {
    use model_registry_base::Clock;
    use model_registry_store::{DatabaseUrl, PoolOptions};
    use model_registry_testkit::{Backend, TestDatabase};

    use super::*;

    #[tokio::test]
    async fn a_load_without_its_lease_does_not_count_as_loaded() {
        let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
        let url: DatabaseUrl = database.url().parse().unwrap();
        let store = Store::connect(&url, PoolOptions::default(), Clock::system()).await.unwrap();
        let catalog = Catalog::new(store, Settings::default());
        let lease = (*catalog.lease).clone();
        assert!(catalog.load_holding(Some(lease.clone())).await.unwrap().is_none());
        assert!(!catalog.is_loaded() && catalog.performance_metrics().is_none());
        assert!(catalog.store.inner().acquire(&lease).await.unwrap());
        assert!(catalog.load_holding(Some(lease)).await.unwrap().is_some());
        assert!(catalog.is_loaded() && catalog.performance_metrics().is_some());
    }
}
