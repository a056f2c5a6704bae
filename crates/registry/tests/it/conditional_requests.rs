//! ETag, If-Match and If-None-Match.

use model_registry_testkit::backends;
use serde_json::json;

use crate::support::Api;

#[tokio::test]
async fn every_answer_with_one_entity_has_an_etag_that_changes_with_it() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let created = api.post("registered_models", json!({"name": "m"})).await;
        let path = format!("registered_models/{}", created.id());
        assert_eq!(api.get(&path).await.etag(), created.etag());
        assert_eq!(api.get("registered_model?name=m").await.etag(), created.etag());
        let updated = api.patch(&path, json!({"owner": "ada"})).await;
        assert_ne!(updated.etag(), created.etag());
        assert_eq!(api.get(&path).await.etag(), updated.etag());
    }
}

#[tokio::test]
async fn a_client_that_has_the_entity_gets_304_without_a_body() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let created = api.post("registered_models", json!({"name": "m"})).await;
        let path = format!("registered_models/{}", created.id());
        let again = api.call("GET", &path, &[("if-none-match", &created.etag())], None).await;
        assert_eq!((again.status, again.bytes.len()), (304, 0));
        assert_eq!(again.etag(), created.etag());
        api.patch(&path, json!({"owner": "ada"})).await;
        assert_eq!(api.call("GET", &path, &[("if-none-match", &created.etag())], None).await.status, 200);
    }
}

#[tokio::test]
async fn a_change_of_an_entity_that_was_changed_meanwhile_is_refused() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let created = api.post("registered_models", json!({"name": "m"})).await;
        let path = format!("registered_models/{}", created.id());
        let change = |etag: String, owner: &'static str| {
            let (api, path) = (&api, path.clone());
            async move { api.call("PATCH", &path, &[("if-match", &etag)], Some(json!({"owner": owner}))).await }
        };
        let first = change(created.etag(), "ada").await;
        assert_eq!(first.status, 200);
        let second = change(created.etag(), "grace").await;
        assert_eq!(second.status, 412);
        assert!(second.message().contains(&first.etag()), "{}", second.message());
        assert_eq!(api.get(&path).await.json()["owner"], "ada");
        assert_eq!(change(first.etag(), "grace").await.status, 200);
    }
}

#[tokio::test]
async fn concurrent_changes_without_a_precondition_all_succeed_and_lose_nothing() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let id = api.create("registered_models", json!({"name": "m"})).await;
        let path = format!("registered_models/{id}");
        let fields = ["owner", "description", "readme", "maturity", "provider", "license", "libraryName", "logo"];
        let changes = fields.map(|field| api.patch(&path, json!({field: field})));
        for answer in futures::future::join_all(changes).await {
            assert_eq!(answer.status, 200, "{}", answer.message());
        }
        let model = api.get(&path).await.json();
        for field in fields {
            assert_eq!(model[field], field, "{backend:?}");
        }
    }
}
