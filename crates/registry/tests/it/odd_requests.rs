//! Requests that failed in generated tests, kept as examples.

use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use crate::support::Api;

on_each_database!(
    an_id_that_is_not_utf_8_is_rejected,
    an_idempotency_key_consists_of_printable_characters,
    an_empty_model_version_id_counts_as_absent
);

async fn an_id_that_is_not_utf_8_is_rejected(backend: Backend) {
    let api = Api::on(backend).await;
    let response = api.get("registered_models/%FF").await;
    assert_eq!(response.status, 400);
    assert_eq!(response.json()["code"], "Bad Request");
}

async fn an_idempotency_key_consists_of_printable_characters(backend: Backend) {
    let api = Api::on(backend).await;
    for (key, status) in [("a b~", 201), ("a\tb", 400), ("", 400)] {
        let headers = [("idempotency-key", key)];
        let body = json!({"name": format!("model of {key}")});
        let response = api.call("POST", "registered_models", &headers, Some(body)).await;
        assert_eq!(response.status, status, "{key:?}");
    }
}

async fn an_empty_model_version_id_counts_as_absent(backend: Backend) {
    let api = Api::on(backend).await;
    let model = api.create("registered_models", json!({"name": "model"})).await;
    let environment = api.create("serving_environments", json!({"name": "environment"})).await;
    let body = json!({"registeredModelId": model, "servingEnvironmentId": environment, "modelVersionId": ""});
    let response = api.post("inference_services", body).await;
    assert_eq!(response.status, 201);
    assert_eq!(response.json().get("modelVersionId"), None);
    let response = api.patch(&format!("inference_services/{}", response.id()), json!({"modelVersionId": ""})).await;
    assert_eq!(response.json().get("modelVersionId"), None);
}
