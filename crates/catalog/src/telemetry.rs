//! Prometheus metrics of each source.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model_registry_catalog_store::SourceSnapshot;
use model_registry_server::telemetry::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use model_registry_catalog_sources::hub::Progress;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabel {
    source: String,
}

/// A gauge per source; clones share their values.
type PerSource = Family<SourceLabel, Gauge>;

#[derive(Clone, Default)]
pub(crate) struct SourceTelemetry {
    /// The sources that have metrics.
    configured: Arc<Mutex<BTreeSet<String>>>,
    items: PerSource,
    skipped: PerSource,
    ignored: PerSource,
    metrics_skipped: PerSource,
    last_success: PerSource,
    duration: Family<SourceLabel, Gauge<f64, std::sync::atomic::AtomicU64>>,
    hubs: SyncMetrics,
    repositories: SyncMetrics,
}

/// The metrics that change during syncs.
#[derive(Clone, Default)]
struct SyncMetrics {
    requests: Family<SourceLabel, Counter>,
    running: PerSource,
    found: PerSource,
    done: PerSource,
}

impl SyncMetrics {
    fn remove(&self, label: &SourceLabel) {
        for metric in [&self.running, &self.found, &self.done] {
            metric.remove(label);
        }
        self.requests.remove(label);
    }

    fn progress(&self, label: &SourceLabel) -> Progress {
        Progress {
            requests: self.requests.get_or_create(label).clone(),
            running: self.running.get_or_create(label).clone(),
            found: self.found.get_or_create(label).clone(),
            done: self.done.get_or_create(label).clone(),
        }
    }
}

impl SourceTelemetry {
    pub(crate) fn register(&self, metrics: &Metrics) {
        metrics.register(|registry| {
            registry.register("catalog_source_items", "Items that a source publishes", self.items.clone());
            registry.register(
                "catalog_source_skipped",
                "Invalid items skipped by the last load of a source",
                self.skipped.clone(),
            );
            registry.register(
                "catalog_source_ignored",
                "Unknown keys, words and values that the last load of a source ignored, without skipping an item",
                self.ignored.clone(),
            );
            registry.register(
                "catalog_source_measurements_skipped",
                "Invalid performance and accuracy metrics of a source's models skipped by the last load",
                self.metrics_skipped.clone(),
            );
            registry.register(
                "catalog_source_last_success_timestamp_seconds",
                "Time of the last load of a source that read at least one item",
                self.last_success.clone(),
            );
            registry.register(
                "catalog_source_load_seconds",
                "Duration of the last load of a source; file sources are loaded together and share the value",
                self.duration.clone(),
            );
            let SyncMetrics { requests, running, found, done } = self.hubs.clone();
            registry.register("catalog_hub_requests", "Requests sent to the hub of a source", requests);
            registry.register(
                "catalog_hub_sync_running",
                "1 while a source is synced with its hub, otherwise 0",
                running,
            );
            registry.register(
                "catalog_hub_sync_models",
                "Models found by the running or else the last sync with a hub",
                found,
            );
            registry.register(
                "catalog_hub_sync_models_done",
                "Models of catalog_hub_sync_models that are read or known to be unchanged",
                done,
            );
            let SyncMetrics { requests, running, found, done } = self.repositories.clone();
            registry.register("catalog_git_requests", "Requests sent to the Git repositories of a source", requests);
            registry.register(
                "catalog_git_sync_running",
                "1 while a source is synced with its Git repositories, otherwise 0",
                running,
            );
            registry.register(
                "catalog_git_sync_skills",
                "Skills found in changed commits by the running or else the last sync with Git repositories",
                found,
            );
            registry.register("catalog_git_sync_skills_done", "Skills of catalog_git_sync_skills that are read", done);
        });
    }

    /// Sets the sources that have metrics, and removes the metrics of the others.
    pub(crate) fn set_sources<'a>(&self, sources: impl Iterator<Item = &'a String>) {
        let mut configured = self.configured();
        let sources: BTreeSet<String> = sources.cloned().collect();
        for source in configured.difference(&sources) {
            let label = SourceLabel { source: source.clone() };
            for metric in [&self.items, &self.skipped, &self.ignored, &self.metrics_skipped, &self.last_success] {
                metric.remove(&label);
            }
            self.duration.remove(&label);
            self.hubs.remove(&label);
            self.repositories.remove(&label);
        }
        *configured = sources;
    }

    fn configured(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.configured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the result of a load; `now` is in milliseconds since the Unix epoch.
    pub(crate) fn record_load(&self, snapshot: &SourceSnapshot, took: Duration, now: i64) {
        let configured = self.configured();
        // A sync may end after its source was removed.
        if !configured.contains(&snapshot.source_id) {
            return;
        }
        let label = SourceLabel { source: snapshot.source_id.clone() };
        self.skipped.get_or_create(&label).set(gauge(snapshot.skipped));
        self.ignored.get_or_create(&label).set(gauge(snapshot.ignored));
        self.duration.get_or_create(&label).set(took.as_secs_f64());
        if let Some(items) = snapshot.item_count() {
            self.items.get_or_create(&label).set(gauge(items));
            self.last_success.get_or_create(&label).set(now / 1000);
        }
    }

    /// Records the number of items that a source has in the database.
    pub(crate) fn record_items(&self, source: &str, items: i64) {
        let configured = self.configured();
        if configured.contains(source) {
            self.items.get_or_create(&SourceLabel { source: source.to_owned() }).set(items);
        }
    }

    pub(crate) fn record_skipped_metrics(&self, source: &str, skipped: usize) {
        let configured = self.configured();
        if configured.contains(source) {
            let label = SourceLabel { source: source.to_owned() };
            self.metrics_skipped.get_or_create(&label).set(gauge(skipped));
        }
    }

    /// The metrics that change during a sync with a hub.
    pub(crate) fn hub_progress(&self, source: &str) -> Progress {
        self.progress(&self.hubs, source)
    }

    /// The metrics that change during a sync with Git repositories.
    pub(crate) fn git_progress(&self, source: &str) -> Progress {
        self.progress(&self.repositories, source)
    }

    fn progress(&self, metrics: &SyncMetrics, source: &str) -> Progress {
        let configured = self.configured();
        if configured.contains(source) {
            metrics.progress(&SourceLabel { source: source.to_owned() })
        } else {
            Progress::default()
        }
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
