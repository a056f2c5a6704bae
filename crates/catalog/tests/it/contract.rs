//! The contracts of the catalog, v1alpha1 and v1: every operation is routed, and the OpenAPI document agrees with the
//! contract.

mod intended;

use std::collections::BTreeMap;

use axum::body::Body;
use http::Request;
use model_registry_api::catalog::{AssetType, CatalogVersion};
use model_registry_testkit::{Backend, contract};
use serde_json::Value;

use crate::support::Api;

fn contract(version: CatalogVersion) -> Value {
    let file = match version {
        CatalogVersion::V1Alpha1 => "catalog.yaml",
        CatalogVersion::V1 => "catalog-v1.yaml",
    };
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract").join(file);
    let mut contract: Value = serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for part in intended::NOT_YET_SERVED {
        contract["paths"].as_object_mut().unwrap().retain(|path, _| !path.contains(part));
    }
    contract
}

/// The base paths of the asset types.
fn bases(version: CatalogVersion) -> Vec<String> {
    AssetType::ALL.map(|asset_type| asset_type.spec().api.base_path(version)).into()
}

/// The document reduced to a version: without the paths of the other, and without the suffix `V1` of names.
fn document(version: CatalogVersion) -> Value {
    let mut document = model_registry_catalog::openapi_document();
    let bases = bases(version);
    document["paths"]
        .as_object_mut()
        .unwrap()
        .retain(|path, _| bases.iter().any(|base| path.starts_with(&format!("{base}/"))));
    for section in ["schemas", "responses"] {
        let components = document["components"][section].as_object_mut().unwrap();
        let of_v1: Vec<String> = components.keys().filter(|name| name.ends_with("V1")).cloned().collect();
        for name in of_v1 {
            let component = components.remove(&name).unwrap();
            if version == CatalogVersion::V1 {
                components.insert(name.trim_end_matches("V1").to_owned(), component);
            }
        }
    }
    if version == CatalogVersion::V1 {
        remove_suffix(&mut document);
    }
    document
}

fn remove_suffix(value: &mut Value) {
    match value {
        Value::String(text) if text.starts_with("#/") => *text = text.trim_end_matches("V1").to_owned(),
        Value::Array(items) => items.iter_mut().for_each(remove_suffix),
        Value::Object(members) => members.values_mut().for_each(remove_suffix),
        _ => {}
    }
}

fn check(version: CatalogVersion, more: &[&[contract::Intended]]) {
    let bases = bases(version);
    let bases: Vec<&str> = bases.iter().map(String::as_str).collect();
    let ours = document(version);
    assert_eq!(contract::operations(&ours, &bases).len(), contract::operations(&contract(version), &bases).len());
    let mut tables = vec![intended::IN_BOTH, intended::NOT_YET];
    tables.extend(more);
    contract::check(&contract(version), &ours, &bases, &tables);
}

#[test]
fn v1alpha1_differs_from_the_contract_only_as_intended() {
    check(CatalogVersion::V1Alpha1, &[intended::IN_V1ALPHA1]);
}

#[test]
fn v1_differs_from_the_contract_only_as_intended() {
    check(CatalogVersion::V1, &[intended::IN_V1]);
}

#[tokio::test]
async fn every_operation_of_the_contracts_is_routed() {
    let api = Api::of_golden_data(Backend::Sqlite).await;
    let mut operations = 0;
    for version in CatalogVersion::ALL {
        let paths: BTreeMap<String, Value> = serde_json::from_value(contract(version)["paths"].clone()).unwrap();
        for (path, item) in &paths {
            let target = path
                .replace("{source_id}", "larkspur_curated")
                .replace("{model_name+}", "larkspur/heron-8b-chat")
                .replace("{model_name}", "larkspur%2Fheron-8b-chat")
                .replace("{server_id}", "1000000")
                .replace("{id}", "1000000")
                .replace("{tool_name}", "x");
            assert!(!target.contains('{'), "{target}");
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                let is_declared = item.get(method.to_lowercase()).is_some();
                let request = Request::builder().method(method).uri(&target).body(Body::empty()).unwrap();
                let response = api.send(request).await;
                if is_declared {
                    operations += 1;
                    let known = [200, 400, 404];
                    assert!(known.contains(&response.status), "{method} {path}: {}", response.status);
                    assert!(response.status == 200 || !response.message().contains("no such path"), "{method} {path}");
                } else {
                    assert_eq!(response.status, 405, "{method} {path}");
                }
            }
        }
    }
    assert_eq!(operations, 2 * (20 - 3 * intended::NOT_YET_SERVED.len()));
}
