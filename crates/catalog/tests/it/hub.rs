//! Sources of type `hf`, against a fake hub.

mod access;
mod incremental;
mod limits;
mod mapping;
mod measured;
mod metrics;
mod patterns;
mod proxies;
mod refusals;
mod running;

use std::time::Duration;

use model_registry_catalog::{HubAccess, Settings};
use model_registry_server::config::Environment;
use model_registry_testkit::hub::HubServer;
use model_registry_testkit::{Backend, on_each_database};
use serde_json::Value;

use crate::support::{Api, Files};

on_each_database!(models_are_mapped_and_only_changed_models_are_read_again);

/// A sources file with the source `hub`, whose token is in `HUB_TOKEN`; `properties` starts with a comma.
fn source(hub: &HubServer, patterns: &str, properties: &str) -> String {
    format!(
        "model_catalogs:\n- {{id: hub, name: Hub, type: hf, includedModels: {patterns}, excludedModels: ['*-gguf'], properties: {{url: '{}', apiKeyEnvVar: HUB_TOKEN{properties}}}}}\n",
        hub.base_url()
    )
}

/// Access to hubs on this machine, with short retries.
fn access() -> HubAccess {
    // The build has two TLS providers.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    HubAccess {
        hosts: vec!["127.0.0.1".to_owned()],
        private_addresses: true,
        first_pause: Duration::from_millis(1),
        ..HubAccess::default()
    }
}

fn settings(files: &Files, token: Option<&str>) -> Settings {
    let environment: Environment = token.map(|token| ("HUB_TOKEN", token)).into_iter().collect();
    Settings { hubs: access(), environment, ..files.settings() }
}

async fn api(backend: Backend, hub: &HubServer, patterns: &str, token: Option<&str>) -> (Files, Api) {
    let files = Files::new(&[("sources.yaml", &source(hub, patterns, ""))]);
    let api = Api::on(backend, settings(&files, token)).await;
    (files, api)
}

async fn state(api: &Api) -> Value {
    api.get("sources").await.json()["items"][0].clone()
}

/// The `error` of the only source.
async fn error(api: &Api) -> String {
    state(api).await["error"].as_str().unwrap_or_default().to_owned()
}

async fn custom(api: &Api, model: &str, property: &str) -> Value {
    let model = api.get(&format!("sources/hub/models/{model}")).await.json();
    model["customProperties"][property]["string_value"].clone()
}

// The Kubeflow Model Registry reads descriptions and languages from fields that hubs do not have.
async fn models_are_mapped_and_only_changed_models_are_read_again(backend: Backend) {
    let hub = HubServer::start().await.unwrap();
    for name in ["org/a", "org/b", "org/c-gguf", "org/d", "org/e"] {
        hub.publish(name, 1);
    }
    let (_files, api) = api(backend, &hub, "['org/*']", None).await;
    assert_eq!(state(&api).await.get("status"), None, "no status before the first sync");
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(api.names("models").await, ["org/a", "org/b", "org/d", "org/e"]);
    assert_eq!(state(&api).await["status"], "available");
    let model = api.get("sources/hub/models/org/a").await.json();
    for (field, expected) in [
        ("description", "revision 1"),
        ("provider", "org"),
        ("license", "Apache 2.0"),
        ("libraryName", "transformers"),
        ("readme", "# a\n"),
        ("externalId", "org/a"),
        ("createTimeSinceEpoch", "1704067200000"),
    ] {
        assert_eq!(model[field], expected, "{field}");
    }
    assert_eq!(model["language"], serde_json::json!(["en", "de"]));
    assert_eq!(model["tasks"], serde_json::json!(["text-generation"]));
    assert_eq!(model["customProperties"]["hf_gated"]["string_value"], "false");
    assert_eq!(api.names("models?filterQuery=hf_tags.array_value='pytorch'").await.len(), 4);
    let artifacts = api.get("sources/hub/models/org/a/artifacts").await.json();
    assert_eq!(artifacts["items"][0]["uri"], "hf://org/a");

    hub.requests();
    hub.publish("org/b", 2);
    hub.withdraw("org/e");
    let report = api.catalog.sync("hub").await.unwrap();
    assert_eq!((report.written, report.removed, report.unchanged), (1, 1, 2));
    let models: Vec<String> = hub.requests().into_iter().filter(|path| path.starts_with("/api/models/")).collect();
    assert_eq!(models, ["/api/models/org/b"]);
    assert_eq!(api.get("sources/hub/models/org/b").await.json()["description"], "revision 2");
    assert_eq!(api.names("models").await, ["org/a", "org/b", "org/d"]);

    // A load of the files keeps the models of the hub.
    api.catalog.load().await.unwrap();
    assert_eq!(api.names("models").await, ["org/a", "org/b", "org/d"]);
}
