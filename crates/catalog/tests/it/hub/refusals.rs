//! Models that cannot be read: reported errors, kept and removed models.

use std::time::Duration;

use http::StatusCode;
use model_registry_catalog::{HubAccess, Settings};
use model_registry_testkit::hub::{HubServer, Planned, TOKEN, TOKEN_WITHOUT_ACCESS};
use model_registry_testkit::{Backend, on_each_database};

use super::{access, api, error, source, state};
use crate::support::{Api, Files};

on_each_database!(models_stay_if_their_list_cannot_be_read);

async fn models_stay_if_their_list_cannot_be_read(backend: Backend) {
    let hub = HubServer::start().await.unwrap();
    for name in ["one/a", "one/other", "two/b"] {
        hub.publish(name, 1);
    }
    let (_files, api) = api(backend, &hub, "['one/A*', 'two/*']", None).await;
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(api.names("models").await, ["one/a", "two/b"]);

    hub.publish("two/b", 2);
    hub.plan("/api/models", vec![Planned::Redirect("https://elsewhere.example/".to_owned())]);
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(api.names("models").await, ["one/a", "two/b"]);
    assert_eq!(api.get("sources/hub/models/two/b").await.json()["description"], "revision 2");
    let source = state(&api).await;
    assert_eq!(source["status"], "partially-available", "{source}");
    assert!(source["error"].as_str().unwrap().starts_with("one/A*: "), "{source}");

    hub.withdraw("one/a");
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(api.names("models").await, ["two/b"]);
}

#[tokio::test]
async fn a_list_without_a_usable_link_to_its_next_page_is_incomplete() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/a", 1);
    let (_files, api) = api(Backend::Sqlite, &hub, "['org/*']", None).await;
    api.catalog.sync("hub").await.unwrap();
    let link = ("link", format!("<{}/api/models?page=2>; rel=\"next\"", hub.base_url()));
    hub.plan("/api/models", vec![Planned::With(vec![link])]);
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(api.names("models").await, ["org/a"]);
    assert!(error(&api).await.contains("no cursor in the next page"), "{}", error(&api).await);
}

#[tokio::test]
async fn unreadable_models_are_reported_and_the_others_published() {
    let hub = HubServer::start().await.unwrap();
    for name in ["org/open", "org/gated", "org/private"] {
        hub.publish(name, 1);
    }
    hub.gate("org/gated");
    hub.hide("org/private");
    let patterns = "['org/open', 'org/gated', 'org/private', 'org/absent']";
    // The hub answers 401 and 403, with its error codes.
    for token in [None, Some(TOKEN_WITHOUT_ACCESS)] {
        let (_files, closed) = api(Backend::Sqlite, &hub, patterns, token).await;
        closed.catalog.sync("hub").await.unwrap();
        assert_eq!(closed.names("models").await, ["org/open"]);
        assert_eq!(state(&closed).await["status"], "partially-available");
        let error = error(&closed).await;
        for part in ["org/absent: not found", "org/private: not found, or private", "org/gated: access denied"] {
            assert!(error.contains(part), "{token:?}: {error}");
        }
    }
    let (_files, open) = api(Backend::Sqlite, &hub, "['org/open', 'org/gated', 'org/private']", Some(TOKEN)).await;
    open.catalog.sync("hub").await.unwrap();
    assert_eq!(open.names("models").await, ["org/gated", "org/open", "org/private"]);
}

#[tokio::test]
async fn a_failing_or_slow_request_is_tried_five_times_and_the_models_stay() {
    let hub = HubServer::start().await.unwrap();
    for name in ["org/a", "org/b"] {
        hub.publish(name, 1);
    }
    let files = Files::new(&[("sources.yaml", &source(&hub, "['org/a', 'org/b']", ""))]);
    let hubs = HubAccess { timeout: Duration::from_millis(250), ..access() };
    let api = Api::on(Backend::Sqlite, Settings { hubs, ..files.settings() }).await;
    api.catalog.sync("hub").await.unwrap();
    for name in ["org/a", "org/b"] {
        hub.publish(name, 2);
    }
    let long = Duration::from_mins(10);
    hub.plan("/api/models/org/a", std::iter::repeat_with(|| Planned::Slow(long)).take(5).collect());
    hub.plan("/api/models/org/b", std::iter::repeat_with(|| Planned::Broken).take(5).collect());
    hub.requests();
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(hub.requests().len(), 10);
    let reason = error(&api).await;
    assert!(reason.contains("org/a: the hub cannot be reached: "), "{reason}");
    assert!(reason.contains("org/b: the hub responded with 502 Bad Gateway"), "{reason}");
    assert_eq!(api.names("models").await, ["org/a", "org/b"]);
    let stored = api.catalog.store();
    assert_eq!(stored.find_next_sync("hub").await.unwrap(), None, "it is due at once");

    api.catalog.sync("hub").await.unwrap();
    assert_eq!(state(&api).await["status"], "available");
    assert_eq!(api.get("sources/hub/models/org/a").await.json()["description"], "revision 2");
}

#[tokio::test]
async fn a_sync_stops_after_repeated_failures_and_its_error_is_truncated() {
    let hub = HubServer::start().await.unwrap();
    let names: Vec<String> = (0..60).map(|number| format!("org/m{number:02}")).collect();
    for name in &names {
        hub.publish(name, 1);
        hub.plan(&format!("/api/models/{name}"), std::iter::repeat_with(|| Planned::Broken).take(5).collect());
    }
    let (_files, api) = api(Backend::Sqlite, &hub, &serde_json::to_string(&names).unwrap(), None).await;
    api.catalog.sync("hub").await.unwrap();
    // Eight failed models, and the requests in flight.
    let requests = hub.requests().len();
    assert!((40..=60).contains(&requests), "{requests}");
    let reason = error(&api).await;
    assert!(reason.contains("org/m00: the hub responded with 502") && reason.ends_with("; and 40 more"), "{reason}");
    assert!(reason.contains("not requested: 8 requests to the hub failed in a row"), "{reason}");
    assert_eq!(state(&api).await["status"], "error");
}

#[tokio::test]
async fn a_model_is_removed_only_if_the_hub_reports_it_gone_or_forbidden() {
    let hub = HubServer::start().await.unwrap();
    let names = ["org/a", "org/b", "org/c", "org/d", "org/e"];
    for name in names {
        hub.publish(name, 1);
    }
    let (_files, api) = api(Backend::Sqlite, &hub, &serde_json::to_string(&names).unwrap(), None).await;
    api.catalog.sync("hub").await.unwrap();
    for (name, status) in [
        ("org/a", StatusCode::BAD_REQUEST),
        ("org/b", StatusCode::IM_A_TEAPOT),
        ("org/c", StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS),
        ("org/d", StatusCode::GONE),
    ] {
        hub.plan(&format!("/api/models/{name}"), vec![Planned::Refused(status)]);
    }
    hub.gate("org/e");
    hub.requests();
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(hub.requests().len(), 5, "no retries");
    assert_eq!(api.names("models").await, ["org/a", "org/b"]);
    let reason = error(&api).await;
    assert!(reason.contains("org/a: the hub responded with 400 Bad Request"), "{reason}");
    assert_eq!(reason.split("; ").count(), 5, "{reason}");
}
