//! What the specification says and no recorded exchange shows.

use model_registry_testkit::backends;
use serde_json::{Value, json};

use crate::support::{Api, Files};

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

async fn each(test: impl AsyncFn(&Api, String)) {
    for backend in backends() {
        let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", MODELS), ("t.yaml", SERVERS)]);
        let api = Api::on(backend, files.settings()).await;
        test(&api, format!("{backend} alone")).await;
        api.catalog.index().await.unwrap();
        test(&api, format!("{backend} with an index")).await;
    }
}

// catalog-service 3.9, 3.10, 1.4
#[tokio::test]
async fn a_mistake_in_a_part_leaves_out_that_part_alone() {
    each(async |api, on| {
        assert_eq!(api.names("models?orderBy=ID").await, ["one", "two", "three"], "{on}");
        assert_eq!(api.names("sources/a/models/two/artifacts").await, ["scores"], "{on}");
        let model = api.get("sources/a/models/two").await.json();
        let text = json!({"metadataType": "MetadataStringValue", "string_value": "second"});
        assert_eq!(model["customProperties"]["rank"], text, "{on}");
        assert_eq!(api.names("models?filterQuery=rank='second'").await, ["two"], "{on}");
        let servers = api.get(&format!("{MCP}?includeTools=true")).await.json();
        let plain = &servers["items"][1];
        assert_eq!((&plain["name"], &plain["toolCount"]), (&json!("plain"), &json!(1)), "{on}");
        assert_eq!(plain["tools"][0]["name"], "kept", "{on}");
        let source = api.get("sources").await.json()["items"][0].clone();
        assert_eq!((&source["status"], &source["error"]), (&json!("available"), &Value::Null), "{on}");
    })
    .await;
}

// catalog-service 2.4
#[tokio::test]
async fn endpoints_artifacts_and_runtime_metadata_of_servers_are_compared_as_json() {
    each(async |api, on| {
        for (filter, expected) in [
            ("runtimeMetadata LIKE '%258080%25'", vec!["versioned"]),
            ("endpoints LIKE '%25https:%25'", vec!["versioned"]),
            ("endpoints='%7B%22http%22:%22https://v.example/mcp%22%7D'", vec!["versioned"]),
            ("artifacts LIKE '%25oci://%25'", vec!["versioned"]),
            ("endpoints IS NULL", vec!["plain"]),
        ] {
            assert_eq!(api.names(&format!("{MCP}?filterQuery={filter}")).await, expected, "{filter} on {on}");
        }
    })
    .await;
}

// catalog-service 2.3, 4.2
#[tokio::test]
async fn the_name_that_is_searched_has_a_version_only_where_the_server_has_one() {
    each(async |api, on| {
        assert_eq!(api.names(&format!("{MCP}?q=@")).await, ["versioned"], "{on}");
        assert_eq!(api.names(&format!("{MCP}?q=d@1")).await, ["versioned"], "{on}");
    })
    .await;
}

// catalog-service 2.8, 2.13, 4.3
#[tokio::test]
async fn counts_documents_and_texts_that_spell_lists_are_not_offered() {
    each(async |api, on| {
        let servers = api.get(&format!("{MCP}/filter_options")).await.json();
        for absent in ["toolCount", "endpoints", "artifacts", "runtimeMetadata"] {
            assert_eq!(servers["filters"].get(absent), None, "{absent} on {on}");
        }
        let models = api.get("models/filter_options").await.json();
        let parts = |key: &&String| key.starts_with("parts");
        assert_eq!(models["filters"].as_object().unwrap().keys().find(parts), None, "{on}: {models}");
    })
    .await;
}

// catalog-service 2.5, 2.11
#[tokio::test]
async fn an_unknown_direction_descends_where_the_order_is_by_a_property() {
    each(async |api, on| {
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
            assert_eq!(names, expected, "{order} {direction} on {on}");
        }
        let uris = async |query: &str| {
            let json = api.get(&format!("sources/a/models/one/artifacts?{query}")).await.json();
            let items = json["items"].as_array().unwrap().clone();
            items.iter().map(|item| item["uri"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(uris("orderBy=size.int_value&sortOrder=desc").await, ["oci://x/two", "oci://x/one"], "{on}");
        assert_eq!(uris("orderBy=ID&sortOrder=desc").await, ["oci://x/one", "oci://x/two"], "{on}");
        // Of servers, the case does not matter.
        assert_eq!(api.names(&format!("{MCP}?sortOrder=desc")).await, ["plain", "versioned"], "{on}");
    })
    .await;
}

// catalog-service 2.11
#[tokio::test]
async fn an_order_of_artifacts_in_several_parts_without_a_known_type_is_by_id() {
    each(async |api, on| {
        for (order, status) in [
            ("a.b.c", 200),
            ("artifacts.x.bool_value", 200),
            ("size.int_value", 200),
            ("size.bool_value", 400),
            (".int_value", 400),
        ] {
            let answer = api.get(&format!("sources/a/models/one/artifacts?orderBy={order}")).await;
            assert_eq!(answer.status, status, "{order} on {on}");
        }
    })
    .await;
}

// catalog-service 2.11
#[tokio::test]
async fn each_type_of_artifact_that_is_asked_for_has_to_be_one() {
    each(async |api, on| {
        for (query, status) in [
            ("artifactType=model-artifact,metrics-artifact", 200),
            ("artifactType=model-artifact&artifactType=metrics-artifact", 200),
            ("artifactType=model-artifact,", 400),
            ("artifactType=", 400),
            ("artifact_type=,", 400),
        ] {
            let answer = api.get(&format!("sources/a/models/one/artifacts?{query}")).await;
            assert_eq!(answer.status, status, "{query} on {on}");
        }
    })
    .await;
}

// catalog-service 2.1, 2.2
#[tokio::test]
async fn parameters_are_looked_at_before_what_they_are_asked_of() {
    each(async |api, on| {
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
            assert_eq!(api.get(&path).await.status, status, "{path} on {on}");
        }
    })
    .await;
}

// catalog-service 2.1
#[tokio::test]
async fn a_path_with_an_empty_piece_or_one_that_is_no_text_is_refused_in_json() {
    each(async |api, on| {
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
            let answer = api.get(path).await;
            assert_eq!(answer.status, status, "{path} on {on}");
            assert_eq!((&answer.json()["code"], answer.message().is_empty()), (&json!(code), false), "{path} on {on}");
        }
    })
    .await;
}

// catalog-service 2.1, 2.5, 2.13
#[tokio::test]
async fn an_empty_parameter_is_not_the_same_as_one_without_elements() {
    each(async |api, on| {
        for (query, expected) in
            [("source=a&sourceLabel=", 3), ("sourceLabel=,", 0), ("source=,", 0), ("source=,a,", 3)]
        {
            assert_eq!(api.names(&format!("models?{query}")).await.len(), expected, "{query} on {on}");
        }
        assert_eq!(api.get("models?source=a&sourceLabel=,").await.status, 400, "{on}");
        assert!(api.names(&format!("{MCP}?sourceLabel=,")).await.is_empty(), "{on}");
        let server = api.get(&format!("{MCP}?name=versioned")).await.json()["items"][0]["id"].clone();
        let tools = async |limit: &str| {
            let server = api.get(&format!("{MCP}/{}?includeTools=true{limit}", server.as_str().unwrap())).await.json();
            server["tools"].as_array().unwrap().len()
        };
        assert_eq!((tools("&toolLimit=1").await, tools("&toolLimit=").await), (1, 3), "{on}");
    })
    .await;
}

// catalog-service 2.2
#[tokio::test]
async fn a_list_in_the_order_of_long_texts_can_be_continued() {
    let model = |number: usize| {
        // They differ behind what a token holds of them, and before MySQL and MariaDB stop to look.
        let text = format!("{}{number}{}", "é".repeat(200), "é".repeat(9_800));
        format!("- {{name: m{number}, readme: {text}}}\n")
    };
    let models = format!("models:\n- {{name: none}}\n{}", [1, 0, 3, 2].map(model).concat());
    for backend in backends() {
        let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", &models), ("t.yaml", "mcp_servers: []")]);
        let api = Api::on(backend, files.settings()).await;
        for way in ["alone", "with an index"] {
            let (mut names, mut token) = (Vec::new(), String::new());
            loop {
                let page = format!("models?orderBy=readme.string_value&pageSize=1&nextPageToken={token}");
                let (statements, answer) = api.statements(api.get(&page)).await;
                let json = answer.json();
                assert_eq!((answer.status, statements), (200, 1), "{json} on {backend} {way}");
                names.extend(json["items"][0]["name"].as_str().map(str::to_owned));
                json["nextPageToken"].as_str().unwrap().clone_into(&mut token);
                if token.is_empty() {
                    break;
                }
                assert!(token.len() < 2_000, "{backend} {way}: {}", token.len());
            }
            assert_eq!(names, ["m0", "m1", "m2", "m3", "none"], "{backend} {way}");
            api.catalog.index().await.unwrap();
        }
    }
}

// catalog-service 2.6
#[tokio::test]
async fn a_model_without_one_of_the_measured_properties_has_no_latency() {
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
    for backend in backends() {
        let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", &models), ("t.yaml", "mcp_servers: []")]);
        let api = Api::on(backend, files.settings()).await;
        let ranked = async |query: &str| api.names(&format!("models?recommendations=true{query}")).await;
        assert_eq!(ranked("").await, ["b-quick", "a-slow", "c-unmeasured"], "{backend}");
        assert_eq!(ranked("&rpsProperty=nope").await, ["a-slow", "b-quick", "c-unmeasured"], "{backend}");
        assert_eq!(ranked("&rpsProperty=").await, ["c-unmeasured", "b-quick", "a-slow"], "{backend}");
    }
}

// catalog-service 1.5, 3.1
#[tokio::test]
async fn a_source_has_any_id_and_keeps_what_can_be_read_of_it() {
    let sources = format!(
        "model_catalogs:\n\
         - {{id: a/b, name: Slash, type: yaml, properties: {{yamlCatalogPath: a.yaml}}}}\n\
         - {{id: {}, name: Long, type: yaml, properties: {{yamlCatalogPath: a.yaml}}}}\n\
         - {{id: wrong, name: Wrong, typo: yaml, labels: [x], includedModels: ['m*']}}\n",
        "x".repeat(256)
    );
    for backend in backends() {
        let files = Files::new(&[("sources.yaml", &sources), ("a.yaml", "models: [{name: org/m}]")]);
        let api = Api::on(backend, files.settings()).await;
        let listed = api.get("sources").await.json()["items"].clone();
        assert_eq!(listed.as_array().unwrap().len(), 2, "{backend}: {listed}");
        assert_eq!(api.get("sources/a%2Fb/models/org/m").await.json()["source_id"], "a/b", "{backend}");
        assert_eq!(api.names("models?source=a/b").await, ["org/m"], "{backend}");
        let wrong = &listed[1];
        assert_eq!((&wrong["name"], &wrong["status"]), (&json!("Wrong"), &json!("error")), "{backend}");
        assert_eq!((&wrong["labels"], &wrong["includedModels"]), (&json!(["x"]), &json!(["m*"])), "{backend}");
    }
}
