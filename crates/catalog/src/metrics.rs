//! Numbers about each source, for `/metrics`.

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

/// One number of each source; clones count together.
type PerSource = Family<SourceLabel, Gauge>;

#[derive(Clone, Default)]
pub(crate) struct SourceMetrics {
    /// The sources that are counted.
    configured: Arc<Mutex<BTreeSet<String>>>,
    items: PerSource,
    skipped: PerSource,
    measurements_skipped: PerSource,
    last_success: PerSource,
    duration: Family<SourceLabel, Gauge<f64, std::sync::atomic::AtomicU64>>,
    hub_requests: Family<SourceLabel, Counter>,
    hub_running: PerSource,
    hub_found: PerSource,
    hub_done: PerSource,
}

impl SourceMetrics {
    pub(crate) fn register(&self, metrics: &Metrics) {
        metrics.register(|registry| {
            registry.register("catalog_source_items", "Items that a source publishes", self.items.clone());
            registry.register("catalog_source_skipped", "Items left out at the last load", self.skipped.clone());
            registry.register(
                "catalog_source_measurements_skipped",
                "Measurements of a source's models left out at the last load",
                self.measurements_skipped.clone(),
            );
            registry.register(
                "catalog_source_last_success_timestamp_seconds",
                "When a source was last read without losing everything",
                self.last_success.clone(),
            );
            registry.register(
                "catalog_source_load_seconds",
                "How long the last load of a source took, of all file sources together",
                self.duration.clone(),
            );
            registry.register("catalog_hub_requests", "Requests sent to a source's hub", self.hub_requests.clone());
            registry.register("catalog_hub_sync_running", "Whether a hub is being read", self.hub_running.clone());
            registry.register(
                "catalog_hub_sync_models",
                "Models that the running sync of a hub, or else the last one, has found",
                self.hub_found.clone(),
            );
            registry.register(
                "catalog_hub_sync_models_done",
                "Those of them that are read, or known to be as they were",
                self.hub_done.clone(),
            );
        });
    }

    /// Counts these sources from now on and forgets the others.
    pub(crate) fn keep<'a>(&self, sources: impl Iterator<Item = &'a String>) {
        let mut configured = self.configured();
        let sources: BTreeSet<String> = sources.cloned().collect();
        for source in configured.difference(&sources) {
            let label = SourceLabel { source: source.clone() };
            for of_sources in [
                &self.items,
                &self.skipped,
                &self.measurements_skipped,
                &self.last_success,
                &self.hub_running,
                &self.hub_found,
                &self.hub_done,
            ] {
                of_sources.remove(&label);
            }
            self.duration.remove(&label);
            self.hub_requests.remove(&label);
        }
        *configured = sources;
    }

    fn configured(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.configured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how a load went; `now` is in milliseconds.
    pub(crate) fn note(&self, snapshot: &SourceSnapshot, took: Duration, now: i64) {
        let configured = self.configured();
        // A sync may end after its source was removed.
        if !configured.contains(&snapshot.source_id) {
            return;
        }
        let label = SourceLabel { source: snapshot.source_id.clone() };
        self.skipped.get_or_create(&label).set(number(snapshot.skipped));
        self.duration.get_or_create(&label).set(took.as_secs_f64());
        if let Some(items) = &snapshot.items {
            self.items.get_or_create(&label).set(number(items.len() + snapshot.kept.len()));
            self.last_success.get_or_create(&label).set(now / 1000);
        }
    }

    pub(crate) fn note_measurements(&self, source: &str, skipped: usize) {
        let configured = self.configured();
        if configured.contains(source) {
            let label = SourceLabel { source: source.to_owned() };
            self.measurements_skipped.get_or_create(&label).set(number(skipped));
        }
    }

    /// The numbers that move during a sync.
    pub(crate) fn progress(&self, source: &str) -> Progress {
        let configured = self.configured();
        if !configured.contains(source) {
            return Progress::default();
        }
        let label = SourceLabel { source: source.to_owned() };
        Progress {
            requests: self.hub_requests.get_or_create(&label).clone(),
            running: self.hub_running.get_or_create(&label).clone(),
            found: self.hub_found.get_or_create(&label).clone(),
            done: self.hub_done.get_or_create(&label).clone(),
        }
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
