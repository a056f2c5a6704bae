//! Replays the recorded exchanges.

use std::fmt::Write;
use std::path::Path;
use std::sync::Mutex;

use model_registry_catalog::Settings;
use model_registry_testkit::golden::{self, Scenario};
use model_registry_testkit::{Backend, on_each_database};

use crate::support::{self, Api, without_and_with_index};

on_each_database!(every_recorded_exchange_is_replayed, every_recorded_exchange_of_august_2026_is_replayed);

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
    assert!(scenarios.len() >= 9, "only {} scenarios found", scenarios.len());
    let report = Mutex::new(String::new());
    // Scenarios with flags have a server of their own.
    let (plain, with_flags): (Vec<_>, Vec<_>) = scenarios.iter().partition(|scenario| scenario.flags.is_empty());
    let replay = async |way: &str, scenario: &Scenario, api: &Api| {
        let differences = golden::replay(scenario, golden::router_caller(&api.router)).await;
        if !differences.is_empty() {
            writeln!(report.lock().unwrap(), "{way}\n{}", golden::readable(&differences)).unwrap();
        }
    };
    let api = Api::on(backend, settings(&directory.join("data"))).await;
    without_and_with_index(&api, async |way| {
        for scenario in &plain {
            replay(way, scenario, &api).await;
        }
    })
    .await;
    for scenario in with_flags {
        let api = Api::with_flags(backend, settings(&directory.join("data")), &scenario.flags).await;
        replay("with flags", scenario, &api).await;
    }
    let report = report.into_inner().unwrap();
    assert!(report.is_empty(), "{report}");
}

fn settings(data: &Path) -> Settings {
    Settings {
        sources: vec![data.join("sources.yaml"), data.join("skill-sources.yaml")],
        performance_metrics: vec![data.join("performance")],
        ..Settings::default()
    }
}
