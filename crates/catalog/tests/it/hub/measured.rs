//! Measurements of models that hubs publish.

use model_registry_catalog::{Catalog, Settings};
use model_registry_testkit::hub::HubServer;
use model_registry_testkit::{Backend, backends};
use serde_json::{Value, json};

use super::{custom, error, eventually, settings, source, state};
use crate::support::{Api, Files};

fn measure(files: &Files, evaluations: &str) {
    let directory = files.path("measured").join("a");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("metadata.json"), r#"{"id": "ORG/a", "size": "7B", "overall_accuracy": 0.5}"#)
        .unwrap();
    std::fs::write(directory.join("evaluations.ndjson"), evaluations).unwrap();
    std::fs::write(directory.join("performance.ndjson"), "{\"id\": \"p1\", \"ttft_p90\": 7}\n").unwrap();
}

fn measured(files: &Files) -> Settings {
    Settings { measurements: vec![files.path("measured")], ..settings(files, None) }
}

async fn score(api: &Api) -> Value {
    let artifacts =
        api.get("sources/hub/models/org/a/artifacts?filterQuery=metricsType='accuracy-metrics'").await.json();
    artifacts["items"][0]["customProperties"]["mmlu"]["double_value"].clone()
}

// catalog-service 3.7: measurements belong to the models of any source.
#[tokio::test]
async fn models_of_hubs_have_their_measurements_and_only_those_that_change_are_read_again() {
    for backend in backends() {
        let hub = HubServer::start().await.unwrap();
        for name in ["org/a", "org/b"] {
            hub.publish(name, 1);
        }
        let files = Files::new(&[("sources.yaml", &source(&hub, "['org/*']", ""))]);
        measure(&files, "{\"benchmark\": \"mmlu\", \"score\": 0.25}\n");
        let api = Api::on(backend, measured(&files)).await;
        api.catalog.sync_hub("hub").await.unwrap();
        assert_eq!(state(&api).await["status"], "available", "{backend}: {}", error(&api).await);
        assert_eq!(custom(&api, "org/a", "size").await, "7B", "{backend}");
        assert_eq!(score(&api).await, json!(0.25), "{backend}");
        let artifacts = api.get("sources/hub/models/org/a/artifacts").await.json();
        assert_eq!(artifacts["size"], 3, "{backend}: {artifacts}");
        assert_eq!(api.names("models?filterQuery=artifacts.ttft_p90 = 7").await, ["org/a"], "{backend}");
        hub.requests();
        let report = api.catalog.sync_hub("hub").await.unwrap();
        assert_eq!((report.written, report.unchanged, hub.requests().len()), (0, 2, 1), "{backend}");

        measure(&files, "{\"benchmark\": \"mmlu\", \"score\": 0.75}\n{\"benchmark\": \"mmlu\", \"score\": 0.9}\n");
        api.catalog.load().await.unwrap();
        let report = api.catalog.sync_hub("hub").await.unwrap();
        assert_eq!((report.written, report.unchanged), (1, 1), "{backend}");
        assert_eq!(hub.requests(), ["/api/models", "/api/models/org/a", "/org/a/README.md"], "{backend}");
        assert_eq!(score(&api).await, json!(0.75), "{backend}");
        // What is wrong with them is told each time, although the model is not read again.
        for _ in 0..2 {
            assert_eq!(state(&api).await["status"], "partially-available", "{backend}");
            let reason = error(&api).await;
            assert!(reason.starts_with("failed to read 1 measurement(s): "), "{backend}: {reason}");
            assert!(reason.contains("evaluations.ndjson:2:"), "{backend}: {reason}");
            api.catalog.sync_hub("hub").await.unwrap();
        }

        std::fs::remove_dir_all(files.path("measured").join("a")).unwrap();
        api.catalog.load().await.unwrap();
        api.catalog.sync_hub("hub").await.unwrap();
        assert_eq!(api.get("sources/hub/models/org/a/artifacts").await.json()["size"], 1, "{backend}");
        assert_eq!(custom(&api, "org/a", "size").await, Value::Null, "{backend}");
        assert_eq!(state(&api).await["status"], "available", "{backend}");
    }
}

#[tokio::test]
async fn a_running_catalog_takes_up_measurements_that_change() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/a", 1);
    let files = Files::new(&[("sources.yaml", &source(&hub, "['org/a']", ""))]);
    measure(&files, "{\"benchmark\": \"mmlu\", \"score\": 0.25}\n");
    let api = Api::on(Backend::Sqlite, measured(&files)).await;
    api.catalog.sync_hub("hub").await.unwrap();
    let running = tokio::spawn(Catalog::new(api.store.clone(), measured(&files)).run());
    measure(&files, "{\"benchmark\": \"mmlu\", \"score\": 0.75}\n");
    eventually("the new score", async || score(&api).await == json!(0.75)).await;
    running.abort();
}
