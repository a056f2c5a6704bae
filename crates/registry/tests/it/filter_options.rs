//! `filter_options`: what filters of each list can use.

use std::time::Duration;

use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Value, json};

use crate::support::{Api, Time, encoded};

on_each_database!(
    options_have_names_types_frequent_values_and_ranges,
    every_collection_has_options_whose_names_filters_accept,
    options_are_computed_again_after_a_while
);

fn string(value: &str) -> Value {
    json!({"metadataType": "MetadataStringValue", "string_value": value})
}

async fn options_have_names_types_frequent_values_and_ranges(backend: Backend) {
    let api = Api::on(backend).await;
    for (name, stage, accuracy, owner) in
        [("a", "production", 0.5, "ada"), ("b", "staging", 0.75, "bob"), ("c", "production", 1.5, "ada")]
    {
        let properties = json!({
            "stage": string(stage),
            "accuracy": {"metadataType": "MetadataDoubleValue", "double_value": accuracy},
            "epochs": {"metadataType": "MetadataIntValue", "int_value": "7"},
            "my label": string(""),
            "approved": {"metadataType": "MetadataBoolValue", "bool_value": name == "a"},
            // Hidden by the field in filters.
            "owner": string("custom"),
        });
        let body = json!({"name": name, "owner": owner, "tasks": ["t1", name], "customProperties": properties});
        api.create("registered_models", body).await;
    }
    // A removed property has no value.
    let id = api.create("registered_models", json!({"name": "d", "customProperties": {"gone": string("x")}})).await;
    let patch = json!({"state": "ARCHIVED", "customProperties": {"epochs": {"metadataType": "MetadataIntValue", "int_value": "9"}}});
    api.patch(&format!("registered_models/{id}"), patch).await;

    let options = api.get("registered_models/filter_options").await.json();
    assert_eq!((&options["entities"], &options["countsAreExact"]), (&json!(4), &json!(true)));
    assert_eq!(options["ageSeconds"], 0);
    let filters = &options["filters"];
    for (name, expected) in [
        (
            "stage.string_value",
            json!({"type": "string", "count": 3, "values": ["production", "staging"], "counts": [2, 1]}),
        ),
        ("accuracy.double_value", json!({"type": "number", "count": 3, "range": {"min": 0.5, "max": 1.5}})),
        ("epochs.int_value", json!({"type": "number", "count": 4, "range": {"min": 7, "max": 9}})),
        ("approved.bool_value", json!({"type": "boolean", "count": 3, "values": [false, true], "counts": [2, 1]})),
        ("`my label.string_value`", json!({"type": "string", "count": 3})),
        ("owner", json!({"type": "string", "count": 3, "values": ["ada", "bob"], "counts": [2, 1]})),
        ("tasks", json!({"type": "string", "count": 3, "values": ["t1", "a", "b", "c"], "counts": [3, 1, 1, 1]})),
        ("state", json!({"type": "string", "values": ["LIVE", "ARCHIVED"], "counts": [3, 1]})),
        ("name", json!({"type": "string"})),
        ("id", json!({"type": "number"})),
    ] {
        assert_eq!(filters[name], expected, "{name}: {options}");
    }
    assert!(filters["createTimeSinceEpoch"]["range"]["min"].is_number());
    for absent in ["gone.string_value", "owner.string_value", "owner_value"] {
        assert_eq!(filters[absent], Value::Null, "{absent}");
    }
}

async fn every_collection_has_options_whose_names_filters_accept(backend: Backend) {
    let api = Api::on(backend).await;
    let entities = crate::support::entities::Entities::create(&api).await;
    for list in entities.nested() {
        let mut body = list.body.clone();
        body["name"] = json!(format!("{} in {}", list.kind.name(), list.path));
        body["description"] = json!("described");
        body["customProperties"] =
            json!({"and": string("keyword"), "a.b": string("dotted"), "int_value": string("suffix")});
        api.create(&list.path, body).await;
    }
    for collection in [
        "registered_models",
        "model_versions",
        "artifacts",
        "model_artifacts",
        "experiments",
        "experiment_runs",
        "serving_environments",
        "inference_services",
    ] {
        let response = api.get(&format!("{collection}/filter_options")).await;
        assert_eq!(response.status, 200, "{collection}");
        let options = response.json();
        let entities = options["entities"].as_u64().unwrap();
        assert_eq!(
            api.get(&format!("{collection}?pageSize=1&total=true")).await.json()["total"],
            entities,
            "{collection}"
        );
        for (name, option) in options["filters"].as_object().unwrap() {
            let list = api
                .get(&format!("{collection}?total=true&filterQuery={}", encoded(&format!("{name} IS NOT NULL"))))
                .await;
            assert_eq!(list.status, 200, "{collection}: {name}: {}", list.message());
            if let Some(count) = option["count"].as_u64() {
                assert_eq!(list.json()["total"], count, "{collection}: {name}");
            }
            for (value, count) in
                option["values"].as_array().into_iter().flatten().zip(option["counts"].as_array().into_iter().flatten())
            {
                let literal = value.as_str().map_or_else(|| value.to_string(), |text| format!("'{text}'"));
                let filter = encoded(&format!("{name} = {literal}"));
                let list = api.get(&format!("{collection}?total=true&filterQuery={filter}")).await;
                assert_eq!(list.json()["total"], *count, "{collection}: {name} = {value}: {}", list.json());
            }
        }
    }
    let metrics = api.get("artifacts/filter_options?artifactType=metric").await.json();
    assert_eq!(metrics["filters"]["artifactType"]["values"], json!(["metric"]));
    assert_eq!(api.get("artifacts/filter_options?artifactType=nothing").await.status, 400);
    let v1 = api.get("/api/model_registry/v1/artifacts/filter_options").await.json();
    assert_eq!(v1["filters"]["experimentId"], Value::Null);
    assert_eq!(api.get("/api/model_registry/v1/experiments/filter_options").await.status, 404);
}

async fn options_are_computed_again_after_a_while(backend: Backend) {
    let time = Time::start();
    let api = Api::with_clock(backend, time.clock()).await;
    let names = async || {
        let options = api.get("experiments/filter_options").await.json();
        (options["entities"].as_u64().unwrap(), options["ageSeconds"].as_u64().unwrap())
    };
    assert_eq!(names().await, (0, 0));
    api.create("experiments", json!({"name": "e"})).await;
    time.advance(Duration::from_secs(20));
    let (statements, _) = api.statements(api.get("experiments/filter_options")).await;
    assert_eq!(statements, 0, "those of twenty seconds ago");
    assert_eq!(names().await, (0, 20));
    time.advance(Duration::from_secs(20));
    // These are returned once more, while new ones are computed.
    while names().await.0 == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(names().await, (1, 0));
    api.create("experiments", json!({"name": "f"})).await;
    time.advance(Duration::from_hours(1));
    assert_eq!(names().await, (2, 0), "too old to be returned");
}
