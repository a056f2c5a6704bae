//! Metrics and traces of transfers, sent to a collector if the environment names one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::ArgMatches;
use model_registry_server::config::{self as key, Environment, Schema, Telemetry};
use model_registry_server::telemetry::Metrics;
use model_registry_transfer::{Event, SharedObserver};

/// Starts the export; `None` unless the environment names a collector: a transfer needs no other setting of servers.
pub(crate) fn start_export(
    schema: &Schema,
    arguments: &ArgMatches,
    environment: &Environment,
) -> anyhow::Result<Option<(Telemetry, Counts)>> {
    let variable = key::TELEMETRY_OTLP_ENDPOINT.variable();
    if environment.get(&variable).is_none() && environment.get(&format!("{variable}_FILE")).is_none() {
        return Ok(None);
    }
    let telemetry = crate::settings(schema, arguments)?.start_export()?;
    let metrics = Metrics::new(&[("version", env!("CARGO_PKG_VERSION").to_owned())]);
    let counts = Counts::default();
    counts.register(&metrics);
    telemetry.export(&metrics);
    Ok(Some((telemetry, counts)))
}

/// What the transfers of this process have done so far. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Counts(Arc<Inner>);

#[derive(Default)]
struct Inner {
    files: AtomicU64,
    files_there: AtomicU64,
    bytes: AtomicU64,
    retries: AtomicU64,
}

impl Counts {
    /// Counts the events before they are passed on.
    pub(crate) fn before(&self, observer: SharedObserver) -> SharedObserver {
        let counts = self.clone();
        Arc::new(move |event: &Event| {
            counts.note(event);
            observer.on(event);
        })
    }

    fn note(&self, event: &Event) {
        let (counter, number) = match event {
            Event::Planned { .. } => return,
            Event::Read { bytes } => (&self.0.bytes, *bytes),
            Event::Finished { was_there: true, .. } => (&self.0.files_there, 1),
            Event::Finished { .. } => (&self.0.files, 1),
            Event::Retry { .. } => (&self.0.retries, 1),
        };
        counter.fetch_add(number, Ordering::Relaxed);
    }

    fn register(&self, metrics: &Metrics) {
        let counter = |name, help, read: fn(&Inner) -> &AtomicU64| {
            let counts = Arc::clone(&self.0);
            metrics.counter(name, help, move || read(&counts).load(Ordering::Relaxed));
        };
        counter("transfer_files", "Files that were copied", |counts| &counts.files);
        counter("transfer_files_there", "Files that were at the destination already", |counts| &counts.files_there);
        counter("transfer_bytes", "Bytes that were read from the source", |counts| &counts.bytes);
        counter("transfer_retries", "Requests that failed and were repeated", |counts| &counts.retries);
    }
}

#[cfg(test)]
mod tests {
    use model_registry_server::telemetry::MetricsFormat;
    use model_registry_transfer::no_observer;

    use super::*;

    #[test]
    fn every_event_is_counted_and_passed_on() {
        let (counts, metrics) = (Counts::default(), Metrics::new(&[]));
        counts.register(&metrics);
        let observer = counts.before(no_observer());
        let finished = |was_there| Event::Finished { path: "a".into(), size: 3, sha256: String::new(), was_there };
        for event in [Event::Read { bytes: 2 }, Event::Read { bytes: 1 }, finished(false), finished(true)] {
            observer.on(&event);
        }
        let text = metrics.encode(MetricsFormat::Prometheus).unwrap();
        for line in [
            "model_registry_transfer_files_total 1",
            "model_registry_transfer_files_there_total 1",
            "model_registry_transfer_bytes_total 3",
            "model_registry_transfer_retries_total 0",
        ] {
            assert!(text.lines().any(|actual| actual == line), "{line}\n{text}");
        }
    }
}
