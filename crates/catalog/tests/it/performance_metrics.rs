//! Performance, accuracy and security metrics: each record is checked alone, and skipped records are counted apart from models.

use model_registry_catalog::{Settings, check};
use model_registry_server::telemetry::{Metrics, MetricsFormat};
use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use crate::support::{Api, Files};

on_each_database!(
    every_record_is_checked_alone_and_belongs_to_each_source_with_the_model,
    security_metrics_and_sizes_are_read_and_whole_numbers_are_doubles_next_to_fractions
);

const SOURCES: &str = "\
model_catalogs:
- {id: a, type: yaml, properties: {yamlCatalogPath: a.yaml}}
- {id: b, type: yaml, properties: {yamlCatalogPath: b.yaml}}
";

const METADATA: &str = r#"{
  "id": "Org/M",
  "size": 7,
  "tensor_tpye": "BF16",
  "overall_accuracy": "high"
}"#;

const EVALUATIONS: &str = r#"{"benchmark": "first", "score": 7, "shots": 5, "created_at": 2000, "updated_at": 3000}
{"benchmark": "second", "score": 0.5, "created_at": "noon"}
{"benchmark": "first", "score": 8}
{"benchmark": "text", "score": "0.5"}
{"benchmark": "scoreless", "scroe": 1}
not JSON
{"score": 1, "updated_at": 4000}
"#;

fn files() -> Files {
    let files = Files::new(&[
        ("sources.yaml", SOURCES),
        ("a.yaml", "models: [{name: org/m}, {name: 7}, {name: bad, tasks: {}}]"),
        ("b.yaml", "models: [{name: ORG/M}]"),
    ]);
    std::fs::create_dir_all(files.path("measured/m")).unwrap();
    files.write("measured/m/metadata.json", METADATA);
    files.write("measured/m/evaluations.ndjson", EVALUATIONS);
    let long = "n".repeat(244);
    let big = "x".repeat(100_000);
    files.write(
        "measured/m/performance.ndjson",
        &format!(
            "{{\"id\": \"same\", \"rps\": 7, \"big\": 9007199254740993, \"none\": null, \"nested\": {{\"a\": [1]}}}}\n\
             {{\"id\": \"same\", \"rps\": 7.0, \"note\": \"{big}\"}}\n\
             {{\"rps\": 8, \"{long}\": 1, \"updated_at\": false}}\n[1]\n"
        ),
    );
    files
}

fn settings(files: &Files) -> Settings {
    Settings { performance_metrics: vec![files.path("measured")], ..files.settings() }
}

// In the Kubeflow Model Registry, a record without an id, a repeated benchmark, a long line or a number beyond 32 bits fails the
// whole file.
async fn every_record_is_checked_alone_and_belongs_to_each_source_with_the_model(backend: Backend) {
    let files = files();
    let api = Api::on(backend, settings(&files)).await;
    for path in ["sources/a/models/org/m/artifacts", "sources/b/models/ORG/M/artifacts"] {
        let json = api.get(&format!("{path}?pageSize=100")).await.json();
        let artifacts = json["items"].as_array().unwrap();
        assert_eq!(artifacts.len(), 4, "{json}");
        let accuracy = artifacts.iter().find(|one| one["metricsType"] == "accuracy-metrics").unwrap();
        let score = |number: f64| json!({"metadataType": "MetadataDoubleValue", "double_value": number});
        assert_eq!(
            accuracy["customProperties"],
            json!({"first": score(8.0), "second": score(0.5)}),
            "the last score counts"
        );
        assert_eq!(
            (&accuracy["createTimeSinceEpoch"], &accuracy["lastUpdateTimeSinceEpoch"]),
            (&json!("2000"), &json!("4000"))
        );
        let first = artifacts.iter().find(|one| one["customProperties"].get("big").is_some()).unwrap();
        assert_eq!(first["customProperties"]["big"]["int_value"], "9007199254740993");
        assert_eq!(first["customProperties"]["nested"]["string_value"], r#"{"a":[1]}"#);
        assert!(first["customProperties"].get("none").is_none());
    }
    // 7, 7.0 and 8 have the same type.
    let order = "orderBy=rps.double_value&sortOrder=DESC";
    let json = api.get(&format!("sources/a/models/org/m/artifacts/performance?targetRPS=8&{order}")).await;
    assert_eq!(json.status, 200);
}

#[tokio::test]
async fn skipped_records_are_reported_with_their_place_and_counted_apart_from_models() {
    let files = files();
    let api = Api::on(Backend::Sqlite, settings(&files)).await;
    let metrics = Metrics::new(&[]);
    api.catalog.register_metrics(&metrics);
    let summary = api.catalog.load().await.unwrap();
    let problems: Vec<String> = summary.problems.iter().map(ToString::to_string).collect();
    for part in [
        "metadata.json:4:3: `tensor_type` is missing, did you mean it by `tensor_tpye`?",
        "metadata.json:5:3: `overall_accuracy`: expected a number, found \"high\"",
        "evaluations.ndjson:2:39: `created_at`: expected milliseconds, found \"noon\"",
        "evaluations.ndjson:3:2: replaces an earlier score for `first`",
        "evaluations.ndjson:4:23: `score`: expected a number, found \"0.5\"",
        "evaluations.ndjson:5:1: lacks `score`: the evaluation is left out",
        "evaluations.ndjson:5:28: `score` is missing, did you mean it by `scroe`?",
        "evaluations.ndjson:6:2: is not a JSON object: expected ident",
        "evaluations.ndjson:7:1: lacks `benchmark`: the evaluation is left out",
        "a name has 1 to 243 characters",
        "performance.ndjson:3:263: `updated_at`: expected milliseconds, found false",
        "performance.ndjson:4:1: is not a JSON object: invalid type: sequence, expected a map",
        "a.yaml:1:55: model \"bad\" is left out: `tasks`: expected a list, found a map",
    ] {
        assert!(problems.iter().any(|one| one.contains(part)), "{part}: {problems:#?}");
    }
    let sources = api.get("sources").await.json();
    let of = |id: &str| sources["items"].as_array().unwrap().iter().find(|source| source["id"] == id).unwrap();
    assert_eq!(of("a")["status"], "partially-available");
    let error = of("a")["error"].as_str().unwrap();
    assert!(
        error.starts_with("failed to load 1 model(s): ")
            && error.contains("; failed to read 8 performance metrics record(s): "),
        "{error}"
    );
    let error = of("b")["error"].as_str().unwrap();
    assert!(error.starts_with("failed to read 8 performance metrics record(s): "), "{error}");
    let text = metrics.encode(MetricsFormat::Prometheus).unwrap();
    for line in [
        r#"catalog_source_skipped{source="a"} 1"#,
        r#"catalog_source_skipped{source="b"} 0"#,
        r#"catalog_source_measurements_skipped{source="a"} 8"#,
        r#"catalog_source_measurements_skipped{source="b"} 8"#,
        r#"catalog_source_items{source="a"} 2"#,
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let skipped: Vec<_> =
        check(&settings(&files)).sources.iter().map(|source| (source.items, source.skipped)).collect();
    assert_eq!(skipped, [(2, 1), (1, 0)]);
}

async fn security_metrics_and_sizes_are_read_and_whole_numbers_are_doubles_next_to_fractions(backend: Backend) {
    let files = Files::new(&[
        ("sources.yaml", "model_catalogs: [{id: a, type: yaml, properties: {yamlCatalogPath: a.yaml}}]"),
        ("a.yaml", "models: [{name: m}, {name: unreadable}]"),
    ]);
    for directory in ["measured/m", "measured/unreadable"] {
        std::fs::create_dir_all(files.path(directory)).unwrap();
    }
    files.write("measured/m/metadata.json", r#"{"id": "m", "min_vram_gb": 0, "modelcar_image_size": 7.5}"#);
    files.write(
        "measured/m/performance.ndjson",
        "{\"config_id\": \"c-1\", \"ttft\": 80, \"count\": 1}\n\
         {\"id\": \"\", \"config_id\": \"c-2\", \"ttft\": 80.5, \"count\": 2}\n\
         {\"id\": \"one\", \"config_id\": \"c-3\", \"ttft\": 70, \"count\": 3}\n\
         {\"id\": \"one\", \"config_id\": \"c-4\", \"count\": 4}\n",
    );
    files.write(
        "measured/m/security-evaluations.ndjson",
        "{\"id\": \"one\", \"pass\": true, \"result\": 1, \"created_at\": 7, \"updated_at\": 8}\n\
         {\"id\": \"two\", \"pass\": false, \"result\": 0.5}\n\
         {\"id\": \"two\", \"result\": 9.5}\nnot JSON\n",
    );
    files.write("measured/unreadable/metadata.json", r#"{"id": "unreadable", "overall_accuracy": 7.5}"#);
    files.write("measured/unreadable/evaluations.ndjson", "not JSON\n");
    // A missing directory does not disable the others.
    let performance_metrics = vec![files.path("missing"), files.path("measured")];
    let api = Api::on(backend, Settings { performance_metrics, ..files.settings() }).await;
    let model = api.get("sources/a/models/m").await.json();
    let double = |number: f64| json!({"metadataType": "MetadataDoubleValue", "double_value": number});
    assert_eq!(model["customProperties"], json!({"min_vram_gb": double(0.0), "modelcar_image_size": double(7.5)}));
    assert_eq!(model["artifactCounts"], json!({"performance-metrics": 4, "security-metrics": 2}));
    let artifacts = "sources/a/models/m/artifacts";
    for (query, expected) in [
        ("filterQuery=metricsType='security-metrics'", &["security-one", "security-two"][..]),
        ("filterQuery=result.double_value %3E 0.7", &["security-one"]),
        ("filterQuery=pass=false", &["security-two"]),
        ("filterQuery=externalId='c-2'", &["performance-c-2"]),
        ("filterQuery=ttft.double_value %3C= 80", &["performance-c-1", "performance-one"]),
        ("filterQuery=count.int_value %3E 2", &["performance-one", "performance-one"]),
        ("orderBy=result.double_value&sortOrder=DESC&pageSize=1", &["security-one"]),
    ] {
        assert_eq!(api.names(&format!("{artifacts}?{query}")).await, expected, "{query}");
    }
    let security = api.get(&format!("{artifacts}?filterQuery=externalId='one' AND pass=true")).await.json();
    let security = &security["items"][0];
    assert_eq!((&security["createTimeSinceEpoch"], &security["lastUpdateTimeSinceEpoch"]), (&json!("7"), &json!("8")));
    let unreadable = api.get("sources/a/models/unreadable/artifacts").await.json();
    assert_eq!(unreadable["size"], 0, "unreadable evaluations publish no artifact");
    let sources = api.get("sources").await.json();
    let error = sources["items"][0]["error"].as_str().unwrap();
    assert!(error.contains("there is an earlier record with the id `two`: this one is left out"), "{error}");
}

// Python writes NaN and infinite numbers into JSON, which has neither.
#[tokio::test]
async fn a_number_that_json_does_not_have_costs_only_itself() {
    let files = files();
    files.write("measured/m/metadata.json", "{\"id\": \"org/m\", \"overall_accuracy\": NaN, \"size\": 7}");
    files.write(
        "measured/m/evaluations.ndjson",
        "{\"benchmark\": \"a\", \"score\": Infinity}\n{\"benchmark\": \"b\", \"score\": 1}\n",
    );
    files.write("measured/m/performance.ndjson", "{\"id\": 7, \"ttft\": -Infinity, \"rps\": 2, \"note\": \"NaN\"}");
    let api = Api::on(Backend::Sqlite, settings(&files)).await;
    assert_eq!(api.get("sources/b/models/ORG/M").await.json()["customProperties"]["size"]["string_value"], "7");
    let json = api.get("sources/b/models/ORG/M/artifacts").await.json();
    let of = |kind: &str| {
        let artifacts = json["items"].as_array().unwrap();
        artifacts.iter().find(|one| one["metricsType"] == kind).unwrap()["customProperties"].clone()
    };
    assert_eq!(of("accuracy-metrics").as_object().unwrap().keys().collect::<Vec<_>>(), ["b"]);
    let performance = of("performance-metrics");
    assert_eq!(performance.as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "note", "rps"]);
    assert_eq!(performance["note"]["string_value"], "NaN");
    let error = api.get("sources").await.json()["items"][1]["error"].as_str().unwrap().to_owned();
    for part in [
        "evaluations.ndjson:1:29: Infinity is not a number of JSON: the value is left out",
        "evaluations.ndjson:1:20: lacks `score`: the evaluation is left out",
        "performance.ndjson:1:19: -Infinity is not a number of JSON: the value is left out",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let problems = check(&settings(&files)).problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(problems.iter().any(|problem| problem.contains("metadata.json:1:37: NaN is not a number")), "{problems:?}");
}

#[tokio::test]
async fn unreadable_evaluations_publish_no_artifact() {
    let files = files();
    files.write("measured/m/metadata.json", "{\"id\": \"org/m\", \"overall_accuracy\": 0.9}");
    files.write("measured/m/performance.ndjson", "{\"rps\": 1}\n");
    for evaluations in
        ["{\"benchmark\": \"a\"}\n", "{\"score\": 1}\n", "nonsense\n", "{\"benchmark\": \"a\", \"score\": NaN}\n"]
    {
        files.write("measured/m/evaluations.ndjson", evaluations);
        let api = Api::on(Backend::Sqlite, settings(&files)).await;
        let json = api.get("sources/b/models/ORG/M/artifacts").await.json();
        assert_eq!(json["size"], 1, "{evaluations}: {json}");
        assert_eq!(api.get("sources").await.json()["items"][1]["status"], "partially-available", "{evaluations}");
    }
}
