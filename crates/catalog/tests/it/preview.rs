//! Previews read what the client sends and nothing else.

use axum::body::Body;
use http::Request;
use model_registry_catalog::{HubAccess, Settings};
use model_registry_server::config::Environment;
use model_registry_testkit::hub::{Planned, TOKEN};
use model_registry_testkit::{Backend, HubServer};

use crate::support::{Answer, Api};

async fn preview(api: &Api, query: &str, parts: &[(&str, &str)]) -> Answer {
    let mut body = String::new();
    for (name, text) in parts {
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n");
        body.extend([head.as_str(), text, "\r\n"]);
    }
    body.push_str("--b--\r\n");
    let request = Request::post(format!("/api/model_catalog/v1alpha1/sources/preview{query}"))
        .header("content-type", "multipart/form-data; boundary=b")
        .body(Body::from(body))
        .unwrap();
    api.send(request).await
}

// The reference opens any file that the process can read, and sends any environment variable to the hub.
#[tokio::test]
async fn files_of_the_server_are_never_read() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "models: [{name: secret}]").unwrap();
    let config = format!("type: yaml\nproperties: {{yamlCatalogPath: '{}'}}\n", secret.path().display());
    let answer = preview(&api, "", &[("config", &config)]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.message().contains("files of the server are not read"), "{}", answer.message());
    let config = "type: yaml\nproperties: {yamlCatalogPath: 'built-in:/models.yaml'}\n";
    assert_eq!(preview(&api, "", &[("config", config)]).await.status, 422);
}

#[tokio::test]
async fn names_that_repeat_can_be_paged_through() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    let parts = [("config", "type: yaml"), ("catalogData", "models: [{name: a}, {name: a}, {name: a}]")];
    let mut token = String::new();
    for rest in (0..3).rev() {
        let json = preview(&api, &format!("?pageSize=1&nextPageToken={token}"), &parts).await.json();
        assert_eq!(json["summary"]["totalModels"], 3);
        json["nextPageToken"].as_str().unwrap().clone_into(&mut token);
        assert_eq!(token.is_empty(), rest == 0);
    }
}

#[tokio::test]
async fn mistakes_say_where_they_are() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    let parts = [("config", "type: yaml"), ("catalogData", "models:\n- name: a\n  wingspan: 3\n")];
    let answer = preview(&api, "", &parts).await;
    assert_eq!(answer.status, 422);
    assert!(answer.message().contains("catalogData:3:3: unknown key `wingspan`"), "{}", answer.message());
}

// One megabyte that a thousand aliases make a gigabyte of.
#[tokio::test]
async fn what_grows_when_it_is_read_is_refused() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    let data = format!("models:\n- &a {{name: {}}}\n{}", "x".repeat(1 << 20), "- *a\n".repeat(1_000));
    let answer = preview(&api, "", &[("config", "type: yaml"), ("catalogData", &data)]).await;
    assert_eq!(answer.status, 422, "{}", answer.bytes.len());
    assert!(answer.message().contains("catalogData"), "{}", answer.message());
    let deep = format!("models: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let answer = preview(&api, "", &[("config", "type: yaml"), ("catalogData", &deep)]).await;
    assert_eq!(answer.status, 422, "{}", answer.message());
}

async fn api_with_hub() -> (HubServer, Api) {
    // Two providers in one build: one has to be chosen.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let hub = HubServer::start().await.unwrap();
    for name in ["org/a", "org/b", "org/c-gguf", "org/d", "org/e", "other/x"] {
        hub.publish(name, 1);
    }
    let hubs = HubAccess { hosts: vec!["127.0.0.1".to_owned()], private_addresses: true, ..HubAccess::default() };
    let environment: Environment = [("HF_API_KEY", TOKEN), ("PGPASSWORD", "secret")].into_iter().collect();
    let api = Api::on(Backend::Sqlite, Settings { hubs, environment, ..Settings::default() }).await;
    (hub, api)
}

// The reference sends any environment variable of the server that the caller names, and HF_API_KEY unasked.
#[tokio::test]
async fn a_hub_is_asked_without_any_token() {
    let (hub, api) = api_with_hub().await;
    let config = |properties: &str| {
        format!(
            "type: hf\nincludedModels: ['org/*', 'other/x', 'other/missing']\nexcludedModels: ['*-gguf']\n\
             properties: {{url: '{}'{properties}}}\n",
            hub.base_url()
        )
    };
    let answer = preview(&api, "?pageSize=100", &[("config", &config(""))]).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.bytes));
    let json = answer.json();
    let names: Vec<_> =
        json["items"].as_array().unwrap().iter().map(|item| (&item["name"], &item["included"])).collect();
    let expected = [
        ("org/a", true),
        ("org/b", true),
        ("org/c-gguf", false),
        ("org/d", true),
        ("org/e", true),
        ("other/x", true),
        ("other/missing", true),
    ];
    assert_eq!(serde_json::json!(names), serde_json::json!(expected));
    assert_eq!(json["summary"]["excludedModels"], 1);
    let asked = hub.requests();
    assert!(!asked.is_empty() && !asked.iter().any(|request| request.contains("whoami")), "{asked:?}");
    assert!(hub.authorizations().iter().all(Option::is_none));

    let limited = preview(&api, "", &[("config", &config(", maxModels: 2"))]).await.json();
    assert_eq!(limited["summary"]["totalModels"], 4);

    hub.requests();
    let named = preview(&api, "", &[("config", &config(", apiKeyEnvVar: PGPASSWORD"))]).await;
    assert_eq!(named.status, 422);
    assert!(named.message().contains("reads no variable of the server"), "{}", named.message());
    assert!(hub.requests().is_empty());
}

#[tokio::test]
async fn only_hubs_that_sources_may_read_from_are_asked() {
    let (hub, api) = api_with_hub().await;
    let organization =
        format!("type: huggingface\nproperties: {{allowedOrganization: org, url: '{}'}}\n", hub.base_url());
    let json = preview(&api, "?filterStatus=included", &[("config", &organization)]).await.json();
    assert_eq!(json["summary"]["totalModels"], 5);
    for url in ["http://169.254.169.254", "http://localhost:1", "https://huggingface.co.evil.example", "file:///etc"] {
        let config = format!("type: hf\nincludedModels: ['org/*']\nproperties: {{url: '{url}'}}\n");
        let answer = preview(&api, "", &[("config", &config)]).await;
        assert_eq!(answer.status, 422, "{url}");
        assert!(answer.message().contains("allowed"), "{url}: {}", answer.message());
    }
    // Without leave for the own network, as a server is set up unless somebody says otherwise.
    let hubs = HubAccess { hosts: vec!["127.0.0.1".to_owned()], ..HubAccess::default() };
    let careful = Api::on(Backend::Sqlite, Settings { hubs, ..Settings::default() }).await;
    hub.requests();
    assert_eq!(preview(&careful, "", &[("config", &organization)]).await.status, 422);
    let inside = organization.replace("http:", "https:");
    assert!(preview(&careful, "", &[("config", &inside)]).await.message().contains("--allow-private-hubs"));
    assert!(hub.requests().is_empty());
}

#[tokio::test]
async fn a_hub_that_wants_to_be_left_alone_is_not_asked_for_previews_either() {
    let (hub, api) = api_with_hub().await;
    let config = format!("type: hf\nincludedModels: ['org/*']\nproperties: {{url: '{}'}}\n", hub.base_url());
    hub.plan("/api/models", vec![Planned::Busy(vec![("retry-after", "3600".to_owned())])]);
    let refused = preview(&api, "", &[("config", &config)]).await;
    assert!(refused.message().contains("429 Too Many Requests"), "{}", refused.message());
    hub.requests();
    let refused = preview(&api, "", &[("config", &config)]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.message().contains("wants to be left alone"), "{}", refused.message());
    assert!(hub.requests().is_empty());
}

// catalog-service 2.12
#[tokio::test]
async fn a_pattern_whose_list_fails_and_an_address_that_is_not_allowed_hide_nothing_else() {
    let (hub, api) = api_with_hub().await;
    hub.plan("/api/models", vec![Planned::Busy(vec![("retry-after", "3600".to_owned())])]);
    let config = format!("type: hf\nincludedModels: ['org/*', 'org/b']\nproperties: {{url: '{}'}}\n", hub.base_url());
    let answer = preview(&api, "", &[("config", &config)]).await;
    assert_eq!(answer.status, 200, "{}", answer.message());
    assert_eq!(answer.json()["items"], serde_json::json!([{"included": true, "name": "org/b"}]));
    let config = "type: hf\nincludedModels: ['org/b']\nproperties: {url: 'http://169.254.169.254'}\n";
    let answer = preview(&api, "", &[("config", config)]).await;
    assert_eq!((answer.status, &answer.json()["summary"]["totalModels"]), (200, &1.into()));
}

// catalog-service 2.1, 2.12
#[tokio::test]
async fn the_first_of_two_parts_counts_and_none_has_null_characters() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    let parts = [("config", "type: yaml"), ("config", "type: other"), ("catalogData", "models: [{name: a}]")];
    assert_eq!(preview(&api, "", &parts).await.status, 200);
    let data = r#"models: [{name: "a\u0000"}]"#;
    let answer = preview(&api, "", &[("config", "type: yaml"), ("catalogData", data)]).await;
    assert_eq!((answer.status, answer.message().contains("null bytes")), (400, true), "{}", answer.message());
}
