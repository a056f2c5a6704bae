//! Sources of type `hf`, against a stand-in hub.

use std::time::Duration;

use model_registry_catalog::{HubAccess, Settings};
use model_registry_server::config::Environment;
use model_registry_testkit::hub::{HubServer, Planned, TOKEN};
use model_registry_testkit::{Backend, backends};
use serde_json::Value;

use crate::support::{Api, Files};

async fn api(backend: Backend, hub: &HubServer, patterns: &str, token: Option<&str>) -> (Files, Api) {
    // Two providers in one build: one has to be chosen.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let sources = format!(
        "model_catalogs:\n- {{id: hub, name: Hub, type: hf, includedModels: {patterns}, excludedModels: ['*-gguf'], properties: {{url: 'http://{}', apiKeyEnvVar: HUB_TOKEN}}}}\n",
        hub.address()
    );
    let files = Files::new(&[("sources.yaml", &sources)]);
    let hubs = HubAccess { hosts: vec!["127.0.0.1".to_owned()], private_addresses: true };
    let environment: Environment = token.map(|token| ("HUB_TOKEN", token)).into_iter().collect();
    let api = Api::on(backend, Settings { hubs, environment, ..files.settings() }).await;
    (files, api)
}

async fn state(api: &Api) -> Value {
    api.get("sources").await.json()["items"][0].clone()
}

#[tokio::test]
async fn models_are_mapped_and_only_changes_are_read_again() {
    for backend in backends() {
        let hub = HubServer::start().await.unwrap();
        for name in ["org/a", "org/b", "org/c-gguf", "org/d", "org/e"] {
            hub.publish(name, 1);
        }
        let (_files, api) = api(backend, &hub, "['org/*']", None).await;
        assert_eq!(state(&api).await.get("status"), None, "nothing is known before the first sync");
        api.catalog.sync_hub("hub").await.unwrap();
        assert_eq!(api.names("models").await, ["org/a", "org/b", "org/d", "org/e"], "{backend}");
        assert_eq!(state(&api).await["status"], "available");
        let model = api.get("sources/hub/models/org/a").await.json();
        for (field, expected) in [
            ("description", "revision 1"),
            ("provider", "org"),
            ("license", "Apache 2.0"),
            ("readme", "# a\n"),
            ("externalId", "org/a"),
            ("createTimeSinceEpoch", "1704067200000"),
        ] {
            assert_eq!(model[field], expected, "{field}");
        }
        assert_eq!(model["language"], serde_json::json!(["en", "de"]));
        assert_eq!(model["customProperties"]["hf_gated"]["string_value"], "auto");
        assert_eq!(api.names("models?filterQuery=hf_tags.array_value='pytorch'").await.len(), 4);
        let artifacts = api.get("sources/hub/models/org/a/artifacts").await.json();
        assert_eq!(artifacts["items"][0]["uri"], "hf://org/a");

        hub.requests();
        hub.publish("org/b", 2);
        hub.withdraw("org/e");
        let report = api.catalog.sync_hub("hub").await.unwrap();
        assert_eq!((report.written, report.removed, report.unchanged), (1, 1, 2), "{backend}");
        let models: Vec<String> = hub.requests().into_iter().filter(|path| path.starts_with("/api/models/")).collect();
        assert_eq!(models, ["/api/models/org/b"]);
        assert_eq!(api.get("sources/hub/models/org/b").await.json()["description"], "revision 2");
        assert_eq!(api.names("models").await, ["org/a", "org/b", "org/d"]);

        // A load of the files leaves alone what came from the hub.
        api.catalog.load().await.unwrap();
        assert_eq!(api.names("models").await, ["org/a", "org/b", "org/d"]);
    }
}

#[tokio::test]
async fn a_busy_hub_is_asked_again_when_it_says() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/a", 1);
    hub.plan("/api/models/org/a", vec![Planned::Busy(vec![("retry-after", "1".to_owned())]), Planned::Broken]);
    let (_files, api) = api(Backend::Sqlite, &hub, "['org/a']", None).await;
    let started = std::time::Instant::now();
    api.catalog.sync_hub("hub").await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(api.names("models").await, ["org/a"]);
}

// Answers that are no refusals: whoever went on would be refused.
#[tokio::test]
async fn a_hub_that_has_nothing_left_is_left_alone_by_all_requests() {
    for (name, header) in [("ratelimit", "\"api\";r=0;t=1"), ("x-ratelimit-reset", "1")] {
        let hub = HubServer::start().await.unwrap();
        let names = ["org/a", "org/b", "org/c", "org/d", "org/e", "org/f"];
        for name in names {
            hub.publish(name, 1);
        }
        let headers = vec![(name, header.to_owned()), ("x-ratelimit-remaining", "0".to_owned())];
        // The third page of the list: the models are asked for after it.
        let pages = [Planned::Slow(Duration::ZERO), Planned::Slow(Duration::ZERO), Planned::With(headers)];
        hub.plan("/api/models", pages.into());
        let (_files, api) = api(Backend::Sqlite, &hub, "['org/*']", None).await;
        let started = std::time::Instant::now();
        api.catalog.sync_hub("hub").await.unwrap();
        assert!(started.elapsed() >= Duration::from_secs(1), "{name}");
        assert_eq!(api.names("models").await, names);
        let lists = hub.requests().into_iter().filter(|path| path == "/api/models").count();
        assert_eq!(lists, 3, "nothing was asked twice");
    }
}

#[tokio::test]
async fn next_pages_are_asked_of_the_hub_itself() {
    let hub = HubServer::start().await.unwrap();
    for name in ["org/a", "org/b", "org/c"] {
        hub.publish(name, 1);
    }
    hub.send_next_pages_to("https://elsewhere.example");
    let (_files, api) = api(Backend::Sqlite, &hub, "['org/*']", None).await;
    api.catalog.sync_hub("hub").await.unwrap();
    assert_eq!(api.names("models").await, ["org/a", "org/b", "org/c"]);
}

// What a list that failed would have had is not gone.
#[tokio::test]
async fn models_stay_when_their_list_cannot_be_read() {
    for backend in backends() {
        let hub = HubServer::start().await.unwrap();
        for name in ["one/a", "one/other", "two/b"] {
            hub.publish(name, 1);
        }
        let (_files, api) = api(backend, &hub, "['one/A*', 'two/*']", None).await;
        api.catalog.sync_hub("hub").await.unwrap();
        assert_eq!(api.names("models").await, ["one/a", "two/b"], "{backend}");

        hub.publish("two/b", 2);
        hub.plan("/api/models", vec![Planned::Redirect("https://elsewhere.example/".to_owned())]);
        api.catalog.sync_hub("hub").await.unwrap();
        assert_eq!(api.names("models").await, ["one/a", "two/b"], "{backend}");
        assert_eq!(api.get("sources/hub/models/two/b").await.json()["description"], "revision 2");
        let source = state(&api).await;
        assert_eq!(source["status"], "partially-available", "{source}");
        assert!(source["error"].as_str().unwrap().starts_with("one/A*: "), "{source}");

        hub.withdraw("one/a");
        api.catalog.sync_hub("hub").await.unwrap();
        assert_eq!(api.names("models").await, ["two/b"], "{backend}");
    }
}

#[tokio::test]
async fn a_list_whose_next_page_cannot_be_asked_for_is_not_complete() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/a", 1);
    let (_files, api) = api(Backend::Sqlite, &hub, "['org/*']", None).await;
    api.catalog.sync_hub("hub").await.unwrap();
    let link = ("link", format!("<{}/api/models?page=2>; rel=\"next\"", hub.base_url()));
    hub.plan("/api/models", vec![Planned::With(vec![link])]);
    api.catalog.sync_hub("hub").await.unwrap();
    assert_eq!(api.names("models").await, ["org/a"]);
    let source = state(&api).await;
    assert!(source["error"].as_str().unwrap().contains("no cursor in the next page"), "{source}");
}

#[tokio::test]
async fn models_that_cannot_be_read_are_told_and_the_others_served() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/open", 1);
    hub.publish("org/gated", 1);
    hub.gate("org/gated");
    let (_files, closed) = api(Backend::Sqlite, &hub, "['org/open', 'org/gated', 'org/absent']", None).await;
    closed.catalog.sync_hub("hub").await.unwrap();
    assert_eq!(closed.names("models").await, ["org/open"]);
    let source = state(&closed).await;
    assert_eq!(source["status"], "partially-available");
    let error = source["error"].as_str().unwrap();
    assert!(error.contains("org/absent: not found") && error.contains("org/gated: access denied"), "{error}");

    let (_files, open) = api(Backend::Sqlite, &hub, "['org/open', 'org/gated']", Some(TOKEN)).await;
    open.catalog.sync_hub("hub").await.unwrap();
    assert_eq!(open.names("models").await, ["org/gated", "org/open"]);

    let (_files, wrong) = api(Backend::Sqlite, &hub, "['org/open']", Some("hf_wrong")).await;
    wrong.catalog.sync_hub("hub").await.unwrap();
    let source = state(&wrong).await;
    assert_eq!(source["status"], "error");
    assert!(!source["error"].as_str().unwrap().contains("hf_wrong"), "{source}");
}

#[tokio::test]
async fn neither_an_address_nor_a_redirect_leads_where_it_must_not() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/a", 1);
    hub.plan("/api/models/org/a", vec![Planned::Redirect("http://169.254.169.254/latest/meta-data".to_owned())]);
    let (files, allowed) = api(Backend::Sqlite, &hub, "['org/a']", None).await;
    allowed.catalog.sync_hub("hub").await.unwrap();
    let error = state(&allowed).await["error"].as_str().unwrap().to_owned();
    assert!(error.contains("not among the allowed hubs"), "{error}");

    let strict = Api::on(Backend::Sqlite, files.settings()).await;
    strict.catalog.sync_hub("hub").await.unwrap();
    assert_eq!(state(&strict).await["status"], "error");
    assert!(strict.names("models").await.is_empty());
}

#[tokio::test]
async fn patterns_without_an_organisation_are_refused_at_once() {
    let hub = HubServer::start().await.unwrap();
    let (_files, api) = api(Backend::Sqlite, &hub, "['*']", None).await;
    let source = state(&api).await;
    assert_eq!(source["status"], "error");
    assert!(source["error"].as_str().unwrap().contains("requires a specific organization"), "{source}");
    assert!(hub.requests().is_empty());
}
