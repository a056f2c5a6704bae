//! The OpenAPI document: served, in agreement with the routes, and checked in.

use std::collections::BTreeSet;
use std::path::Path;

use model_registry_api::ApiVersion;
use model_registry_testkit::{Backend, backends};
use serde_json::Value;

use crate::support::Api;

/// The methods of a path item; its other members are none.
const METHODS: [&str; 5] = ["get", "post", "patch", "put", "delete"];

#[tokio::test]
async fn every_operation_of_the_document_is_routed_and_no_other_method() {
    for backend in backends() {
        let api = Api::on(backend).await;
        for (path, item) in model_registry_registry::openapi_document()["paths"].as_object().unwrap() {
            let url = filled(path, "1");
            let mut documented: BTreeSet<String> = BTreeSet::new();
            for method in METHODS.into_iter().filter(|method| item.get(method).is_some()) {
                documented.insert(method.to_uppercase());
            }
            let is_probe = path.contains("readyz") || path == "/livez";
            for method in METHODS.map(str::to_uppercase) {
                let answer = api.call(&method, &url, &[], None).await;
                let body = String::from_utf8_lossy(&answer.bytes).into_owned();
                assert!(!body.contains("no such path"), "{method} {path}: {body}");
                assert_eq!(answer.status != 405, documented.contains(&method), "{method} {path}: {body}");
                if answer.status == 405 {
                    let allowed = answer.headers["allow"].to_str().unwrap();
                    let allowed: BTreeSet<_> =
                        allowed.split(',').map(str::to_owned).filter(|name| name != "HEAD").collect();
                    assert_eq!(allowed, documented, "{path}");
                }
                if !is_probe && documented.contains(&method) {
                    let known = item[method.to_lowercase()]["responses"].get(answer.status.to_string());
                    assert!(known.is_some(), "{method} {path} answers {}, which is not documented", answer.status);
                }
            }
        }
    }
}

#[test]
fn every_route_is_documented() {
    // A router cannot be asked for its routes, so its source is.
    let source = include_str!("../../src/routes.rs");
    let routes: BTreeSet<_> = source.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(routes.len() > 30, "only {} routes found in routes.rs", routes.len());
    let document = model_registry_registry::openapi_document();
    let documented: BTreeSet<_> =
        document["paths"].as_object().unwrap().keys().map(|path| filled(path, "{id}")).collect();
    for route in routes {
        let versions = ApiVersion::ALL
            .into_iter()
            .filter(|version| *version == ApiVersion::V1Alpha3 || !route.starts_with("/experiment"));
        let paths: Vec<_> = match route {
            "/openapi.json" => vec![route.to_owned()],
            _ => versions.map(|version| format!("{}{route}", version.base_path())).collect(),
        };
        for path in paths {
            assert!(documented.contains(&path), "{path} is not in openapi/operations.rs");
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
fn every_reference_leads_somewhere_and_every_operation_has_its_own_id() {
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
    // Only the parts that the reference's document also names for themselves may be unused.
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

#[tokio::test]
async fn the_document_is_served_with_a_tag_and_sent_once() {
    let api = Api::on(Backend::Sqlite).await;
    let answer = api.get("/openapi.json").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), model_registry_registry::openapi_document());
    let again = api.call("GET", "/openapi.json", &[("if-none-match", &answer.etag())], None).await;
    assert_eq!((again.status, again.bytes.len()), (304, 0));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "asks whether to write the file anew; no setting of the server")]
fn the_checked_in_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let document = serde_json::to_string_pretty(&model_registry_registry::openapi_document()).unwrap() + "\n";
    if std::env::var("UPDATE_OPENAPI").is_ok() {
        std::fs::write(&path, &document).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == document,
        "crates/registry/openapi.json is out of date; write it anew with\n  \
         UPDATE_OPENAPI=1 cargo test -p model-registry-registry --test it openapi"
    );
}
