//! Differences of the v1 prefix.

use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use crate::support::Api;

on_each_database!(
    v1_has_no_experiments_and_shows_none,
    a_step_is_a_string_in_v1_and_a_number_in_v1alpha3_and_both_accept_either,
    only_v1_rejects_an_unknown_order
);

const V1: &str = "/api/model_registry/v1";

async fn v1_has_no_experiments_and_shows_none(backend: Backend) {
    let api = Api::on(backend).await;
    for path in ["experiments", "experiment", "experiment_runs", "experiment_run", "experiment_runs/metric_history"] {
        assert_eq!(api.get(&format!("{V1}/{path}")).await.status, 404, "{path}");
    }
    let experiment = api.create("experiments", json!({"name": "e"})).await;
    let run = api.create("experiment_runs", json!({"experimentId": experiment})).await;
    let metric = json!({"artifactType": "metric", "name": "loss", "value": 1, "step": 5});
    let id = api.create(&format!("experiment_runs/{run}/artifacts"), metric).await;
    let shown = api.get(&format!("{V1}/artifacts/{id}")).await.json();
    assert_eq!(shown["step"], "5");
    let listed = api.get(&format!("{V1}/artifacts")).await.json();
    for artifact in [&shown, &listed["items"][0]] {
        assert!(artifact.get("experimentId").is_none() && artifact.get("experimentRunId").is_none(), "{artifact}");
        assert_eq!(artifact["step"], "5");
    }
}

async fn a_step_is_a_string_in_v1_and_a_number_in_v1alpha3_and_both_accept_either(backend: Backend) {
    let api = Api::on(backend).await;
    let metric = |step: serde_json::Value| json!({"artifactType": "metric", "name": "m", "value": 1, "step": step});
    for wrong in [json!("x"), json!(""), json!(1.5), json!("1.5"), json!(true)] {
        for path in ["artifacts", &format!("{V1}/artifacts")] {
            let response = api.post(path, metric(wrong.clone())).await;
            assert_eq!(response.status, 400, "{wrong}");
            assert!(response.message().starts_with("field `step` must be a 64-bit integer"), "{}", response.message());
        }
    }
    for (path, step) in [("artifacts", json!(5)), ("artifacts", json!("5"))] {
        for path in [path.to_owned(), format!("{V1}/{path}")] {
            let id = api.create(&path, metric(step.clone())).await;
            assert_eq!(api.get(&format!("artifacts/{id}")).await.json()["step"], 5);
            assert_eq!(api.get(&format!("{V1}/artifacts/{id}")).await.json()["step"], "5");
        }
    }
}

async fn only_v1_rejects_an_unknown_order(backend: Backend) {
    let api = Api::on(backend).await;
    let response = api.get(&format!("{V1}/registered_models?orderBy=NAME")).await;
    assert_eq!(
        (response.status, response.message().as_str()),
        (
            400,
            "invalid orderBy `NAME`: fields and properties are written with the suffix of their type. Hint: use CREATE_TIME, \
             LAST_UPDATE_TIME, ID, a field such as `name.string_value`, or a custom property such as `accuracy.double_value`"
        )
    );
    assert_eq!(api.get("registered_models?orderBy=NAME").await.status, 200);
}
