//! The differences between v1 and v1alpha1.

use model_registry_catalog::Settings;
use model_registry_testkit::{Backend, on_each_database};

use crate::support::{Api, Response, without_and_with_index};

on_each_database!(
    names_of_fields_are_in_camel_case,
    an_unknown_order_is_an_error,
    filters_accept_the_names_of_both_versions,
    a_sunset_date_announces_the_end_of_v1alpha1
);

const MODELS: &str = "/api/model_catalog/v1/models";
const SERVERS: &str = "/api/mcp_catalog/v1/mcp_servers";
const HERON: &str = "/api/model_catalog/v1/sources/larkspur_curated/models/larkspur/heron-8b-chat";

async fn names_of_fields_are_in_camel_case(backend: Backend) {
    let api = Api::of_golden_data(backend).await;
    let renamed = [("source_id", "sourceId"), ("license_link", "licenseLink")];
    let mut compared = 0;
    for path in [
        MODELS.to_owned(),
        format!("{MODELS}?recommendations=true"),
        format!("{SERVERS}?pageSize=100"),
        format!("{SERVERS}?includeTools=true"),
        HERON.to_owned(),
        format!("{HERON}/artifacts"),
        format!("{HERON}/artifacts/performance"),
        "/api/model_catalog/v1/sources".to_owned(),
        "/api/model_catalog/v1/labels".to_owned(),
        "/api/agent_catalog/v1/agents".to_owned(),
        format!("{MODELS}/filter_options"),
    ] {
        let v1 = api.get(&path).await;
        assert_eq!(v1.status, 200, "{path}: {}", String::from_utf8_lossy(&v1.bytes));
        let mut expected = api.get(&path.replace("/v1/", "/v1alpha1/")).await.json();
        let mut rename = |item: &mut serde_json::Value| {
            let item = item.as_object_mut().unwrap();
            for (old, new) in renamed {
                if let Some(value) = item.remove(old) {
                    compared += 1;
                    item.insert(new.to_owned(), value);
                }
            }
        };
        match expected.get_mut("items").and_then(serde_json::Value::as_array_mut) {
            Some(items) => items.iter_mut().for_each(&mut rename),
            None => rename(&mut expected),
        }
        assert_eq!(v1.json(), expected, "{path}");
    }
    assert!(compared > 30, "only {compared} fields were compared");
    let server = api.get(SERVERS).await.json()["items"][0].clone();
    let one = api.get(&format!("{SERVERS}/{}", server["id"].as_str().unwrap())).await;
    assert_eq!((one.status, one.json()), (200, server));
}

async fn an_unknown_order_is_an_error(backend: Backend) {
    let api = Api::of_golden_data(backend).await;
    let server = api.get(SERVERS).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    for path in [
        MODELS.to_owned(),
        SERVERS.to_owned(),
        format!("{SERVERS}/{server}/tools"),
        "/api/agent_catalog/v1/agents".to_owned(),
        format!("{HERON}/artifacts"),
        format!("{HERON}/artifacts/performance"),
        "/api/model_catalog/v1/sources".to_owned(),
    ] {
        let response = api.get(&format!("{path}?orderBy=colour")).await;
        assert_eq!(response.status, 400, "{path}");
        assert!(response.message().contains("colour") && response.message().contains("NAME"), "{}", response.message());
        assert_eq!(api.get(&format!("{path}?orderBy=NAME")).await.status, 200, "{path}");
        let older = path.replace("/v1/", "/v1alpha1/");
        let status = if path.ends_with("/sources") { 400 } else { 200 };
        assert_eq!(api.get(&format!("{older}?orderBy=colour")).await.status, status, "{older}");
    }
    let by_property = format!("{MODELS}?orderBy=artifacts.ttft_p90.double_value");
    assert_eq!(api.get(&by_property).await.status, 200);
}

async fn filters_accept_the_names_of_both_versions(backend: Backend) {
    let api = Api::of_golden_data(backend).await;
    without_and_with_index(&api, async |way| {
        let names = async |filter: &str| api.names(&format!("{MODELS}?pageSize=100&filterQuery={filter}")).await;
        let found = names("sourceId = 'larkspur_curated'").await;
        assert!(!found.is_empty(), "{way}");
        assert_eq!(found, names("source_id = 'larkspur_curated'").await, "{way}");
        let servers = async |filter: &str| api.names(&format!("{SERVERS}?pageSize=100&filterQuery={filter}")).await;
        let found = servers("licenseLink LIKE 'https%25'").await;
        assert!(!found.is_empty(), "{way}");
        assert_eq!(found, servers("license_link LIKE 'https%25'").await, "{way}");
    })
    .await;
}

async fn a_sunset_date_announces_the_end_of_v1alpha1(backend: Backend) {
    let flags = ["--alpha-sunset-date=2027-04-29".to_owned()];
    let api = Api::with_flags(backend, Settings::default(), &flags).await;
    let header =
        |response: &Response, name: &str| response.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    for (path, successor) in [
        ("/api/model_catalog/v1alpha1/models?q=a", "/api/model_catalog/v1/models"),
        (
            "/api/model_catalog/v1alpha1/sources/a/models/b/c/artifacts",
            "/api/model_catalog/v1/sources/a/models/b/c/artifacts",
        ),
        ("/api/mcp_catalog/v1alpha1/mcp_servers", "/api/mcp_catalog/v1/mcp_servers"),
        ("/api/agent_catalog/v1alpha1/agents/7/artifacts", "/api/agent_catalog/v1/agents/7/artifacts"),
        ("/api/skill_catalog/v1alpha1/skills/filter_options", "/api/skill_catalog/v1/skills/filter_options"),
        ("/api/skill_catalog/v1alpha1/nothing", "/api/skill_catalog/v1/"),
    ] {
        let response = api.get(path).await;
        assert_eq!(header(&response, "deprecation").as_deref(), Some("true"), "{path}");
        assert_eq!(header(&response, "sunset").as_deref(), Some("Thu, 29 Apr 2027 00:00:00 GMT"), "{path}");
        let link = format!("<{successor}>; rel=\"successor-version\"");
        assert_eq!(header(&response, "link"), Some(link), "{path}");
    }
    for path in ["/api/skill_catalog/v1/skills", "/healthz"] {
        let response = api.get(path).await;
        assert_eq!((header(&response, "deprecation"), header(&response, "sunset")), (None, None), "{path}");
    }
}
