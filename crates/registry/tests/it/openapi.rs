//! The OpenAPI document matches the routes, is served and is checked in.

use std::collections::BTreeSet;
use std::path::Path;

use model_registry_testkit::{Backend, on_each_database};
use serde_json::Value;

use crate::support::Api;

on_each_database!(exactly_the_documented_methods_are_routed);

/// The members of a path item that are methods.
const METHODS: [&str; 5] = ["get", "post", "patch", "put", "delete"];

async fn exactly_the_documented_methods_are_routed(backend: Backend) {
    let api = Api::on(backend).await;
    for (path, item) in model_registry_registry::openapi_document()["paths"].as_object().unwrap() {
        let url = filled(path, "1");
        let mut documented: BTreeSet<String> = BTreeSet::new();
        for method in METHODS.into_iter().filter(|method| item.get(method).is_some()) {
            documented.insert(method.to_uppercase());
        }
        let is_probe = path.contains("readyz") || path == "/livez";
        for method in METHODS.map(str::to_uppercase) {
            let response = api.call(&method, &url, &[], None).await;
            let body = String::from_utf8_lossy(&response.bytes).into_owned();
            assert!(!body.contains("no such path"), "{method} {path}: {body}");
            assert_eq!(response.status != 405, documented.contains(&method), "{method} {path}: {body}");
            if response.status == 405 {
                let allowed = response.headers["allow"].to_str().unwrap();
                let allowed: BTreeSet<_> =
                    allowed.split(',').map(str::to_owned).filter(|name| name != "HEAD").collect();
                assert_eq!(allowed, documented, "{path}");
            }
            if !is_probe && documented.contains(&method) {
                let known = item[method.to_lowercase()]["responses"].get(response.status.to_string());
                assert!(known.is_some(), "{method} {path} returned {}, which is not documented", response.status);
            }
        }
    }
}

/// A path template with its parameter replaced.
fn filled(path: &str, value: &str) -> String {
    match path.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?.1))) {
        Some((before, after)) => format!("{before}{value}{after}"),
        None => path.to_owned(),
    }
}

#[test]
fn references_resolve_and_operation_ids_are_unique() {
    let document = model_registry_registry::openapi_document();
    let mut references = BTreeSet::new();
    collect_references(&document, &mut references);
    for reference in &references {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
    }
    let mut ids = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in METHODS.into_iter().filter_map(|method| item.get(method)) {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "two operations are called {id}");
        }
    }
    for link in document["components"]["links"].as_object().unwrap().values() {
        assert!(ids.contains(link["operationId"].as_str().unwrap()), "{link}");
    }
    // `ServeModelUpdate` is unused in the contract too.
    for section in ["schemas", "responses", "parameters", "links", "headers"] {
        for name in document["components"][section].as_object().unwrap().keys() {
            let is_used = references.contains(&format!("#/components/{section}/{name}"));
            assert!(is_used || name == "ServeModelUpdate", "nothing refers to {section}/{name}");
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
fn every_operation_declares_the_headers_that_it_reads_and_writes() {
    let document = model_registry_registry::openapi_document();
    let resolved = |value: &Value| match value["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap().clone(),
        None => value.clone(),
    };
    let (mut of_one_entity, mut changes) = (0, 0);
    for (path, item) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/api/") {
            continue;
        }
        for method in METHODS.into_iter().filter(|method| item.get(method).is_some()) {
            let operation = &item[method];
            let context = format!("{method} {path}");
            let parameters = operation["parameters"].as_array().into_iter().flatten().map(&resolved);
            let read: BTreeSet<String> = parameters
                .filter(|parameter| parameter["in"] == "header")
                .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
                .collect();
            let responses = operation["responses"].as_object().unwrap();
            let has = |status: &str| responses.contains_key(status);
            let is_list = operation["operationId"].as_str().unwrap().starts_with("get")
                && !path.ends_with('}')
                && !path.ends_with("/model")
                && !path.ends_with("/version");
            let is_registration = path.ends_with(":register");

            let expected: &[&str] = match method {
                "get" if is_list => &[],
                "get" => &["If-None-Match"],
                "patch" => &["If-Match"],
                // A body with the id of an existing entity updates it.
                _ if has("200") => &["Idempotency-Key", "If-Match"],
                _ => &["Idempotency-Key"],
            };
            assert_eq!(read, expected.iter().map(|name| (*name).to_owned()).collect(), "{context}");
            assert_eq!(has("304"), read.contains("If-None-Match"), "{context}");
            assert_eq!(has("412"), read.contains("If-Match"), "{context}");
            assert_eq!(has("422"), read.contains("Idempotency-Key"), "{context}");

            for status in ["200", "201"].into_iter().filter(|status| has(status)) {
                let written = resolved(&responses[status]);
                let has_tag = !is_list && !is_registration;
                assert_eq!(written["headers"].get("ETag").is_some(), has_tag, "{context} {status}");
                of_one_entity += usize::from(has_tag);
            }
            if has("304") {
                assert!(resolved(&responses["304"])["headers"].get("ETag").is_some(), "{context}");
            }
            changes += usize::from(has("412"));
        }
    }
    assert!(
        of_one_entity >= 76 && changes >= 20,
        "{of_one_entity} responses with one entity, {changes} conditional updates"
    );
}

#[tokio::test]
async fn the_document_is_served_with_an_entity_tag() {
    let api = Api::on(Backend::Sqlite).await;
    let response = api.get("/openapi.json").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.json(), model_registry_registry::openapi_document());
    let again = api.call("GET", "/openapi.json", &[("if-none-match", &response.etag())], None).await;
    assert_eq!((again.status, again.bytes.len()), (304, 0));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch of the test, not a setting of the server")]
fn the_checked_in_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let document = serde_json::to_string_pretty(&model_registry_registry::openapi_document()).unwrap() + "\n";
    if std::env::var("UPDATE_OPENAPI").is_ok() {
        std::fs::write(&path, &document).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == document,
        "crates/registry/openapi.json is out of date; update it with\n  \
         UPDATE_OPENAPI=1 cargo test -p model-registry-registry --test it openapi"
    );
}
