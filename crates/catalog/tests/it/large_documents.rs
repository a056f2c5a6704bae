//! Items whose documents are too large to be read together with others, and lists that end at their number of bytes.

use std::fmt::Write;

use model_registry_testkit::{Backend, on_each_database};
use serde_json::Value;

use crate::support::{Api, Files};

const MEBIBYTE: usize = 1 << 20;
/// A page ends here, plus what is around its items.
const PAGE: usize = 4 * MEBIBYTE + 16 * 1024;
const SOURCES: &str = "\
model_catalogs:
- {id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}
mcp_catalogs:
- {id: s, name: S, type: yaml, properties: {yamlCatalogPath: s.yaml}}
";

on_each_database!(
    a_page_of_large_items_is_shorter_and_its_token_leads_to_the_rest,
    a_large_item_is_found_by_its_name_and_id,
    children_that_items_include_are_complete
);

/// Sizes of the cards of models: small ones, some that fit on a page together, one that is larger than a page.
const CARDS: [usize; 9] = [10, 3 * MEBIBYTE / 2, 10, 3 * MEBIBYTE / 2, 3 * MEBIBYTE / 2, 5 * MEBIBYTE, 10, 100_000, 10];

async fn catalog(backend: Backend) -> Api {
    let mut models = String::from("models:\n");
    for (number, size) in CARDS.into_iter().enumerate() {
        let performance = format!(
            "{{artifactType: metrics-artifact, metricsType: performance-metrics, name: p, customProperties: {{\
             requests_per_second: {{metadataType: MetadataDoubleValue, double_value: 1.5}}, \
             ttft_p90: {{metadataType: MetadataDoubleValue, double_value: {number}.5}}, \
             hardware_count: {{metadataType: MetadataIntValue, int_value: '1'}}, \
             hardware_type: {{metadataType: MetadataStringValue, string_value: {}}}}}}}",
            "h".repeat(size.min(MEBIBYTE))
        );
        let _ = writeln!(
            models,
            "- {{name: m{number}, provider: p, readme: {}, artifacts: [{performance}]}}",
            "x".repeat(size)
        );
    }
    let mut servers = String::from("mcp_servers:\n");
    for server in 0..3 {
        let _ = writeln!(servers, "- name: s{server}\n  tools:");
        for tool in 0..12 {
            let _ = writeln!(servers, "  - {{name: t{tool}, description: {}}}", "y".repeat(100_000));
        }
    }
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", &models), ("s.yaml", &servers)]);
    Api::on(backend, files.settings()).await
}

/// The items of each page.
async fn pages(api: &Api, list: &str) -> Vec<Vec<Value>> {
    let (mut pages, mut token) = (Vec::new(), String::new());
    loop {
        let response = api.get(&format!("{list}&nextPageToken={token}")).await;
        assert_eq!(response.status, 200, "{list}: {}", response.message());
        let mut body = response.json();
        let items = body["items"].as_array_mut().map(std::mem::take).unwrap();
        assert_eq!(body["size"], items.len());
        assert!(response.bytes.len() < PAGE || items.len() == 1, "{list}: {} bytes", response.bytes.len());
        pages.push(items);
        body["nextPageToken"].as_str().unwrap().clone_into(&mut token);
        if token.is_empty() {
            return pages;
        }
    }
}

fn names(pages: &[Vec<Value>]) -> Vec<&str> {
    pages.iter().flatten().map(|item| item["name"].as_str().unwrap()).collect()
}

async fn a_page_of_large_items_is_shorter_and_its_token_leads_to_the_rest(backend: Backend) {
    let api = catalog(backend).await;
    let expected: Vec<String> = (0..CARDS.len()).map(|number| format!("m{number}")).collect();
    let lists = [
        "models?pageSize=100&orderBy=ID",
        "models?pageSize=10000&orderBy=NAME",
        "models?pageSize=100&filterQuery=provider='p'",
        "models?pageSize=100&orderBy=provider.string_value",
        "models?pageSize=100&orderBy=RECOMMENDED",
    ];
    for is_indexed in [false, true] {
        if is_indexed {
            api.catalog.index().await.unwrap();
        }
        for list in lists {
            let pages = pages(&api, list).await;
            assert_eq!(names(&pages), expected, "{list}");
            assert!((3..=6).contains(&pages.len()), "{list}: {}", pages.len());
            for (item, size) in pages.iter().flatten().zip(CARDS) {
                assert_eq!(item["readme"].as_str().unwrap().len(), size, "{list}");
            }
        }
    }
    let artifacts = "sources/a/models/m5/artifacts";
    for list in [format!("{artifacts}?pageSize=100"), format!("{artifacts}/performance?recommendations=true")] {
        let pages = pages(&api, &list).await;
        assert_eq!(names(&pages), ["p"], "{list}");
    }
    assert_eq!(api.store.memory().used(), 0);
}

async fn a_large_item_is_found_by_its_name_and_id(backend: Backend) {
    let api = catalog(backend).await;
    let large = api.get("sources/a/models/m5").await;
    assert_eq!((large.status, large.json()["readme"].as_str().unwrap().len()), (200, CARDS[5]));
    assert_eq!(large.json()["artifactCounts"]["performance-metrics"], 1);
    assert_eq!(api.store.memory().used(), 0);
}

async fn children_that_items_include_are_complete(backend: Backend) {
    let api = catalog(backend).await;
    let list = "/api/mcp_catalog/v1alpha1/mcp_servers?includeTools=true&pageSize=100";
    for (limit, count) in [("", 10), ("&toolLimit=0", 12), ("&toolLimit=2", 2)] {
        let response = api.get(&format!("{list}{limit}")).await;
        assert_eq!(response.status, 200, "{}", response.message());
        let servers = response.json()["items"].as_array().unwrap().clone();
        assert_eq!(servers.len(), 3);
        for server in &servers {
            let tools = server["tools"].as_array().unwrap();
            assert_eq!(tools.len(), count, "{limit}");
            let whole = |tool: &Value| tool["description"].as_str().is_some_and(|text| text.len() == 100_000);
            assert!(tools.iter().all(whole), "{limit}");
        }
        let id = servers[0]["id"].as_str().unwrap();
        let one = api.get(&format!("/api/mcp_catalog/v1alpha1/mcp_servers/{id}?includeTools=true{limit}")).await;
        assert_eq!(one.json()["tools"], servers[0]["tools"]);
    }
    assert_eq!(api.store.memory().used(), 0);
}

#[tokio::test]
async fn pages_of_sources_and_labels_end_at_their_number_of_bytes() {
    let patterns: Vec<String> = (0..500).map(|number| format!("{}{number}", "p".repeat(4_000))).collect();
    let patterns = patterns.join(", ");
    let mut sources = String::from("model_catalogs:\n");
    let mut labels = String::from("labels:\n");
    for number in 0..5 {
        let _ = writeln!(
            sources,
            "- {{id: s{number}, name: S{number}, type: yaml, includedModels: [{patterns}], \
             properties: {{yamlCatalogPath: a.yaml}}}}"
        );
        let _ = writeln!(labels, "- {{name: l{number}, description: {}}}", "d".repeat(3 * MEBIBYTE / 2));
    }
    let files = Files::new(&[("sources.yaml", &format!("{sources}{labels}")), ("a.yaml", "models: []")]);
    let api = Api::on(Backend::Sqlite, files.settings()).await;
    for (list, expected) in [
        ("sources?pageSize=100", ["S0", "S1", "S2", "S3", "S4"]),
        ("labels?pageSize=100", ["l0", "l1", "l2", "l3", "l4"]),
    ] {
        let pages = pages(&api, list).await;
        assert_eq!(names(&pages), expected);
        assert_eq!(pages.len(), 3, "{list}");
    }
}
