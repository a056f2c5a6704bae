//! The header `Idempotency-Key` of POST requests.

use std::time::Duration;

use model_registry_api::Kind;
use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Value, json};

use crate::support::entities::{Entities, entity};
use crate::support::{Api, Response, Time};

on_each_database!(
    a_repeated_request_gets_the_stored_response_and_another_one_422,
    a_failed_request_does_not_use_up_its_key,
    concurrent_requests_with_one_key_create_one_entity,
    an_invalid_key_is_rejected,
    a_key_expires_after_a_day,
    only_responses_older_than_a_day_are_deleted,
    a_repeated_registration_creates_nothing,
    nested_creates_with_one_key_create_one_entity,
    nested_updates_with_one_key_update_once,
    a_metric_is_logged_once_per_key,
    concurrent_creates_without_a_name_and_with_one_key_create_one_entity,
    a_stored_response_is_returned_even_if_the_request_would_now_be_rejected,
    each_caller_has_its_own_keys
);

/// A day less one millisecond.
const NEARLY_A_DAY: Duration = Duration::from_millis(24 * 60 * 60 * 1000 - 1);
const MOMENT: Duration = Duration::from_millis(1);

async fn send(api: &Api, path: &str, key: &str, body: &Value) -> Response {
    api.call("POST", path, &[("idempotency-key", key)], Some(body.clone())).await
}

#[track_caller]
fn assert_same(again: &Response, first: &Response, context: &str) {
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes), "{context}");
    assert_eq!(again.headers.get("etag"), first.headers.get("etag"), "{context}");
}

/// The number of writes so far.
async fn changes(api: &Api) -> usize {
    api.get("changes?limit=1000").await.json()["items"].as_array().unwrap().len()
}

async fn a_repeated_request_gets_the_stored_response_and_another_one_422(backend: Backend) {
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

async fn a_failed_request_does_not_use_up_its_key(backend: Backend) {
    let api = Api::on(backend).await;
    let key = [("idempotency-key", "k")];
    assert_eq!(api.call("POST", "registered_models", &key, Some(json!({"name": ""}))).await.status, 422);
    assert_eq!(api.call("POST", "registered_models", &key, Some(json!({"name": "m"}))).await.status, 201);
}

async fn concurrent_requests_with_one_key_create_one_entity(backend: Backend) {
    let api = Api::on(backend).await;
    let key = [("idempotency-key", "k")];
    let send = || api.call("POST", "registered_models", &key, Some(json!({"name": "m"})));
    let responses = futures::future::join_all((0..8).map(|_| send())).await;
    for response in &responses {
        assert_eq!((response.status, &response.bytes), (201, &responses[0].bytes));
    }
}

async fn an_invalid_key_is_rejected(backend: Backend) {
    let api = Api::on(backend).await;
    let long = "k".repeat(256);
    for key in ["", long.as_str()] {
        let response =
            api.call("POST", "registered_models", &[("idempotency-key", key)], Some(json!({"name": "m"}))).await;
        assert_eq!(response.status, 400);
    }
}

async fn a_key_expires_after_a_day(backend: Backend) {
    let time = Time::start();
    let api = Api::with_clock(backend, time.clock()).await;
    let (body, other) = (json!({"name": "m"}), json!({"name": "other"}));
    let first = send(&api, "registered_models", "k", &body).await;
    assert_eq!(first.status, 201);
    time.advance(NEARLY_A_DAY);
    assert_same(&send(&api, "registered_models", "k", &body).await, &first, "just before it expires");
    assert_eq!(send(&api, "registered_models", "k", &other).await.status, 422);
    time.advance(MOMENT);
    let next = send(&api, "registered_models", "k", &other).await;
    assert_eq!(next.status, 201, "{}", next.message());
    assert_ne!(next.id(), first.id());
    // The new response is stored for a day from now.
    time.advance(NEARLY_A_DAY);
    assert_same(&send(&api, "registered_models", "k", &other).await, &next, "the next day");
    assert_eq!(send(&api, "registered_models", "k", &body).await.status, 422);
    time.advance(MOMENT);
    // After that the same request is a new one, and the name is taken.
    assert_eq!(send(&api, "registered_models", "k", &other).await.status, 409);
}

async fn only_responses_older_than_a_day_are_deleted(backend: Backend) {
    let time = Time::start();
    let api = Api::with_clock(backend, time.clock()).await;
    for (name, then) in [("a", MOMENT), ("b", NEARLY_A_DAY)] {
        assert_eq!(send(&api, "registered_models", name, &json!({"name": name})).await.status, 201);
        time.advance(then);
    }
    for deleted in [1, 0] {
        assert_eq!(api.store.delete_expired_responses().await.unwrap(), deleted);
    }
    assert_eq!(send(&api, "registered_models", "b", &json!({"name": "b"})).await.status, 201);
    assert_eq!(send(&api, "registered_models", "a", &json!({"name": "a"})).await.status, 409);
}

async fn a_repeated_registration_creates_nothing(backend: Backend) {
    let api = Api::on(backend).await;
    let path = "registered_models:register";
    let body = json!({
        "registeredModel": {"name": "m"},
        "modelVersion": {"name": "v"},
        // Without a name, so that only the key identifies the request.
        "artifacts": [{"artifactType": "model-artifact", "uri": "s3://b/w"}]
    });
    let first = send(&api, path, "k", &body).await;
    assert_eq!(first.status, 201, "{}", first.message());
    let written = changes(&api).await;
    for _ in 0..2 {
        assert_same(&send(&api, path, "k", &body).await, &first, path);
    }
    let mut other = body.clone();
    other["modelVersion"]["name"] = json!("v2");
    assert_eq!(send(&api, path, "k", &other).await.status, 422);
    assert_eq!(changes(&api).await, written);
    // A failed request does not use up its key.
    let taken = send(&api, path, "k2", &body).await;
    assert_eq!((taken.status, taken.message()), (409, "model version with name v already exists".to_owned()));
    assert_eq!(send(&api, path, "k2", &other).await.status, 201);
    assert_eq!(api.get("artifacts").await.names().len(), 2);
}

async fn nested_creates_with_one_key_create_one_entity(backend: Backend) {
    let api = Api::on(backend).await;
    let (entities, others) = (Entities::create(&api).await, Entities::create_named(&api, "second").await);
    for (nested, other) in entities.nested().into_iter().zip(others.nested()) {
        let context = format!("{} {:?}", nested.path, nested.kind);
        let mut body = nested.body;
        if nested.kind.spec().name_required {
            body["name"] = json!("nested");
        }
        let first = send(&api, &nested.path, &context, &body).await;
        assert_eq!(first.status, 201, "{context}: {}", first.message());
        let written = changes(&api).await;
        assert_same(&send(&api, &nested.path, &context, &body).await, &first, &context);
        // The path is part of the request.
        assert_eq!(send(&api, &other.path, &context, &body).await.status, 422, "{context}");
        assert_eq!(changes(&api).await, written, "{context}");
    }
}

async fn nested_updates_with_one_key_update_once(backend: Backend) {
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    for nested in entities.nested() {
        let context = format!("{} {:?}", nested.path, nested.kind);
        // A nested POST creates serve models and inference services, but never updates them.
        if matches!(nested.kind, Kind::ServeModel | Kind::InferenceService) {
            continue;
        }
        let mut body = nested.body;
        body["name"] = json!("changed");
        body["id"] = json!(entities.id(nested.kind));
        body["description"] = json!(context);
        let etag = api.get(&entity(nested.kind, entities.id(nested.kind)).unwrap()).await.etag();
        let headers = [("idempotency-key", context.as_str()), ("if-match", etag.as_str())];
        let first = api.call("POST", &nested.path, &headers, Some(body.clone())).await;
        assert_eq!(first.status, 200, "{context}: {}", first.message());
        assert_ne!(first.etag(), etag, "{context}");
        let written = changes(&api).await;
        // If-Match is stale by now because this request itself changed the entity.
        let again = api.call("POST", &nested.path, &headers, Some(body.clone())).await;
        assert_same(&again, &first, &context);
        body["description"] = json!("another request");
        assert_eq!(api.call("POST", &nested.path, &headers, Some(body)).await.status, 422, "{context}");
        assert_eq!(changes(&api).await, written, "{context}");
    }
}

async fn a_metric_is_logged_once_per_key(backend: Backend) {
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    let run = format!("experiment_runs/{}", entities.id(Kind::ExperimentRun));
    let log = |value: f64| json!({"artifactType": "metric", "name": "loss", "value": value});
    for (key, value, status) in [("1", 0.5, 201), ("2", 0.25, 200)] {
        let path = format!("{run}/artifacts");
        let first = send(&api, &path, key, &log(value)).await;
        assert_eq!(first.status, status, "{}", first.message());
        assert_same(&send(&api, &path, key, &log(value)).await, &first, key);
    }
    let history = api.get(&format!("{run}/metric_history?name=loss")).await;
    assert_eq!(history.names().len(), 2);
}

async fn concurrent_creates_without_a_name_and_with_one_key_create_one_entity(backend: Backend) {
    let api = Api::on(backend).await;
    let body = json!({"artifactType": "doc-artifact", "uri": "u"});
    let responses = futures::future::join_all((0..8).map(|_| send(&api, "artifacts", "k", &body))).await;
    for response in &responses {
        assert_same(response, &responses[0], &backend.to_string());
    }
    assert_eq!(api.get("artifacts").await.names().len(), 1);
}

async fn a_stored_response_is_returned_even_if_the_request_would_now_be_rejected(backend: Backend) {
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    let path = format!("inference_services/{}/serves", entities.id(Kind::InferenceService));
    let version = entities.id(Kind::ModelVersion);
    let body = json!({"modelVersionId": version});
    let first = send(&api, &path, "k", &body).await;
    assert_eq!(first.status, 201);
    let gated = json!({"customProperties": {"hf_gated": {"metadataType": "MetadataBoolValue", "bool_value": true}}});
    assert_eq!(api.patch(&format!("model_versions/{version}"), gated).await.status, 200);
    assert_eq!(api.post(&path, body.clone()).await.status, 400);
    assert_same(&send(&api, &path, "k", &body).await, &first, &backend.to_string());
}

async fn each_caller_has_its_own_keys(backend: Backend) {
    let api = Api::of_users(backend, &["ada", "grace"]).await;
    let send = async |user: &str, path: &str, body: Value| {
        let bearer = format!("Bearer {user}");
        let headers = [("idempotency-key", "k"), ("authorization", bearer.as_str())];
        api.statements(api.call("POST", path, &headers, Some(body))).await
    };
    // Without a name, so that only the key identifies the request.
    let body = json!({"artifactType": "doc-artifact", "uri": "u"});
    let (statements, ada) = send("ada", "artifacts", body.clone()).await;
    assert_eq!(ada.status, 201, "{}", ada.message());
    assert!(statements <= 4, "{statements}");
    let (statements, grace) = send("grace", "artifacts", body.clone()).await;
    assert_eq!(grace.status, 201, "{}", grace.message());
    assert!(statements <= 4, "{statements}");
    assert_ne!(grace.id(), ada.id());
    for (user, first) in [("ada", &ada), ("grace", &grace)] {
        assert_same(&send(user, "artifacts", body.clone()).await.1, first, user);
        assert_eq!(send(user, "registered_models", json!({"name": user})).await.1.status, 422);
    }
    // A name that one caller used is taken for the other, with the same key too.
    let bearer = [("idempotency-key", "model"), ("authorization", "Bearer ada")];
    let model = json!({"name": "m"});
    assert_eq!(api.call("POST", "registered_models", &bearer, Some(model.clone())).await.status, 201);
    let bearer = [bearer[0], ("authorization", "Bearer grace")];
    let taken = api.call("POST", "registered_models", &bearer, Some(model)).await;
    assert_eq!(taken.status, 409, "{}", taken.message());
    assert_eq!(api.database.fetch_number("SELECT COUNT(*) FROM artifact").await.unwrap(), 2);
}
