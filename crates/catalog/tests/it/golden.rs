//! Replays the recorded exchanges on every database.

use axum::body::Body;
use http::Request;
use model_registry_testkit::backends;
use model_registry_testkit::golden::{self, Call, Reply, Scenario};

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
                let caller = async |call: Call| -> Result<Reply, std::convert::Infallible> {
                    let mut request = Request::builder().method(call.method.as_str()).uri(&call.target);
                    for (name, value) in &call.headers {
                        request = request.header(name, value);
                    }
                    let answer = api.send(request.body(Body::from(call.body)).unwrap()).await;
                    let content_type = answer.headers.get("content-type").and_then(|value| value.to_str().ok());
                    Ok(Reply {
                        status: answer.status,
                        content_type: content_type.map(str::to_owned),
                        body: answer.bytes,
                    })
                };
                let differences = golden::replay(scenario, caller).await;
                if !differences.is_empty() {
                    let _ = writeln!(report, "{backend:?} {way}\n{}", golden::readable(&differences));
                }
            }
            api.catalog.index().await.unwrap();
        }
    }
    assert!(report.is_empty(), "{report}");
}
