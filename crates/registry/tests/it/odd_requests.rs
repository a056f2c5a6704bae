//! Requests that made-up data found, answered as they should be.

use model_registry_testkit::backends;
use serde_json::json;

use crate::support::Api;

#[tokio::test]
async fn an_id_that_is_no_text_is_refused_like_any_other() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let answer = api.get("registered_models/%FF").await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["code"], "Bad Request");
    }
}

#[tokio::test]
async fn an_idempotency_key_has_printable_characters_alone() {
    for backend in backends() {
        let api = Api::on(backend).await;
        for (key, status) in [("a b~", 201), ("a\tb", 400), ("", 400)] {
            let headers = [("idempotency-key", key)];
            let body = json!({"name": format!("model of {key}")});
            let answer = api.call("POST", "registered_models", &headers, Some(body)).await;
            assert_eq!(answer.status, status, "{key:?}");
        }
    }
}

#[tokio::test]
async fn an_empty_model_version_id_names_no_version() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let model = api.create("registered_models", json!({"name": "model"})).await;
        let environment = api.create("serving_environments", json!({"name": "environment"})).await;
        let body = json!({"registeredModelId": model, "servingEnvironmentId": environment, "modelVersionId": ""});
        let answer = api.post("inference_services", body).await;
        assert_eq!(answer.status, 201);
        assert_eq!(answer.json().get("modelVersionId"), None);
        let answer = api.patch(&format!("inference_services/{}", answer.id()), json!({"modelVersionId": ""})).await;
        assert_eq!(answer.json().get("modelVersionId"), None);
    }
}
