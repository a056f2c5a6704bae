//! Hubs behind proxy repositories, which have few of the routes of a hub, and behind proxies of the network.

use http::StatusCode;
use model_registry_catalog::{HubAccess, Proxies, Settings};
use model_registry_server::config::Environment;
use model_registry_testkit::Backend;
use model_registry_testkit::hub::{HubServer, Planned, TOKEN};
use serde_json::json;

use super::{access, api, error, settings, source, state};
use crate::support::{Api, Files};

#[tokio::test]
async fn only_401_to_the_check_of_the_token_stops_a_sync() {
    for (status, expected) in [
        (StatusCode::NOT_FOUND, "available"),
        (StatusCode::BAD_REQUEST, "available"),
        (StatusCode::FORBIDDEN, "available"),
        (StatusCode::METHOD_NOT_ALLOWED, "available"),
        (StatusCode::NOT_IMPLEMENTED, "available"),
        (StatusCode::BAD_GATEWAY, "available"),
        (StatusCode::UNAUTHORIZED, "error"),
    ] {
        let hub = HubServer::start_below("/artifactory/api/huggingfaceml/hub").await.unwrap();
        hub.publish("org/a", 1);
        hub.plan("/api/whoami-v2", vec![Planned::Refused(status)]);
        let (_files, api) = api(Backend::Sqlite, &hub, "['org/*']", Some(TOKEN)).await;
        api.catalog.sync("hub").await.unwrap();
        assert_eq!(state(&api).await["status"], expected, "{status}: {}", error(&api).await);
        let whoami = hub.requests().iter().filter(|path| path.contains("whoami")).count();
        assert_eq!(whoami, 1, "{status}: it is not retried");
        if expected == "error" {
            assert!(error(&api).await.contains("the hub rejects the token"), "{}", error(&api).await);
        }
    }
}

#[tokio::test]
async fn a_token_that_expires_removes_no_model() {
    let hub = HubServer::start().await.unwrap();
    for name in ["org/a", "org/b"] {
        hub.publish(name, 1);
    }
    let files = Files::new(&[("sources.yaml", &source(&hub, "['org/a', 'org/b']", ""))]);
    let api = Api::on(Backend::Sqlite, settings(&files, Some(TOKEN))).await;
    api.catalog.sync("hub").await.unwrap();
    // The proxy does not know the check.
    hub.plan("/api/whoami-v2", vec![Planned::Refused(StatusCode::NOT_FOUND)]);
    for name in ["org/a", "org/b"] {
        hub.publish(name, 2);
        hub.plan(&format!("/api/models/{name}"), vec![Planned::Refused(StatusCode::UNAUTHORIZED)]);
    }
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(api.names("models").await, ["org/a", "org/b"]);
    assert!(error(&api).await.contains("the hub rejects the token"), "{}", error(&api).await);
}

#[tokio::test]
async fn the_card_is_read_over_another_route_or_left_out() {
    let hub = HubServer::start().await.unwrap();
    for name in ["org/resolved", "org/none", "org/refused", "org/unlisted"] {
        hub.publish(name, 1);
    }
    let refused = |status| Planned::Refused(status);
    hub.plan("/org/resolved/README.md", vec![refused(StatusCode::NOT_FOUND)]);
    hub.plan("/org/none/README.md", vec![refused(StatusCode::NOT_FOUND), refused(StatusCode::NOT_FOUND)]);
    hub.plan("/org/refused/README.md", vec![refused(StatusCode::BAD_REQUEST), refused(StatusCode::NOT_ACCEPTABLE)]);
    hub.edit("org/unlisted", |info| _ = info.as_object_mut().unwrap().remove("siblings"));
    let (_files, api) = api(Backend::Sqlite, &hub, "['org/*']", None).await;
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(api.names("models").await, ["org/none", "org/refused", "org/resolved", "org/unlisted"]);
    let readme = async |name: &str| api.get(&format!("sources/hub/models/{name}")).await.json()["readme"].clone();
    assert_eq!(readme("org/resolved").await, "# resolved\n");
    assert_eq!(readme("org/unlisted").await, "# unlisted\n");
    assert_eq!((readme("org/none").await, readme("org/refused").await), (json!(null), json!(null)));
    let reason = error(&api).await;
    assert!(
        reason.contains("org/refused: published without its card, which cannot be read: the hub responded with 406"),
        "{reason}"
    );
    assert!(!reason.contains("org/none"), "{reason}");
}

#[tokio::test]
async fn a_model_with_members_of_unusual_types_costs_no_other() {
    let hub = HubServer::start().await.unwrap();
    for name in ["org/a", "org/b", "org/c", "org/d"] {
        hub.publish(name, 1);
    }
    hub.edit("org/a", |info| {
        info["private"] = json!("false");
        info["gated"] = json!({"mode": "auto"});
        info["sha"] = json!(7);
    });
    hub.edit("org/b", |info| {
        info["tags"] = json!("license:mit");
        info["cardData"] = json!("no front matter");
        info["pipeline_tag"] = json!(["summarization", "translation"]);
        info["siblings"] = json!(["README.md", null]);
    });
    hub.edit("org/c", |info| {
        info["cardData"] = json!({
            "license": ["apache-2.0", "other"], "license_name": ["heron-1"], "license_link": "./LICENSE TEXT.md",
            "language": false, "datasets": "x", "description": ["one", "two"],
        });
        info["tags"] = json!(["license:apache-2.0"]);
    });
    hub.edit("org/d", |info| {
        info["cardData"] = json!(null);
        info["config"] = json!([]);
        info["tags"] = json!(null);
    });
    let (_files, api) = api(Backend::Sqlite, &hub, "['org/*']", None).await;
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(api.names("models").await, ["org/a", "org/b", "org/c", "org/d"], "{}", error(&api).await);
    let model = async |name: &str| api.get(&format!("sources/hub/models/{name}")).await.json();
    let b = model("org/b").await;
    assert_eq!((&b["license"], &b["tasks"]), (&json!("MIT"), &json!(["summarization", "translation"])));
    let c = model("org/c").await;
    assert_eq!((&c["license"], &c["language"]), (&json!("Apache 2.0, heron-1"), &json!(["no"])));
    assert_eq!(c["description"], "one");
    assert_eq!(c["licenseLink"], format!("{}/org/c/blob/main/LICENSE%20TEXT.md", hub.base_url()));
}

// The fake hub serves as the proxy: it gets requests for the host of another.
#[tokio::test]
async fn requests_go_through_the_proxy_of_the_environment() {
    let proxy = HubServer::start().await.unwrap();
    proxy.publish("org/a", 1);
    let sources =
        "model_catalogs:\n- {id: hub, type: hf, includedModels: ['org/a'], properties: {url: 'http://hub.invalid'}}\n";
    let files = Files::new(&[("sources.yaml", sources)]);
    let address = proxy.address().to_string();
    for (variables, expected) in [
        (vec![("HTTP_PROXY", format!("http://{address}"))], 1),
        (vec![("http_proxy", address.clone())], 1),
        (vec![("ALL_PROXY", address.clone()), ("NO_PROXY", "other.invalid".to_owned())], 1),
        (vec![("HTTP_PROXY", address.clone()), ("NO_PROXY", ".invalid".to_owned())], 0),
        (vec![("HTTPS_PROXY", address.clone())], 0),
    ] {
        let environment: Environment = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let hubs = HubAccess { hosts: vec!["hub.invalid".to_owned()], proxies: Proxies::of(&environment), ..access() };
        let api = Api::on(Backend::Sqlite, Settings { hubs, ..files.settings() }).await;
        api.catalog.sync("hub").await.unwrap();
        assert_eq!(api.names("models").await.len(), expected, "{variables:?}: {}", error(&api).await);
        assert_eq!(proxy.requests().is_empty(), expected == 0, "{variables:?}");
    }
}
