//! Patterns that select the models of a source.

use model_registry_testkit::Backend;
use model_registry_testkit::hub::{HubServer, Planned, TOKEN};
use serde_json::json;

use super::{api, settings, source, state};
use crate::support::{Api, Files};

#[tokio::test]
async fn patterns_without_an_organisation_are_rejected_at_load() {
    let hub = HubServer::start().await.unwrap();
    let (_files, api) = api(Backend::Sqlite, &hub, "['*']", None).await;
    let source = state(&api).await;
    assert_eq!(source["status"], "error");
    assert!(source["error"].as_str().unwrap().contains("requires a specific organization"), "{source}");
    assert!(hub.requests().is_empty());
}

#[tokio::test]
async fn next_pages_are_requested_from_the_hub_itself() {
    let hub = HubServer::start().await.unwrap();
    for name in ["org/a", "org/b", "org/c"] {
        hub.publish(name, 1);
    }
    hub.send_next_pages_to("https://elsewhere.example");
    let (_files, api) = api(Backend::Sqlite, &hub, "['org/*']", None).await;
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(api.names("models").await, ["org/a", "org/b", "org/c"]);
}

// The Kubeflow Model Registry does not encode the names in its requests.
#[tokio::test]
async fn names_are_percent_encoded_in_requests() {
    let hub = HubServer::start().await.unwrap();
    let names = ["a&b=c/m#1?x", "a&b=c/m#2 +%2F", "a/limit&author=b"];
    for name in names {
        hub.publish(name, 1);
    }
    hub.publish("b/secret", 1);
    let (_files, api) = api(Backend::Sqlite, &hub, "['a&b=c/m#*', 'a/limit&author=b']", None).await;
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(state(&api).await["status"], "available", "{}", state(&api).await);
    assert_eq!(api.names("models").await, names);
}

// The Kubeflow Model Registry writes the prefix into its configuration, where it is shown, and adds another at the next load.
#[tokio::test]
async fn the_allowed_organisation_is_prefixed_to_patterns_at_each_sync_and_not_shown() {
    let hub = HubServer::start().await.unwrap();
    for name in ["org/a1", "org/a2-gguf", "org/b", "other/a"] {
        hub.publish(name, 1);
    }
    let files = Files::new(&[("sources.yaml", &source(&hub, "['a*']", ", allowedOrganization: org"))]);
    let api = Api::on(Backend::Sqlite, settings(&files, None)).await;
    for _ in 0..2 {
        api.catalog.sync("hub").await.unwrap();
        assert_eq!(api.names("models").await, ["org/a1"]);
        let source = state(&api).await;
        assert_eq!((&source["includedModels"], &source["excludedModels"]), (&json!(["a*"]), &json!(["*-gguf"])));
        api.catalog.load().await.unwrap();
    }
}

// The Kubeflow Model Registry has one artifact for both, which moves to the source that was loaded last.
#[tokio::test]
async fn a_model_in_two_sources_has_its_artifact_in_each() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/a", 1);
    let url = hub.base_url();
    let entry = |id: &str| {
        format!("- {{id: {id}, name: Hub, type: hf, includedModels: ['org/a'], properties: {{url: '{url}'}}}}\n")
    };
    let files = Files::new(&[("sources.yaml", &format!("model_catalogs:\n{}{}", entry("one"), entry("two")))]);
    let api = Api::on(Backend::Sqlite, settings(&files, None)).await;
    for source in ["one", "two", "one"] {
        hub.publish("org/a", 2);
        api.catalog.sync(source).await.unwrap();
    }
    for source in ["one", "two"] {
        let artifacts = api.get(&format!("sources/{source}/models/org/a/artifacts")).await.json();
        assert_eq!(artifacts["items"][0]["uri"], "hf://org/a", "{source}");
    }
}

#[tokio::test]
async fn a_hub_may_have_a_base_path() {
    let hub = HubServer::start_below("/mirrors/hf").await.unwrap();
    for name in ["org/a", "org/b", "org/c"] {
        hub.publish(name, 1);
    }
    for end in ["", "/"] {
        let text = source(&hub, "['org/*']", "").replace("/mirrors/hf'", &format!("/mirrors/hf{end}'"));
        let files = Files::new(&[("sources.yaml", &text)]);
        let api = Api::on(Backend::Sqlite, settings(&files, Some(TOKEN))).await;
        api.catalog.sync("hub").await.unwrap();
        assert_eq!(api.names("models").await, ["org/a", "org/b", "org/c"], "{}", state(&api).await);
        assert_eq!(api.get("sources/hub/models/org/a").await.json()["readme"], "# a\n");
    }
}

// A hub redirects the old name of a renamed model.
#[tokio::test]
async fn exclusions_apply_to_the_current_name_of_a_model() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/a-gguf", 1);
    hub.publish("org/b", 1);
    hub.plan("/api/models/old/a", vec![Planned::Redirect("/api/models/org/a-gguf".to_owned())]);
    let (_files, api) = api(Backend::Sqlite, &hub, "['old/a', 'org/b', 'org/c-gguf']", None).await;
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(api.names("models").await, ["org/b"]);
    assert_eq!(state(&api).await["status"], "available");
}
