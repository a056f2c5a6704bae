//! Previews read only the request and allowed hubs.

use axum::body::Body;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use http::Request;
use model_registry_catalog::{HubAccess, Settings};
use model_registry_server::config::Environment;
use model_registry_testkit::hub::{Planned, TOKEN};
use model_registry_testkit::{Backend, HubServer};

use crate::support::{Api, Response};

pub(crate) async fn preview(api: &Api, query: &str, parts: &[(&str, &str)]) -> Response {
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

// The Kubeflow Model Registry opens any file that the process can read, and sends any environment variable to the hub.
#[tokio::test]
async fn files_of_the_server_are_not_read() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "models: [{name: secret}]").unwrap();
    let config = format!("type: yaml\nproperties: {{yamlCatalogPath: '{}'}}\n", secret.path().display());
    let response = preview(&api, "", &[("config", &config)]).await;
    assert_eq!(response.status, 422);
    assert!(response.message().contains("files of the server are not read"), "{}", response.message());
    let config = "type: yaml\nproperties: {yamlCatalogPath: 'built-in:/models.yaml'}\n";
    assert_eq!(preview(&api, "", &[("config", config)]).await.status, 422);
}

#[tokio::test]
async fn repeated_names_can_be_paged() {
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
async fn errors_have_a_place() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    let parts = [("config", "type: yaml"), ("catalogData", "models:\n- name: a\n  wingspan: 3\n")];
    let response = preview(&api, "", &parts).await;
    assert_eq!(response.status, 422);
    assert!(response.message().contains("catalogData:3:3: unknown key `wingspan`"), "{}", response.message());
}

// The catalog would leave such a model out: a preview reports the same problem.
#[tokio::test]
async fn a_model_that_a_load_would_leave_out_is_an_error() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    for (model, position, reason) in [
        ("{name: b, maturity: [1]}", "catalogData:3:23", "`maturity`: expected a string, found a list"),
        (
            "{name: b, artifacts: [{uri: 'ftp://x'}]}",
            "catalogData:3:31",
            "artifact 0: artifact URI \"ftp://x\" has unsupported scheme",
        ),
    ] {
        let data = format!("models:\n- {{name: a}}\n- {model}\n");
        let response = preview(&api, "", &[("config", "type: yaml"), ("catalogData", &data)]).await;
        assert_eq!(response.status, 422, "{model}");
        let problem = format!("{position}: model \"b\" is left out: {reason}");
        assert!(response.message().contains(&problem), "{}", response.message());
    }
}

// A thousand aliases expand one megabyte to a gigabyte.
#[tokio::test]
async fn data_that_expands_beyond_a_limit_is_rejected() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    let data = format!("models:\n- &a {{name: {}}}\n{}", "x".repeat(1 << 20), "- *a\n".repeat(1_000));
    let response = preview(&api, "", &[("config", "type: yaml"), ("catalogData", &data)]).await;
    assert_eq!(response.status, 422, "{}", response.bytes.len());
    assert!(response.message().contains("catalogData"), "{}", response.message());
    let deep = format!("models: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let response = preview(&api, "", &[("config", "type: yaml"), ("catalogData", &deep)]).await;
    assert_eq!(response.status, 422, "{}", response.message());
}

/// A source whose patterns take long to decide about the names in its data.
fn costly_preview() -> (String, String) {
    let patterns: Vec<String> = (0..1_000).map(|number| format!("'*a*a*a*a*b{number}*'")).collect();
    let names: Vec<String> = (0..1_000).map(|number| format!("{{name: {}{number}}}", "a".repeat(200))).collect();
    let config = format!("type: yaml\nexcludedModels: [{}]\n", patterns.join(", "));
    (config, format!("models: [{}]\n", names.join(", ")))
}

// The test has one thread: a preview that computed on it would let no other request through.
#[tokio::test]
async fn a_costly_preview_lets_other_requests_through_and_ends_with_its_request() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    let (config, data) = costly_preview();
    let parts = [("config", config.as_str()), ("catalogData", data.as_str())];
    let costly = || preview(&api, "", &parts);
    for _ in 0..3 {
        tokio::select! {
            biased;
            response = api.get("/api/model_catalog/v1alpha1/labels") => assert_eq!(response.status, 200),
            response = costly() => panic!("the preview came first: {}", response.status),
        }
    }
    // Ten of them are computed or wait, which takes longer than to refuse the other one.
    let mut all: FuturesUnordered<_> = (0..11).map(|_| costly()).collect();
    assert_eq!(all.next().await.map(|response| response.status), Some(503));
    drop(all);
    // Those that were given up hold no place.
    let response = preview(&api, "", &[("config", "type: yaml"), ("catalogData", "models: [{name: a}]")]).await;
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn too_many_or_too_long_patterns_are_refused() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    let data = "models: [{name: a}]";
    let many = format!("type: yaml\nincludedModels: [{}]", "'*a*', ".repeat(1_001));
    let long = format!("type: yaml\nincludedModels: ['{}']", "a".repeat(5_000));
    let large = format!("type: yaml\nnote: {}", "a".repeat(1 << 20));
    for (config, reason) in [
        (many, "includedModels[1000]: more than 1000 patterns"),
        (long, "includedModels[0]: pattern is longer than 4096 bytes"),
        (large, "invalid config: longer than 1024 KiB"),
    ] {
        let response = preview(&api, "", &[("config", &config), ("catalogData", data)]).await;
        assert_eq!(response.status, 422);
        assert!(response.message().contains(reason), "{}", response.message());
    }
}

async fn api_with_hub() -> (HubServer, Api) {
    // The build has two TLS providers.
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

// The Kubeflow Model Registry sends the environment variable that the client names, or HF_API_KEY.
#[tokio::test]
async fn a_hub_is_read_without_a_token() {
    let (hub, api) = api_with_hub().await;
    let config = |properties: &str| {
        format!(
            "type: hf\nincludedModels: ['org/*', 'other/x', 'other/missing']\nexcludedModels: ['*-gguf']\n\
             properties: {{url: '{}'{properties}}}\n",
            hub.base_url()
        )
    };
    let response = preview(&api, "?pageSize=100", &[("config", &config(""))]).await;
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.bytes));
    let json = response.json();
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
    let requests = hub.requests();
    assert!(!requests.is_empty() && !requests.iter().any(|request| request.contains("whoami")), "{requests:?}");
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
async fn only_allowed_hubs_are_read() {
    let (hub, api) = api_with_hub().await;
    let organization =
        format!("type: huggingface\nproperties: {{allowedOrganization: org, url: '{}'}}\n", hub.base_url());
    let json = preview(&api, "?filterStatus=included", &[("config", &organization)]).await.json();
    assert_eq!(json["summary"]["totalModels"], 5);
    for url in ["http://169.254.169.254", "http://localhost:1", "https://huggingface.co.evil.example", "file:///etc"] {
        let config = format!("type: hf\nincludedModels: ['org/*']\nproperties: {{url: '{url}'}}\n");
        let response = preview(&api, "", &[("config", &config)]).await;
        assert_eq!(response.status, 422, "{url}");
        assert!(response.message().contains("allowed"), "{url}: {}", response.message());
    }
    // By default, private addresses are not allowed.
    let hubs = HubAccess { hosts: vec!["127.0.0.1".to_owned()], ..HubAccess::default() };
    let default = Api::on(Backend::Sqlite, Settings { hubs, ..Settings::default() }).await;
    hub.requests();
    assert_eq!(preview(&default, "", &[("config", &organization)]).await.status, 422);
    let inside = organization.replace("http:", "https:");
    assert!(preview(&default, "", &[("config", &inside)]).await.message().contains("--allow-private-hubs"));
    assert!(hub.requests().is_empty());
}

#[tokio::test]
async fn a_rate_limited_hub_is_not_read_for_previews() {
    let (hub, api) = api_with_hub().await;
    let config = format!("type: hf\nincludedModels: ['org/*']\nproperties: {{url: '{}'}}\n", hub.base_url());
    hub.plan("/api/models", vec![Planned::Busy(vec![("retry-after", "3600".to_owned())])]);
    let refused = preview(&api, "", &[("config", &config)]).await;
    assert!(refused.message().contains("429 Too Many Requests"), "{}", refused.message());
    hub.requests();
    let refused = preview(&api, "", &[("config", &config)]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.message().contains("rate limited by the hub"), "{}", refused.message());
    assert!(hub.requests().is_empty());
}

#[tokio::test]
async fn a_failing_list_or_address_does_not_hide_full_names() {
    let (hub, api) = api_with_hub().await;
    hub.plan("/api/models", vec![Planned::Busy(vec![("retry-after", "3600".to_owned())])]);
    let config = format!("type: hf\nincludedModels: ['org/*', 'org/b']\nproperties: {{url: '{}'}}\n", hub.base_url());
    let response = preview(&api, "", &[("config", &config)]).await;
    assert_eq!(response.status, 200, "{}", response.message());
    assert_eq!(response.json()["items"], serde_json::json!([{"included": true, "name": "org/b"}]));
    let config = "type: hf\nincludedModels: ['org/b']\nproperties: {url: 'http://169.254.169.254'}\n";
    let response = preview(&api, "", &[("config", config)]).await;
    assert_eq!((response.status, &response.json()["summary"]["totalModels"]), (200, &1.into()));
}

#[tokio::test]
async fn the_first_of_two_parts_is_used_and_null_characters_are_rejected_by_name() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    let parts = [("config", "type: yaml"), ("config", "type: other"), ("catalogData", "models: [{name: a}]")];
    assert_eq!(preview(&api, "", &parts).await.status, 200);
    let data = r#"models: [{name: "a\u0000"}]"#;
    let response = preview(&api, "", &[("config", "type: yaml"), ("catalogData", data)]).await;
    assert_eq!(response.status, 422, "{}", response.message());
    assert!(response.message().contains("expected a string without null characters"), "{}", response.message());
    let response = preview(&api, "", &[("config", "type: yaml"), ("catalogData", "models: [{name: a\0}]")]).await;
    assert_eq!((response.status, response.message().contains("null bytes")), (400, true), "{}", response.message());
    // Without double quotes, YAML has no escapes.
    let data = r"models: [{name: 'a\u0000'}, {name: b\u0000}]";
    let response = preview(&api, "", &[("config", "type: yaml"), ("catalogData", data)]).await;
    assert_eq!(response.json()["items"][0]["name"], r"a\u0000", "{}", response.message());
}

#[tokio::test]
async fn server_lists_of_other_publishers_are_previewed() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    let registry = r#"{"servers": [
        {"server": {"name": "com.acme/weather", "version": "1.0.0"}}, {"name": "com.acme/lab-rain", "version": "1"},
        {"server": {"name": "com.acme/weather", "version": "2.0.0"}},
        {"server": {"name": "com.acme/gone"}, "_meta": {"io.modelcontextprotocol.registry/official": {"status": "deleted"}}}]}"#;
    let docker = "registry:\n  weather: {title: Weather, image: acme/weather}\n  lab-rain: {title: Rain}\n";
    for (source_type, data, expected) in [
        (
            "mcp-registry",
            registry,
            vec![("com.acme/weather", true), ("com.acme/lab-rain", false), ("com.acme/weather", true)],
        ),
        ("docker-mcp-catalog", docker, vec![("weather", true), ("lab-rain", false)]),
    ] {
        let config = format!("assetType: mcp_servers\ntype: {source_type}\nexcludedServers: ['*lab-*']\n");
        let json = preview(&api, "", &[("config", &config), ("catalogData", data)]).await.json();
        let items: Vec<_> = json["items"].as_array().unwrap_or_else(|| panic!("{json}")).iter().collect();
        let found: Vec<_> =
            items.iter().map(|item| (item["name"].as_str().unwrap(), item["included"].as_bool().unwrap())).collect();
        assert_eq!(found, expected, "{source_type}");
        assert_eq!(json["summary"]["excludedAssets"], 1);
        let response = preview(&api, "", &[("config", &config)]).await;
        assert_eq!(response.status, 422, "{source_type}");
        assert!(response.message().contains("`catalogData`"), "{}", response.message());
        let response = preview(&api, "", &[("config", &config), ("catalogData", "{\"version\": 1}")]).await;
        assert_eq!(response.status, 422, "{source_type}");
        assert!(response.message().contains("catalogData:1:2: is neither"), "{}", response.message());
    }
}

#[tokio::test]
async fn a_server_without_a_name_is_an_error_with_its_place() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    for (source_type, data, reason) in [
        (
            "mcp-registry",
            "{\"servers\": [\n{\"name\": \"a\"},\n{\"version\": \"1\"}]}",
            "catalogData:3:1: a MCP server without a name",
        ),
        ("docker-mcp-catalog", "registry:\n  a: {}\n  b: null\n", "catalogData:3:6: MCP server \"b\" is left out"),
    ] {
        let config = format!("assetType: mcp_servers\ntype: {source_type}\n");
        let response = preview(&api, "", &[("config", &config), ("catalogData", data)]).await;
        assert_eq!(response.status, 422, "{source_type}");
        assert!(response.message().contains(reason), "{}", response.message());
    }
}
