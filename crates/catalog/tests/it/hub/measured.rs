//! Performance and accuracy metrics of models of hubs.

use model_registry_catalog::{Catalog, Settings};
use model_registry_testkit::hub::HubServer;
use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Value, json};

use super::{custom, error, settings, source, state};
use crate::support::{Api, Files, eventually};

on_each_database!(models_of_hubs_have_metrics_and_only_models_with_changed_metrics_are_read_again);

fn write_metrics(files: &Files, evaluations: &str) {
    let directory = files.path("measured").join("a");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("metadata.json"), r#"{"id": "ORG/a", "size": "7B", "overall_accuracy": 0.5}"#)
        .unwrap();
    std::fs::write(directory.join("evaluations.ndjson"), evaluations).unwrap();
    std::fs::write(directory.join("performance.ndjson"), "{\"id\": \"p1\", \"ttft_p90\": 7}\n").unwrap();
}

fn settings_with_metrics(files: &Files) -> Settings {
    Settings { performance_metrics: vec![files.path("measured")], ..settings(files, None) }
}

async fn score(api: &Api) -> Value {
    let artifacts =
        api.get("sources/hub/models/org/a/artifacts?filterQuery=metricsType='accuracy-metrics'").await.json();
    artifacts["items"][0]["customProperties"]["mmlu"]["double_value"].clone()
}

async fn models_of_hubs_have_metrics_and_only_models_with_changed_metrics_are_read_again(backend: Backend) {
    let hub = HubServer::start().await.unwrap();
    for name in ["org/a", "org/b"] {
        hub.publish(name, 1);
    }
    let files = Files::new(&[("sources.yaml", &source(&hub, "['org/*']", ""))]);
    write_metrics(&files, "{\"benchmark\": \"mmlu\", \"score\": 0.25}\n");
    let api = Api::on(backend, settings_with_metrics(&files)).await;
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(state(&api).await["status"], "available", "{}", error(&api).await);
    assert_eq!(custom(&api, "org/a", "size").await, "7B");
    assert_eq!(score(&api).await, json!(0.25));
    let artifacts = api.get("sources/hub/models/org/a/artifacts").await.json();
    assert_eq!(artifacts["size"], 3, "{artifacts}");
    assert_eq!(api.names("models?filterQuery=artifacts.ttft_p90 = 7").await, ["org/a"]);
    hub.requests();
    let report = api.catalog.sync("hub").await.unwrap();
    assert_eq!((report.written, report.unchanged, hub.requests().len()), (0, 2, 1));

    write_metrics(
        &files,
        "{\"benchmark\": \"mmlu\", \"score\": 0.75}\n{\"benchmark\": \"mmlu\", \"score\": \"high\"}\n",
    );
    api.catalog.load().await.unwrap();
    let report = api.catalog.sync("hub").await.unwrap();
    assert_eq!((report.written, report.unchanged), (1, 1));
    assert_eq!(hub.requests(), ["/api/models", "/api/models/org/a", "/org/a/README.md"]);
    assert_eq!(score(&api).await, json!(0.75));
    // Their problems are reported after each sync, although the model is not read again.
    for _ in 0..2 {
        assert_eq!(state(&api).await["status"], "partially-available");
        let reason = error(&api).await;
        assert!(reason.starts_with("failed to read 1 performance metrics record(s): "), "{reason}");
        assert!(reason.contains("evaluations.ndjson:2:"), "{reason}");
        api.catalog.sync("hub").await.unwrap();
    }

    std::fs::remove_dir_all(files.path("measured").join("a")).unwrap();
    api.catalog.load().await.unwrap();
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(api.get("sources/hub/models/org/a/artifacts").await.json()["size"], 1);
    assert_eq!(custom(&api, "org/a", "size").await, Value::Null);
    assert_eq!(state(&api).await["status"], "available");
}

#[tokio::test]
async fn a_running_catalog_loads_changed_metrics() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/a", 1);
    let files = Files::new(&[("sources.yaml", &source(&hub, "['org/a']", ""))]);
    write_metrics(&files, "{\"benchmark\": \"mmlu\", \"score\": 0.25}\n");
    let api = Api::on(Backend::Sqlite, settings_with_metrics(&files)).await;
    api.catalog.sync("hub").await.unwrap();
    let running = tokio::spawn(Catalog::new(api.store.clone(), settings_with_metrics(&files)).run());
    write_metrics(&files, "{\"benchmark\": \"mmlu\", \"score\": 0.75}\n");
    eventually("the new score", async || score(&api).await == json!(0.75)).await;
    running.abort();
}
