//! The OpenAPI document: served, in agreement with the routes and the typed structs, and up to date in the repository.

use std::collections::BTreeSet;
use std::path::Path;

use axum::body::Body;
use http::Request;
use model_registry_api::catalog::{
    Agent, AgentArtifact, CatalogArtifact, CatalogLabel, CatalogModel, CatalogSource, FilterOptions, MCP_CATALOG,
    MODEL_CATALOG, McpServer, McpToolWithServer, PreviewPage, Skill,
};
use model_registry_catalog::{OPENAPI_PATH, openapi_document};
use model_registry_testkit::Backend;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::support::Api;

#[test]
fn every_route_is_documented() {
    // A router does not list its routes, so the source is searched. The routes of every asset type and their operations
    // follow from one declaration. One route serves all paths below the name of a model.
    let source = include_str!("../../src/routes.rs");
    let calls = source.split(".route(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
    let routes: Vec<_> = calls.filter_map(|rest| rest.split('"').next()).collect();
    assert!(routes.len() >= 8, "only {} routes found in routes.rs", routes.len());
    let document = openapi_document();
    let documented: BTreeSet<String> =
        document["paths"].as_object().unwrap().keys().map(|path| path.replace("{model_name+}", "{*name}")).collect();
    // Routes that reject an empty path parameter are not part of the API.
    for route in routes.into_iter().filter(|route| !route.ends_with("/models/") && !route.contains("//")) {
        let route = route.replace("{*tool_name}", "{tool_name}");
        let is_documented =
            [MODEL_CATALOG, MCP_CATALOG].iter().any(|base| documented.contains(&format!("{base}{route}")));
        assert!(is_documented, "{route} is not in openapi/operations.rs");
    }
}

#[test]
fn every_reference_resolves_and_every_component_is_used() {
    let document = openapi_document();
    let mut references = BTreeSet::new();
    collect_references(&document, &mut references);
    for reference in &references {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
    }
    for section in ["schemas", "responses", "parameters", "headers"] {
        for name in document["components"][section].as_object().unwrap().keys() {
            assert!(references.contains(&format!("#/components/{section}/{name}")), "{section}/{name} is unused");
        }
    }
    let mut ids = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in ["get", "post"].into_iter().filter_map(|method| item.get(method)) {
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{operation}");
        }
    }
}

fn collect_references(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.starts_with("#/") => drop(references.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, references)),
        Value::Object(members) => members.values().for_each(|member| collect_references(member, references)),
        _ => {}
    }
}

#[test]
fn every_struct_has_exactly_the_fields_of_its_schema() {
    check::<CatalogSource>("CatalogSource");
    check::<CatalogLabel>("CatalogLabel");
    check::<CatalogModel>("CatalogModel");
    check::<CatalogArtifact>("CatalogModelArtifact");
    check::<CatalogArtifact>("CatalogMetricsArtifact");
    check::<FilterOptions>("FilterOptionsList");
    check::<PreviewPage>("CatalogSourcePreviewResponse");
    check::<PreviewPage>("AssetSourcePreviewResponse");
    check::<Agent>("Agent");
    check::<Skill>("Skill");
    check::<AgentArtifact>("AgentTemplateArtifact");
    check::<McpServer>("MCPServer");
    check::<McpToolWithServer>("MCPToolWithServer");
}

/// Deserialises and serialises an example with every field, which has to come out unchanged.
fn check<T: DeserializeOwned + Serialize>(schema: &str) {
    let document = openapi_document();
    let example = example(&document, &document["components"]["schemas"][schema]);
    let read: T =
        serde_json::from_value(example.clone()).unwrap_or_else(|error| panic!("{schema}: {error}: {example}"));
    assert_eq!(serde_json::to_value(read).unwrap(), example, "{schema}");
}

/// A value of a schema, with every field.
fn example(document: &Value, schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return example(document, document.pointer(&reference[1..]).unwrap());
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let parts = parts.iter().map(|part| example(document, part));
        return parts.flat_map(|part| part.as_object().unwrap().clone()).collect::<Map<_, _>>().into();
    }
    if let Some(members) = schema["oneOf"].as_array() {
        return example(document, &members[0]);
    }
    if let Some(members) = schema["enum"].as_array() {
        return members[0].clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            let mut value: Map<String, Value> =
                properties.map(|(name, of)| (name.clone(), example(document, of))).collect();
            if let Some(others) = schema.get("additionalProperties") {
                value.insert("other".to_owned(), example(document, others));
            }
            value.into()
        }
        Some("array") => json!([example(document, &schema["items"])]),
        Some("integer") => json!(7),
        Some("number") => json!(1.5),
        Some("boolean") => json!(true),
        Some("string") if schema["format"] == "int64" => json!("7"),
        Some("string") => json!("string"),
        // Any value.
        _ => json!(["any"]),
    }
}

#[tokio::test]
async fn the_document_is_served_with_an_entity_tag() {
    let api = Api::of_golden_data(Backend::Sqlite).await;
    let response = api.get(OPENAPI_PATH).await;
    assert_eq!((response.status, response.json()), (200, openapi_document()));
    let known = response.headers["etag"].clone();
    let again = Request::get(OPENAPI_PATH).header("if-none-match", known).body(Body::empty()).unwrap();
    let again = api.send(again).await;
    assert_eq!((again.status, again.bytes.len()), (304, 0));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "an option of the test, not a setting of the server")]
fn the_checked_in_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let document = serde_json::to_string_pretty(&openapi_document()).unwrap() + "\n";
    if std::env::var("UPDATE_OPENAPI").is_ok() {
        std::fs::write(&path, &document).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == document,
        "crates/catalog/openapi.json is out of date; update it with\n  \
         UPDATE_OPENAPI=1 cargo test -p model-registry-catalog --test it openapi"
    );
}
