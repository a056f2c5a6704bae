//! Replays the recorded exchanges.

use std::fmt::Write;
use std::sync::Mutex;

use model_registry_testkit::golden::{self, Scenario};
use model_registry_testkit::{Backend, on_each_database};

use crate::support::{self, Api, without_and_with_index};

on_each_database!(every_recorded_exchange_is_replayed);

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
