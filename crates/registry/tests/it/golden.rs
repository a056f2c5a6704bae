//! Replays the recorded exchanges, each scenario on an empty database, on every database.

use std::path::Path;

use model_registry_testkit::golden::{self, Scenario};
use model_registry_testkit::{Backend, backends};

use crate::support::Api;

#[tokio::test]
async fn every_recorded_exchange_is_answered_as_expected() {
    let scenarios = Scenario::read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")).unwrap();
    assert!(scenarios.len() >= 18, "only {} scenarios found", scenarios.len());
    let mut report = String::new();
    for backend in backends() {
        for scenario in &scenarios {
            replay(backend, scenario, &mut report).await;
        }
    }
    assert!(report.is_empty(), "{report}");
}

async fn replay(backend: Backend, scenario: &Scenario, report: &mut String) {
    use std::fmt::Write;
    // The machine's clock: some scenarios look at the order of times.
    let api = Api::with_clock(backend, model_registry_base::Clock::system()).await;
    let differences = golden::replay(scenario, golden::router_caller(&api.router)).await;
    if !differences.is_empty() {
        let _ = writeln!(report, "{backend:?}\n{}", golden::readable(&differences));
    }
}
