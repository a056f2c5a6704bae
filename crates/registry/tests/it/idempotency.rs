//! The Idempotency-Key of creations.

use model_registry_testkit::backends;
use serde_json::json;

use crate::support::Api;

#[tokio::test]
async fn the_same_request_gets_the_same_answer_and_another_one_422() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let key = [("idempotency-key", "k-1")];
        let first = api.call("POST", "registered_models", &key, Some(json!({"name": "m"}))).await;
        let again = api.call("POST", "registered_models", &key, Some(json!({"name": "m"}))).await;
        assert_eq!((first.status, again.status), (201, 201));
        assert_eq!(first.bytes, again.bytes);
        assert_eq!(first.etag(), again.etag());
        let other = api.call("POST", "registered_models", &key, Some(json!({"name": "other"}))).await;
        assert_eq!(other.status, 422);
        let elsewhere = api.call("POST", "experiments", &key, Some(json!({"name": "m"}))).await;
        assert_eq!(elsewhere.status, 422);
        assert_eq!(api.get("registered_models").await.names(), ["m"]);
    }
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let key = [("idempotency-key", "k")];
        assert_eq!(api.call("POST", "registered_models", &key, Some(json!({"name": ""}))).await.status, 422);
        assert_eq!(api.call("POST", "registered_models", &key, Some(json!({"name": "m"}))).await.status, 201);
    }
}

#[tokio::test]
async fn requests_sent_at_once_under_one_key_create_one_entity() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let key = [("idempotency-key", "k")];
        let send = || api.call("POST", "registered_models", &key, Some(json!({"name": "m"})));
        let answers = futures::future::join_all((0..8).map(|_| send())).await;
        for answer in &answers {
            assert_eq!((answer.status, &answer.bytes), (201, &answers[0].bytes), "{backend:?}");
        }
    }
}

#[tokio::test]
async fn an_unusable_key_is_refused() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let long = "k".repeat(256);
        for key in ["", long.as_str()] {
            let answer =
                api.call("POST", "registered_models", &[("idempotency-key", key)], Some(json!({"name": "m"}))).await;
            assert_eq!(answer.status, 400);
        }
    }
}
