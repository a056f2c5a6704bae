//! Replays the recorded exchanges.

use std::fmt::Write;
use std::path::Path;
use std::sync::Mutex;

use model_registry_catalog::Settings;
use model_registry_testkit::golden::{self, Scenario};
use model_registry_testkit::{Backend, on_each_database};

use crate::support::{self, Api, without_and_with_index};

on_each_database!(every_recorded_exchange_is_replayed, every_recorded_exchange_of_august_2026_is_replayed);

/// Exchanges of August 2026 that the catalog does not support yet: the file, and a part of the request, or its end before a
/// `$`; empty for every request of the file. An entry without a failing exchange fails the test, so the list shrinks by itself.
const NOT_YET: [(&str, &str); 0] = [];

async fn every_recorded_exchange_is_replayed(backend: Backend) {
    let scenarios = Scenario::read_all(&support::golden()).unwrap();
    assert!(scenarios.len() >= 17, "only {} scenarios found", scenarios.len());
    let report = Mutex::new(String::new());
    let api = Api::of_golden_data(backend).await;
    without_and_with_index(&api, async |way| {
        for scenario in &scenarios {
            let differences = golden::replay(scenario, golden::router_caller(&api.router)).await;
            if !differences.is_empty() {
                writeln!(report.lock().unwrap(), "{way}\n{}", golden::readable(&differences)).unwrap();
            }
        }
    })
    .await;
    let report = report.into_inner().unwrap();
    assert!(report.is_empty(), "{report}");
}

async fn every_recorded_exchange_of_august_2026_is_replayed(backend: Backend) {
    let directory = support::golden().join("2026-08");
    let scenarios = Scenario::read_all(&directory).unwrap();
    assert!(scenarios.len() >= 8, "only {} scenarios found", scenarios.len());
    let api = Api::on(backend, settings(&directory.join("data"))).await;
    let report = Mutex::new(String::new());
    let used = Mutex::new(vec![false; NOT_YET.len()]);
    without_and_with_index(&api, async |way| {
        for scenario in &scenarios {
            let mut differences = golden::replay(scenario, golden::router_caller(&api.router)).await;
            differences.retain(|difference| {
                let is_known =
                    |(file, part): &(&str, &str)| *file == scenario.name && is_part(&difference.request, part);
                let known = NOT_YET.iter().position(is_known);
                if let Some(known) = known {
                    used.lock().unwrap()[known] = true;
                }
                known.is_none()
            });
            if !differences.is_empty() {
                writeln!(report.lock().unwrap(), "{way}\n{}", golden::readable(&differences)).unwrap();
            }
        }
    })
    .await;
    let report = report.into_inner().unwrap();
    assert!(report.is_empty(), "{report}");
    let used = used.into_inner().unwrap();
    let stale: Vec<_> = NOT_YET.iter().zip(used).filter(|(_, used)| !used).map(|(entry, _)| entry).collect();
    assert!(stale.is_empty(), "remove from NOT_YET what works now: {stale:?}");
}

fn is_part(request: &str, part: &str) -> bool {
    match part.strip_suffix('$') {
        Some(end) => request.ends_with(end),
        None => request.contains(part),
    }
}

fn settings(data: &Path) -> Settings {
    Settings {
        sources: vec![data.join("sources.yaml"), data.join("skill-sources.yaml")],
        performance_metrics: vec![data.join("performance")],
        ..Settings::default()
    }
}
