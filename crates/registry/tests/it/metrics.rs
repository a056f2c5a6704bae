//! Metrics of runs and their history.

use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Value, json};

use crate::support::Api;

on_each_database!(
    concurrently_logged_points_are_all_kept,
    the_history_is_filtered_by_exact_name_and_64_bit_steps,
    custom_properties_survive_a_log_without_them_and_are_copied_to_the_point,
    an_artifact_keeps_its_run_when_updated,
    the_id_of_a_metric_point_is_not_an_artifact_id,
    a_metric_attached_by_id_is_updated_by_name
);

async fn run(api: &Api) -> String {
    let experiment = api.create("experiments", json!({"name": "e"})).await;
    api.create("experiment_runs", json!({"name": "r", "experimentId": experiment})).await
}

async fn concurrently_logged_points_are_all_kept(backend: Backend) {
    let api = Api::on(backend).await;
    let run = run(&api).await;
    let path = format!("experiment_runs/{run}/artifacts");
    let log = |n: u32| {
        let body = json!({"artifactType": "metric", "name": "loss", "value": f64::from(n), "step": n});
        api.post(&path, body)
    };
    let responses = futures::future::join_all((0..40).map(log)).await;
    for response in &responses {
        assert!(matches!(response.status, 200 | 201), "{}", response.message());
    }
    assert_eq!(responses.iter().filter(|response| response.status == 201).count(), 1);
    let history = api.get(&format!("experiment_runs/{run}/metric_history?name=loss")).await.json();
    let mut steps: Vec<_> = history["items"].as_array().unwrap().iter().map(|item| item["step"].as_i64()).collect();
    steps.sort_unstable();
    assert_eq!(steps, (0..40).map(Some).collect::<Vec<_>>());
    assert_eq!(api.get(&path).await.names(), ["loss"]);
}

async fn the_history_is_filtered_by_exact_name_and_64_bit_steps(backend: Backend) {
    let api = Api::on(backend).await;
    let run = run(&api).await;
    let path = format!("experiment_runs/{run}/artifacts");
    for (name, step) in [("loss", 1), ("val_loss", 1), ("loss", 5_000_000_000_i64)] {
        let body = json!({"artifactType": "metric", "name": name, "value": 1, "step": step});
        assert!(api.post(&path, body).await.status < 300);
    }
    let history = format!("experiment_runs/{run}/metric_history");
    assert_eq!(api.get(&format!("{history}?name=loss")).await.names(), ["loss", "loss"]);
    assert_eq!(api.get(&format!("{history}?stepIds=5000000000")).await.names(), ["loss"]);
    assert_eq!(api.get(&format!("{history}?stepIds=%201%20,,")).await.names(), ["loss", "val_loss"]);
    let filter = "filterQuery=name%20=%20'loss'%20AND%20step%20%3E%201";
    assert_eq!(api.get(&format!("{history}?{filter}")).await.names(), ["loss"]);
    assert_eq!(api.get("experiment_runs/metric_history?name=val_loss").await.names(), ["val_loss"]);
}

async fn custom_properties_survive_a_log_without_them_and_are_copied_to_the_point(backend: Backend) {
    let api = Api::on(backend).await;
    let run = run(&api).await;
    let path = format!("experiment_runs/{run}/artifacts");
    let tag = json!({"split": {"metadataType": "MetadataStringValue", "string_value": "test"}});
    let first = json!({"artifactType": "metric", "name": "loss", "value": 1, "customProperties": tag});
    api.create(&path, first).await;
    let second = api.post(&path, json!({"artifactType": "metric", "name": "loss", "value": 2})).await;
    assert_eq!(second.json()["customProperties"], tag);
    let history = format!("experiment_runs/{run}/metric_history?filterQuery=split%20=%20'test'");
    let points = api.get(&history).await.json();
    let values: Vec<&Value> = points["items"].as_array().unwrap().iter().map(|item| &item["value"]).collect();
    assert_eq!(values, [&json!(1.0), &json!(2.0)]);
}

async fn an_artifact_keeps_its_run_when_updated(backend: Backend) {
    let api = Api::on(backend).await;
    let run = run(&api).await;
    let body = json!({"artifactType": "model-artifact", "name": "out", "uri": "u"});
    let artifact = api.create(&format!("experiment_runs/{run}/artifacts"), body).await;
    let patch = json!({"artifactType": "model-artifact", "uri": "v", "customProperties": {}});
    for path in [format!("artifacts/{artifact}"), format!("model_artifacts/{artifact}")] {
        let updated = api.patch(&path, patch.clone()).await.json();
        assert_eq!(updated["experimentRunId"], json!(run));
    }
    let filter = format!("artifacts?filterQuery=experimentRunId%20=%20{run}%20AND%20uri%20=%20'v'");
    assert_eq!(api.get(&filter).await.names(), ["out"]);
}

async fn the_id_of_a_metric_point_is_not_an_artifact_id(backend: Backend) {
    let api = Api::on(backend).await;
    let run = run(&api).await;
    let log = json!({"artifactType": "metric", "name": "loss", "value": 1.0});
    assert_eq!(api.post(&format!("experiment_runs/{run}/artifacts"), log).await.status, 201);
    let history = api.get(&format!("experiment_runs/{run}/metric_history")).await.json();
    let point = history["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("artifacts/{point}");
    assert_eq!(api.get(&path).await.status, 404, "{point}");
    let change = json!({"artifactType": "metric", "value": 9.0});
    assert_eq!(api.patch(&path, change).await.status, 404, "{point}");
    let by_id = api.get(&format!("experiment_runs/{run}/metric_history?filterQuery=id%20=%20{point}")).await;
    assert_eq!(by_id.names(), ["loss"]);
}

async fn a_metric_attached_by_id_is_updated_by_name(backend: Backend) {
    let api = Api::on(backend).await;
    let run = run(&api).await;
    let path = format!("experiment_runs/{run}/artifacts");
    for (kind, value) in [("metric", json!(1.0)), ("parameter", json!("1"))] {
        let body = json!({"artifactType": kind, "name": "attached", "value": value});
        let id = api.create("artifacts", body.clone()).await;
        let mut with_id = body.clone();
        with_id["id"] = json!(id);
        assert_eq!(api.post(&path, with_id).await.status, 200);
        let (statements, again) = api.statements(api.post(&path, body.clone())).await;
        assert_eq!((again.status, again.id()), (200, id));
        assert!(statements <= 4, "{statements}");
        // A metric of the run itself takes precedence over an attached one.
        let mut own = body;
        own["name"] = json!("own");
        let own_id = api.post(&path, own.clone()).await.id();
        let elsewhere = api.create("artifacts", own.clone()).await;
        let mut attached = own.clone();
        attached["id"] = json!(elsewhere);
        assert_eq!(api.post(&path, attached).await.status, 200);
        assert_eq!(api.post(&path, own).await.id(), own_id);
    }
}
