//! Replays the recorded exchanges on every database.

use model_registry_testkit::backends;
use model_registry_testkit::golden::{self, Scenario};

use crate::support::{self, Api};

#[tokio::test]
async fn every_recorded_exchange_is_answered_as_expected() {
    use std::fmt::Write;
    let scenarios = Scenario::read_all(&support::golden()).unwrap();
    assert!(scenarios.len() >= 17, "only {} scenarios found", scenarios.len());
    let mut report = String::new();
    for backend in backends() {
        let api = Api::of_golden_data(backend).await;
        for way in ["alone", "with an index"] {
            for scenario in &scenarios {
                let differences = golden::replay(scenario, golden::router_caller(&api.router)).await;
                if !differences.is_empty() {
                    let _ = writeln!(report, "{backend:?} {way}\n{}", golden::readable(&differences));
                }
            }
            api.catalog.index().await.unwrap();
        }
    }
    assert!(report.is_empty(), "{report}");
}
