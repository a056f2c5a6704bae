//! Replays the recorded exchanges, each scenario on an empty database, on every database.

use std::path::Path;

use axum::body::Body;
use http::Request;
use model_registry_testkit::golden::{self, Call, Reply, Scenario};
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
    let api = Api::with_clock(backend, model_registry_store::Clock::system()).await;
    let caller = async |call: Call| -> Result<Reply, std::convert::Infallible> {
        let mut request = Request::builder().method(call.method.as_str()).uri(&call.target);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let answer = api.send(request.body(Body::from(call.body)).unwrap()).await;
        let content_type = answer.headers.get("content-type").and_then(|value| value.to_str().ok());
        Ok(Reply { status: answer.status, content_type: content_type.map(str::to_owned), body: answer.bytes })
    };
    let differences = golden::replay(scenario, caller).await;
    if !differences.is_empty() {
        let _ = writeln!(report, "{backend:?}\n{}", golden::readable(&differences));
    }
}
