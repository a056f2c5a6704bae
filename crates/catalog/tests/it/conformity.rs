//! Behaviour of the Kubeflow Model Registry that the recorded exchanges do not cover.

use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use crate::support::{Api, Files, without_and_with_index};

on_each_database!(
    an_invalid_part_of_an_item_is_skipped_and_the_item_is_published,
    endpoints_artifacts_and_runtime_metadata_of_servers_are_compared_as_json,
    the_searched_name_of_a_server_includes_its_version_if_it_has_one,
    filter_options_omit_counts_documents_and_json_lists,
    an_unknown_sort_order_descends_in_an_order_by_a_property,
    an_order_of_artifacts_by_a_dotted_name_without_a_type_is_by_id,
    every_requested_artifact_type_has_to_be_valid,
    parameters_are_checked_before_the_item_is_read,
    an_empty_or_undecodable_path_parameter_is_rejected_with_a_json_error,
    an_empty_parameter_differs_from_a_list_without_elements,
    a_list_ordered_by_long_strings_can_be_paged,
    a_model_without_a_required_property_has_no_latency,
    a_source_may_have_any_id_and_shows_the_readable_fields_of_an_invalid_entry
);

const MCP: &str = "/api/mcp_catalog/v1alpha1/mcp_servers";
const SOURCES: &str = "\
model_catalogs:
- {id: a, name: A, type: yaml, labels: [first], properties: {yamlCatalogPath: a.yaml}}
mcp_catalogs:
- {id: t, name: T, type: yaml, labels: [tools], properties: {yamlCatalogPath: t.yaml}}
";
const MODELS: &str = "\
models:
- name: one
  customProperties:
    rank: {metadataType: MetadataIntValue, int_value: '1'}
    parts: {metadataType: MetadataStringValue, string_value: '[1,2]'}
  artifacts:
  - {uri: 'oci://x/one', customProperties: {size: {metadataType: MetadataIntValue, int_value: '1'}}}
  - {uri: 'oci://x/two', customProperties: {size: {metadataType: MetadataIntValue, int_value: '2'}}}
- name: two
  customProperties:
    rank: {metadataType: MetadataIntValue, int_value: 'second'}
    parts: {metadataType: MetadataStringValue, string_value: '[\"a\",1]'}
  artifacts:
  - {artifactType: metrics-artifact, metricsType: speed-metrics}
  - {artifactType: metrics-artifact}
  - {artifactType: metrics-artifact, metricsType: accuracy-metrics, name: scores}
- name: three
  customProperties:
    rank: {metadataType: MetadataIntValue, int_value: '3'}
    parts: {metadataType: MetadataStringValue, string_value: '[]'}
";
const SERVERS: &str = "\
mcp_servers:
- name: versioned
  version: '1'
  endpoints: {http: 'https://v.example/mcp'}
  runtimeMetadata: {defaultPort: 8080}
  artifacts: [{uri: 'oci://x/versioned'}]
  tools: [{name: a}, {name: b}, {name: c}]
- name: plain
  tools:
  - {name: kept}
  - {name: ''}
  - {description: without a name}
  - {name: kept, description: a second one}
";

/// Runs a test on the catalog above, without and with an index.
async fn each(backend: Backend, test: impl AsyncFn(&Api, &str)) {
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", MODELS), ("t.yaml", SERVERS)]);
    let api = Api::on(backend, files.settings()).await;
    without_and_with_index(&api, async |way| test(&api, way).await).await;
}

async fn an_invalid_part_of_an_item_is_skipped_and_the_item_is_published(backend: Backend) {
    each(backend, async |api, way| {
        assert_eq!(api.names("models?orderBy=ID").await, ["one", "two", "three"], "{way}");
        assert_eq!(api.names("sources/a/models/two/artifacts").await, ["scores"], "{way}");
        let model = api.get("sources/a/models/two").await.json();
        let text = json!({"metadataType": "MetadataStringValue", "string_value": "second"});
        assert_eq!(model["customProperties"]["rank"], text, "{way}");
        assert_eq!(api.names("models?filterQuery=rank='second'").await, ["two"], "{way}");
        let servers = api.get(&format!("{MCP}?includeTools=true")).await.json();
        let plain = &servers["items"][1];
        assert_eq!((&plain["name"], &plain["toolCount"]), (&json!("plain"), &json!(1)), "{way}");
        assert_eq!(plain["tools"][0]["name"], "kept", "{way}");
        let source = api.get("sources").await.json()["items"][0].clone();
        assert_eq!(source["status"], "available", "{way}");
        let error = source["error"].as_str().unwrap();
        assert!(
            error.starts_with("ignored 3: ") && error.contains("unknown metricsType: speed-metrics"),
            "{error} {way}"
        );
    })
    .await;
}

async fn endpoints_artifacts_and_runtime_metadata_of_servers_are_compared_as_json(backend: Backend) {
    each(backend, async |api, way| {
        for (filter, expected) in [
            ("runtimeMetadata LIKE '%258080%25'", vec!["versioned"]),
            ("endpoints LIKE '%25https:%25'", vec!["versioned"]),
            ("endpoints='%7B%22http%22:%22https://v.example/mcp%22%7D'", vec!["versioned"]),
            ("artifacts LIKE '%25oci://%25'", vec!["versioned"]),
            ("endpoints IS NULL", vec!["plain"]),
        ] {
            assert_eq!(api.names(&format!("{MCP}?filterQuery={filter}")).await, expected, "{filter} {way}");
        }
    })
    .await;
}

async fn the_searched_name_of_a_server_includes_its_version_if_it_has_one(backend: Backend) {
    each(backend, async |api, way| {
        assert_eq!(api.names(&format!("{MCP}?q=@")).await, ["versioned"], "{way}");
        assert_eq!(api.names(&format!("{MCP}?q=d@1")).await, ["versioned"], "{way}");
    })
    .await;
}

async fn filter_options_omit_counts_documents_and_json_lists(backend: Backend) {
    each(backend, async |api, way| {
        let servers = api.get(&format!("{MCP}/filter_options")).await.json();
        for absent in ["toolCount", "endpoints", "artifacts", "runtimeMetadata"] {
            assert_eq!(servers["filters"].get(absent), None, "{absent} {way}");
        }
        let models = api.get("models/filter_options").await.json();
        let parts = |key: &&String| key.starts_with("parts");
        assert_eq!(models["filters"].as_object().unwrap().keys().find(parts), None, "{way}: {models}");
    })
    .await;
}

async fn an_unknown_sort_order_descends_in_an_order_by_a_property(backend: Backend) {
    each(backend, async |api, way| {
        let orders: [(&str, &str, &[&str]); 6] = [
            ("rank.int_value", "asc", &["three", "one", "two"]),
            ("rank.int_value", "ASC", &["one", "three", "two"]),
            ("rank.int_value", "", &["one", "three", "two"]),
            ("NAME", "desc", &["one", "three", "two"]),
            ("NAME", "DESC", &["two", "three", "one"]),
            ("ID", "up", &["one", "two", "three"]),
        ];
        for (order, direction, expected) in orders {
            let names = api.names(&format!("models?orderBy={order}&sortOrder={direction}")).await;
            assert_eq!(names, expected, "{order} {direction} {way}");
        }
        let uris = async |query: &str| {
            let json = api.get(&format!("sources/a/models/one/artifacts?{query}")).await.json();
            let items = json["items"].as_array().unwrap().clone();
            items.iter().map(|item| item["uri"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(uris("orderBy=size.int_value&sortOrder=desc").await, ["oci://x/two", "oci://x/one"], "{way}");
        assert_eq!(uris("orderBy=ID&sortOrder=desc").await, ["oci://x/one", "oci://x/two"], "{way}");
        // Lists of servers ignore case.
        assert_eq!(api.names(&format!("{MCP}?sortOrder=desc")).await, ["plain", "versioned"], "{way}");
    })
    .await;
}

async fn an_order_of_artifacts_by_a_dotted_name_without_a_type_is_by_id(backend: Backend) {
    each(backend, async |api, way| {
        for (order, status) in [
            ("a.b.c", 200),
            ("artifacts.x.bool_value", 200),
            ("size.int_value", 200),
            ("size.bool_value", 400),
            (".int_value", 400),
        ] {
            let response = api.get(&format!("sources/a/models/one/artifacts?orderBy={order}")).await;
            assert_eq!(response.status, status, "{order} {way}");
        }
    })
    .await;
}

async fn every_requested_artifact_type_has_to_be_valid(backend: Backend) {
    each(backend, async |api, way| {
        for (query, status) in [
            ("artifactType=model-artifact,metrics-artifact", 200),
            ("artifactType=model-artifact&artifactType=metrics-artifact", 200),
            ("artifactType=model-artifact,", 400),
            ("artifactType=", 400),
            ("artifact_type=,", 400),
        ] {
            let response = api.get(&format!("sources/a/models/one/artifacts?{query}")).await;
            assert_eq!(response.status, status, "{query} {way}");
        }
    })
    .await;
}

async fn parameters_are_checked_before_the_item_is_read(backend: Backend) {
    each(backend, async |api, way| {
        let model = "sources/nowhere/models/x/artifacts";
        let tools = "/api/mcp_catalog/v1alpha1/mcp_servers/999999/tools";
        for (path, status) in [
            (format!("{model}?pageSize=0"), 400),
            (format!("{model}?artifactType=z"), 400),
            (format!("{model}?nextPageToken=!"), 400),
            (format!("{model}?filterQuery=x"), 400),
            (format!("{model}?pageSize=1"), 404),
            (format!("{model}/performance?targetRPS=z"), 400),
            (format!("{model}/performance?nextPageToken=!"), 400),
            (format!("{model}/performance?recommendations=true&nextPageToken=!"), 400),
            (format!("{model}/performance?pageSize=0"), 400),
            (format!("{model}/performance"), 404),
            (format!("{tools}?nextPageToken=%23"), 400),
            (format!("{tools}?pageSize=0"), 400),
            (tools.to_owned(), 404),
        ] {
            assert_eq!(api.get(&path).await.status, status, "{path} {way}");
        }
    })
    .await;
}

async fn an_empty_or_undecodable_path_parameter_is_rejected_with_a_json_error(backend: Backend) {
    each(backend, async |api, way| {
        for (path, status, code) in [
            ("sources/a/models/%FF", 400, "Bad Request"),
            ("sources/%FF/models/x", 400, "Bad Request"),
            ("/api/mcp_catalog/v1alpha1/mcp_servers/%FF", 400, "Bad Request"),
            ("/api/mcp_catalog/v1alpha1/mcp_servers/%FF/tools", 400, "Bad Request"),
            ("/api/mcp_catalog/v1alpha1/mcp_servers/1/tools/%FF", 400, "Bad Request"),
            ("sources//models/x", 422, "Unprocessable Entity"),
            ("sources/a/models/", 422, "Unprocessable Entity"),
            ("sources/a/models//artifacts", 422, "Unprocessable Entity"),
            ("sources/a/models//artifacts/performance", 422, "Unprocessable Entity"),
            ("/api/mcp_catalog/v1alpha1/mcp_servers//tools", 422, "Unprocessable Entity"),
            ("/api/mcp_catalog/v1alpha1/mcp_servers//tools/x", 422, "Unprocessable Entity"),
        ] {
            let response = api.get(path).await;
            assert_eq!(response.status, status, "{path} {way}");
            assert_eq!(
                (&response.json()["code"], response.message().is_empty()),
                (&json!(code), false),
                "{path} {way}"
            );
        }
    })
    .await;
}

async fn an_empty_parameter_differs_from_a_list_without_elements(backend: Backend) {
    each(backend, async |api, way| {
        for (query, expected) in
            [("source=a&sourceLabel=", 3), ("sourceLabel=,", 0), ("source=,", 0), ("source=,a,", 3)]
        {
            assert_eq!(api.names(&format!("models?{query}")).await.len(), expected, "{query} {way}");
        }
        assert_eq!(api.get("models?source=a&sourceLabel=,").await.status, 400, "{way}");
        assert!(api.names(&format!("{MCP}?sourceLabel=,")).await.is_empty(), "{way}");
        let server = api.get(&format!("{MCP}?name=versioned")).await.json()["items"][0]["id"].clone();
        let tools = async |limit: &str| {
            let server = api.get(&format!("{MCP}/{}?includeTools=true{limit}", server.as_str().unwrap())).await.json();
            server["tools"].as_array().unwrap().len()
        };
        assert_eq!((tools("&toolLimit=1").await, tools("&toolLimit=").await), (1, 3), "{way}");
    })
    .await;
}

async fn a_list_ordered_by_long_strings_can_be_paged(backend: Backend) {
    let model = |number: usize| {
        // They differ after the part that a page token holds, and within the prefix that MySQL and MariaDB sort by.
        let text = format!("{}{number}{}", "é".repeat(200), "é".repeat(9_800));
        format!("- {{name: m{number}, readme: {text}}}\n")
    };
    let models = format!("models:\n- {{name: none}}\n{}", [1, 0, 3, 2].map(model).concat());
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", &models), ("t.yaml", "mcp_servers: []")]);
    let api = Api::on(backend, files.settings()).await;
    without_and_with_index(&api, async |way| {
        let (mut names, mut token) = (Vec::new(), String::new());
        loop {
            let page = format!("models?orderBy=readme.string_value&pageSize=1&nextPageToken={token}");
            let (statements, response) = api.statements(api.get(&page)).await;
            let json = response.json();
            assert_eq!((response.status, statements), (200, 1), "{json} {way}");
            names.extend(json["items"][0]["name"].as_str().map(str::to_owned));
            json["nextPageToken"].as_str().unwrap().clone_into(&mut token);
            if token.is_empty() {
                break;
            }
            assert!(token.len() < 2_000, "{way}: {}", token.len());
        }
        assert_eq!(names, ["m0", "m1", "m2", "m3", "none"], "{way}");
    })
    .await;
}

async fn a_model_without_a_required_property_has_no_latency(backend: Backend) {
    let measured = |name: &str, latency: u32, more: &str| {
        format!(
            "- name: {name}\n  artifacts:\n  - {{artifactType: metrics-artifact, metricsType: performance-metrics, \
             customProperties: {{ttft_p90: {{metadataType: MetadataDoubleValue, double_value: {latency}}}, \
             hardware_count: {{metadataType: MetadataIntValue, int_value: '1'}}, \
             hardware_type: {{metadataType: MetadataStringValue, string_value: L4}}{more}}}}}\n"
        )
    };
    let rate = ", requests_per_second: {metadataType: MetadataDoubleValue, double_value: 2}";
    let models = format!(
        "models:\n{}{}{}",
        measured("a-slow", 90, rate),
        measured("b-quick", 30, rate),
        measured("c-unmeasured", 1, "")
    );
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", &models), ("t.yaml", "mcp_servers: []")]);
    let api = Api::on(backend, files.settings()).await;
    let ranked = async |query: &str| api.names(&format!("models?recommendations=true{query}")).await;
    assert_eq!(ranked("").await, ["b-quick", "a-slow", "c-unmeasured"]);
    assert_eq!(ranked("&rpsProperty=nope").await, ["a-slow", "b-quick", "c-unmeasured"]);
    assert_eq!(ranked("&rpsProperty=").await, ["c-unmeasured", "b-quick", "a-slow"]);
}

async fn a_source_may_have_any_id_and_shows_the_readable_fields_of_an_invalid_entry(backend: Backend) {
    let sources = format!(
        "model_catalogs:\n\
         - {{id: a/b, name: Slash, type: yaml, properties: {{yamlCatalogPath: a.yaml}}}}\n\
         - {{id: {}, name: Long, type: yaml, properties: {{yamlCatalogPath: a.yaml}}}}\n\
         - {{id: wrong, name: Wrong, typo: yaml, labels: [x], includedModels: ['m*']}}\n",
        "x".repeat(256)
    );
    let files = Files::new(&[("sources.yaml", &sources), ("a.yaml", "models: [{name: org/m}]")]);
    let api = Api::on(backend, files.settings()).await;
    let listed = api.get("sources").await.json()["items"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    assert_eq!(api.get("sources/a%2Fb/models/org/m").await.json()["source_id"], "a/b");
    assert_eq!(api.names("models?source=a/b").await, ["org/m"]);
    let wrong = &listed[1];
    assert_eq!((&wrong["name"], &wrong["status"]), (&json!("Wrong"), &json!("error")));
    assert_eq!((&wrong["labels"], &wrong["includedModels"]), (&json!(["x"]), &json!(["m*"])));
}
