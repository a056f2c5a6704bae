//! `orderBy=RECOMMENDED`: the order, its pages, its errors.

use model_registry_testkit::{Backend, on_each_database};

use crate::support::{Api, Files};

on_each_database!(recommended_models_are_ordered_by_latency_and_paged_by_number);

/// `slow-a` and `slow-b` have the same latency; `none-…` have none.
const MODELS: &str = "\
models:
- {name: none-b}
- {name: slow-b, artifacts: [&slow {artifactType: metrics-artifact, metricsType: performance-metrics, customProperties: {
    requests_per_second: {metadataType: MetadataDoubleValue, double_value: 2.5},
    hardware_count: {metadataType: MetadataIntValue, int_value: 1},
    hardware_type: {metadataType: MetadataStringValue, string_value: L4},
    ttft_p90: {metadataType: MetadataDoubleValue, double_value: 80.5}}}]}
- {name: slow-a, artifacts: [*slow]}
- {name: none-a}
- {name: fast, artifacts: [{artifactType: metrics-artifact, metricsType: performance-metrics, customProperties: {
    requests_per_second: {metadataType: MetadataDoubleValue, double_value: 2.5},
    hardware_count: {metadataType: MetadataIntValue, int_value: 1},
    hardware_type: {metadataType: MetadataStringValue, string_value: L4},
    ttft_p90: {metadataType: MetadataDoubleValue, double_value: 35.5}}}]}
";

const ASCENDING: [&str; 5] = ["fast", "slow-a", "slow-b", "none-a", "none-b"];
const DESCENDING: [&str; 5] = ["slow-a", "slow-b", "fast", "none-a", "none-b"];

async fn recommended_models_are_ordered_by_latency_and_paged_by_number(backend: Backend) {
    let sources = "model_catalogs: [{id: a, type: yaml, properties: {yamlCatalogPath: a.yaml}}]";
    let files = Files::new(&[("sources.yaml", sources), ("a.yaml", MODELS)]);
    let api = Api::on(backend, files.settings()).await;
    for (query, expected) in [
        ("orderBy=RECOMMENDED", ASCENDING),
        ("recommendations=true&orderBy=NAME", ASCENDING),
        ("orderBy=RECOMMENDED&sortOrder=desc", DESCENDING),
        ("recommendations=true&sortOrder=DESC", DESCENDING),
    ] {
        assert_eq!(api.names(&format!("models?{query}")).await, expected, "{query}");
        let mut paged = Vec::new();
        let mut token = String::new();
        loop {
            let page = api.get(&format!("models?{query}&pageSize=2&nextPageToken={token}")).await.json();
            paged.extend(
                page["items"].as_array().unwrap().iter().map(|model| model["name"].as_str().unwrap().to_owned()),
            );
            page["nextPageToken"].as_str().unwrap().clone_into(&mut token);
            if token.is_empty() {
                break;
            }
            assert_eq!(token, paged.len().to_string());
        }
        assert_eq!(paged, expected, "{query}");
    }
    assert_eq!(api.names("models?orderBy=RECOMMENDED&nextPageToken=500").await, [""; 0]);
    for token in ["abc", "-1", "+1", "1.5", "2147483648", "4294967296", "1e3"] {
        let response = api.get(&format!("models?orderBy=RECOMMENDED&nextPageToken={token}")).await;
        assert_eq!(response.status, 400, "{token}");
    }
    let page = api.get("models?orderBy=RECOMMENDED&pageSize=2").await.json();
    let of_other_list = api.get(&format!("models?nextPageToken={}", page["nextPageToken"].as_str().unwrap())).await;
    assert_eq!(of_other_list.status, 400, "a token of recommendations in another order");
    for query in ["filterQuery=artifacts.ttft_p90 %3C", "filterQuery=name = 5", "targetRPS=many", "pageSize=0"] {
        assert_eq!(api.get(&format!("models?orderBy=RECOMMENDED&{query}")).await.status, 400, "{query}");
    }
    assert_eq!(api.names("models?orderBy=recommended").await.len(), 5, "another spelling means the id");
}
