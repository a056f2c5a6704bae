//! Replays the recorded exchanges, each scenario on an empty database.

use std::path::Path;

use model_registry_base::Clock;
use model_registry_testkit::golden::{self, Scenario};
use model_registry_testkit::{Backend, on_each_database};

use crate::support::Api;

on_each_database!(every_recorded_exchange_gets_the_recorded_response);

async fn every_recorded_exchange_gets_the_recorded_response(backend: Backend) {
    let scenarios = Scenario::read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")).unwrap();
    assert!(scenarios.len() >= 22, "only {} scenarios found", scenarios.len());
    let mut report = String::new();
    for scenario in &scenarios {
        // The system clock: some scenarios compare the order of times.
        let api = Api::with_flags(backend, Clock::system(), &scenario.flags).await;
        let differences = golden::replay(scenario, golden::router_caller(&api.router)).await;
        if !differences.is_empty() {
            report.push_str(&golden::readable(&differences));
            report.push('\n');
        }
    }
    assert!(report.is_empty(), "{report}");
}
