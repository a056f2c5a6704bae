//! Addresses that a source may connect to, and the token that its requests carry.

use model_registry_catalog::{HubAccess, Settings};
use model_registry_testkit::Backend;
use model_registry_testkit::hub::{HubServer, Planned, TOKEN};

use super::{access, api, error, settings, state};
use crate::support::{Api, Files};

#[tokio::test]
async fn a_forbidden_address_is_not_connected_to_even_by_a_redirect() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/a", 1);
    hub.plan("/api/models/org/a", vec![Planned::Redirect("http://169.254.169.254/latest/meta-data".to_owned())]);
    let (files, allowed) = api(Backend::Sqlite, &hub, "['org/a']", None).await;
    allowed.catalog.sync("hub").await.unwrap();
    assert!(error(&allowed).await.contains("is not an allowed hub"), "{}", error(&allowed).await);

    hub.requests();
    let strict = Api::on(Backend::Sqlite, files.settings()).await;
    strict.catalog.sync("hub").await.unwrap();
    assert_eq!(state(&strict).await["status"], "error");
    assert!(strict.names("models").await.is_empty());
    assert!(hub.requests().is_empty());
}

#[tokio::test]
async fn a_host_name_that_resolves_to_a_private_address_is_not_connected_to() {
    let hub = HubServer::start().await.unwrap();
    let url = format!("https://localhost:{}", hub.address().port());
    let sources = format!(
        "model_catalogs:\n- {{id: hub, name: Hub, type: hf, includedModels: ['org/a'], properties: {{url: '{url}'}}}}\n"
    );
    let files = Files::new(&[("sources.yaml", &sources)]);
    let hubs = |private_addresses| HubAccess { hosts: vec!["localhost".to_owned()], private_addresses, ..access() };
    let strict = Api::on(Backend::Sqlite, Settings { hubs: hubs(false), ..files.settings() }).await;
    strict.catalog.sync("hub").await.unwrap();
    assert!(error(&strict).await.contains("--allow-private-hubs"), "{}", error(&strict).await);

    // With private addresses allowed, only TLS is missing.
    let open = Api::on(Backend::Sqlite, Settings { hubs: hubs(true), ..files.settings() }).await;
    open.catalog.sync("hub").await.unwrap();
    let reason = error(&open).await;
    assert!(reason.contains("cannot be reached") && !reason.contains("--allow-private-hubs"), "{reason}");
}

#[tokio::test]
async fn the_token_is_sent_to_its_own_hub_only() {
    let (own, other) = (HubServer::start().await.unwrap(), HubServer::start().await.unwrap());
    own.publish("org/a", 1);
    other.publish("org/a", 2);
    let target = format!("{}/api/models/org/a", other.base_url());
    own.plan("/api/models/org/a", vec![Planned::Redirect(target)]);
    own.send_next_pages_to(&other.base_url());
    for name in ["org/b", "org/c"] {
        own.publish(name, 1);
    }
    let (_files, api) = api(Backend::Sqlite, &own, "['org/a', 'org/*']", Some(TOKEN)).await;
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(api.names("models").await, ["org/a", "org/b", "org/c"]);
    assert_eq!(api.get("sources/hub/models/org/a").await.json()["description"], "revision 2");
    assert_eq!(other.requests(), ["/api/models/org/a"]);
    assert_eq!(other.authorizations(), [None]);
    let authorizations = own.authorizations();
    assert!(authorizations.iter().all(|sent| sent.as_deref() == Some("Bearer hf_test")), "{authorizations:?}");
}

#[tokio::test]
async fn a_token_of_any_form_is_sent_and_a_wrong_one_is_reported_but_not_shown() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/open", 1);
    // The Kubeflow Model Registry ignores tokens that do not start with `hf_`.
    for wrong in ["hf_wrong", "mirror-token"] {
        let files = Files::new(&[("sources.yaml", &super::source(&hub, "['org/open']", ""))]);
        let api = Api::on(Backend::Sqlite, settings(&files, Some(wrong))).await;
        hub.authorizations();
        api.catalog.sync("hub").await.unwrap();
        let source = state(&api).await;
        assert_eq!(source["status"], "error");
        let reason = source["error"].as_str().unwrap();
        assert!(reason.contains("rejects the token") && !reason.contains(wrong), "{reason}");
        assert_eq!(hub.authorizations(), [Some(format!("Bearer {wrong}"))]);
    }
}

// A variable whose value comes from a file often ends with a line break.
#[tokio::test]
async fn white_space_around_a_token_is_ignored() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/private", 1);
    hub.hide("org/private");
    let (_files, api) = api(Backend::Sqlite, &hub, "['org/*']", Some(&format!("{TOKEN}\n"))).await;
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(api.names("models").await, ["org/private"], "{}", error(&api).await);
}
