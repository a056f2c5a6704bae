//! The contract of the catalog: every operation is routed, and the OpenAPI document agrees with the contract.

mod intended;

use std::collections::BTreeMap;

use axum::body::Body;
use http::Request;
use model_registry_api::catalog::{MCP_CATALOG, MODEL_CATALOG};
use model_registry_testkit::{Backend, contract};
use serde_json::Value;

use crate::support::Api;

const BASES: [&str; 2] = [MODEL_CATALOG, MCP_CATALOG];

fn contract() -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/catalog.yaml");
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_document_differs_from_the_contract_only_as_intended() {
    let ours = model_registry_catalog::openapi_document();
    assert_eq!(contract::operations(&ours, &BASES).len(), 13);
    contract::check(&contract(), &ours, &BASES, &[intended::INTENDED]);
}

#[tokio::test]
async fn every_operation_of_the_contract_is_routed() {
    let paths: BTreeMap<String, Value> = serde_json::from_value(contract()["paths"].clone()).unwrap();
    let api = Api::of_golden_data(Backend::Sqlite).await;
    let mut operations = 0;
    for (path, item) in &paths {
        let target = path
            .replace("{source_id}", "larkspur_curated")
            .replace("{model_name+}", "larkspur/heron-8b-chat")
            .replace("{model_name}", "larkspur%2Fheron-8b-chat")
            .replace("{server_id}", "1000000")
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
    assert_eq!(operations, 13);
}
