//! Compares our OpenAPI document with the contract from which existing clients were generated.
//!
//! Every operation is compared with its parameters, bodies, responses and links, and every schema with its fields;
//! references and `allOf` are resolved first. Intended differences are listed in `intended.rs` with reasons. Any other
//! difference fails the test, and so does an entry that matches no difference.

mod intended;

use std::path::Path;

use model_registry_api::ApiVersion;
use model_registry_testkit::contract::{check, operations};
use serde_json::{Map, Value};

const BASES: [&str; 2] = [ApiVersion::V1Alpha3.base_path(), ApiVersion::V1.base_path()];

/// The contract of a version.
fn contract(version: ApiVersion) -> Value {
    let file = match version {
        ApiVersion::V1Alpha3 => "model-registry.yaml",
        ApiVersion::V1 => "model-registry-v1.yaml",
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract").join(file);
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn v1alpha3_matches_the_contract_except_for_intended_differences() {
    let ours = in_version(model_registry_registry::openapi_document(), ApiVersion::V1Alpha3);
    check(&contract(ApiVersion::V1Alpha3), &ours, &BASES, &[intended::IN_BOTH, intended::IN_V1ALPHA3]);
}

#[test]
fn v1_matches_the_contract_except_for_intended_differences() {
    let ours = in_version(model_registry_registry::openapi_document(), ApiVersion::V1);
    check(&contract(ApiVersion::V1), &ours, &BASES, &[intended::IN_BOTH, intended::IN_V1]);
}

#[test]
fn v1alpha3_has_56_operations_of_the_contract_and_v1_has_40() {
    for (version, count) in [(ApiVersion::V1Alpha3, 56), (ApiVersion::V1, 40)] {
        let ours = in_version(model_registry_registry::openapi_document(), version);
        let known = contract(version);
        let operations = operations(&ours, &BASES).into_iter().filter(|(label, _)| {
            let (method, path) = label.split_once(' ').unwrap();
            known["paths"][format!("{}{path}", version.base_path())].get(method.to_lowercase()).is_some()
        });
        assert_eq!(operations.count(), count, "{version:?}");
    }
}

/// Reduces the document to one version: drops the paths of the other and removes the suffix `V1` of names.
fn in_version(mut document: Value, version: ApiVersion) -> Value {
    let prefix = format!("{}/", version.base_path());
    document["paths"].as_object_mut().unwrap().retain(|path, _| path.starts_with(&prefix));
    for section in ["schemas", "responses", "links"] {
        let components = document["components"][section].as_object_mut().unwrap();
        let (of_v1, mut others): (Map<_, _>, Map<_, _>) =
            std::mem::take(components).into_iter().partition(|(name, _)| name.ends_with("V1"));
        if version == ApiVersion::V1 {
            others.retain(|name, _| !name.contains("Experiment") && !name.starts_with("MetricList"));
            others.extend(of_v1.into_iter().map(|(name, value)| (name.trim_end_matches("V1").to_owned(), value)));
        }
        *components = others;
    }
    if version == ApiVersion::V1 {
        remove_suffix(&mut document);
    }
    document
}

fn remove_suffix(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.trim_end_matches("V1").to_owned(),
        Value::Array(items) => items.iter_mut().for_each(remove_suffix),
        Value::Object(members) => members.values_mut().for_each(remove_suffix),
        _ => {}
    }
}
