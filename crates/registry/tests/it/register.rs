//! One request that registers a model, a version and its artifacts.

use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use crate::support::Api;

on_each_database!(
    a_registration_creates_a_version_with_artifacts_and_reuses_the_model,
    a_failed_registration_creates_nothing,
    concurrent_registrations_of_one_new_model_share_it,
    errors_in_a_registration_name_the_field
);

async fn a_registration_creates_a_version_with_artifacts_and_reuses_the_model(backend: Backend) {
    let api = Api::on(backend).await;
    let body = |version: &str| {
        json!({
            "registeredModel": {"name": "m", "owner": "ada"},
            "modelVersion": {"name": version, "author": "grace"},
            "artifacts": [
                {"artifactType": "model-artifact", "name": "weights", "uri": "s3://b/w"},
                {"artifactType": "doc-artifact", "uri": "https://x/card"}
            ]
        })
    };
    let first = api.post("registered_models:register", body("v1")).await;
    assert_eq!(first.status, 201, "{}", String::from_utf8_lossy(&first.bytes));
    let json = first.json();
    assert_eq!(json["modelVersion"]["registeredModelId"], json["registeredModel"]["id"]);
    assert_eq!(json["artifacts"].as_array().map(Vec::len), Some(2));
    let version = json["modelVersion"]["id"].as_str().unwrap();
    assert_eq!(api.get(&format!("model_versions/{version}/artifacts")).await.names().len(), 2);
    let second = api.post("registered_models:register", body("v2")).await.json();
    assert_eq!(second["registeredModel"], json["registeredModel"]);
    assert_eq!(api.get("model_versions").await.names(), ["v1", "v2"]);
}

async fn a_failed_registration_creates_nothing(backend: Backend) {
    let api = Api::on(backend).await;
    let body = json!({
        "registeredModel": {"name": "m"},
        "modelVersion": {"name": "v"},
        "artifacts": [
            {"artifactType": "model-artifact", "name": "same", "uri": "a"},
            {"artifactType": "model-artifact", "name": "same", "uri": "b"}
        ]
    });
    let response = api.post("registered_models:register", body).await;
    assert_eq!((response.status, response.message()), (409, "model artifact with name same already exists".to_owned()));
    for list in ["registered_models", "model_versions", "artifacts"] {
        assert!(api.get(list).await.names().is_empty(), "{list}");
    }
}

async fn concurrent_registrations_of_one_new_model_share_it(backend: Backend) {
    let api = Api::on(backend).await;
    let register = |n: usize| {
        api.post(
            "registered_models:register",
            json!({"registeredModel": {"name": "m"}, "modelVersion": {"name": format!("v{n}")}}),
        )
    };
    for response in futures::future::join_all((0..6).map(register)).await {
        assert_eq!(response.status, 201, "{}", String::from_utf8_lossy(&response.bytes));
    }
    assert_eq!(api.get("registered_models").await.names(), ["m"]);
    assert_eq!(api.get("model_versions").await.names().len(), 6);
}

async fn errors_in_a_registration_name_the_field(backend: Backend) {
    let api = Api::on(backend).await;
    let cases = [
        (json!({"modelVersion": {"name": "v"}}), 422, "required field 'registeredModel' is zero value."),
        (json!({"registeredModel": {"name": "m"}}), 422, "required field 'modelVersion' is zero value."),
        (
            json!({"registeredModel": {"name": "m"}, "modelVersion": {"name": "v"}, "artefacts": []}),
            400,
            "json: unknown field \"artefacts\"",
        ),
        (
            json!({"registeredModel": {"name": "m"}, "modelVersion": {"name": "v", "registeredModelId": "1"}}),
            400,
            "`modelVersion.registeredModelId` is not allowed here: the version belongs to `registeredModel`",
        ),
        (
            json!({"registeredModel": {"name": "m"}, "modelVersion": {"name": "v"}, "artifacts": [{"name": "a"}]}),
            400,
            "invalid artifact type: `artifactType` is missing; use model-artifact, doc-artifact, dataset-artifact, \
             metric, parameter",
        ),
    ];
    for (body, status, message) in cases {
        let response = api.post("registered_models:register", body).await;
        assert_eq!((response.status, response.message().as_str()), (status, message));
    }
}
