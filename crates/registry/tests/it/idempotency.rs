//! The Idempotency-Key of POSTs.

use std::time::Duration;

use model_registry_api::Kind;
use model_registry_testkit::backends;
use serde_json::{Value, json};

use crate::support::entities::{Entities, entity};
use crate::support::{Answer, Api, Time};

/// A day, but for a moment.
const NEARLY_A_DAY: Duration = Duration::from_millis(24 * 60 * 60 * 1000 - 1);
const MOMENT: Duration = Duration::from_millis(1);

async fn send(api: &Api, path: &str, key: &str, body: &Value) -> Answer {
    api.call("POST", path, &[("idempotency-key", key)], Some(body.clone())).await
}

#[track_caller]
fn assert_same(again: &Answer, first: &Answer, what: &str) {
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes), "{what}");
    assert_eq!(again.headers.get("etag"), first.headers.get("etag"), "{what}");
}

/// How often anything was written.
async fn changes(api: &Api) -> usize {
    api.get("changes?limit=1000").await.json()["items"].as_array().unwrap().len()
}

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

#[tokio::test]
async fn a_key_is_free_again_after_a_day() {
    for backend in backends() {
        let time = Time::start();
        let api = Api::with_clock(backend, time.clock()).await;
        let (body, other) = (json!({"name": "m"}), json!({"name": "other"}));
        let first = send(&api, "registered_models", "k", &body).await;
        assert_eq!(first.status, 201);
        time.pass(NEARLY_A_DAY);
        assert_same(&send(&api, "registered_models", "k", &body).await, &first, "a moment before");
        assert_eq!(send(&api, "registered_models", "k", &other).await.status, 422);
        time.pass(MOMENT);
        let next = send(&api, "registered_models", "k", &other).await;
        assert_eq!(next.status, 201, "{}", next.message());
        assert_ne!(next.id(), first.id());
        // The day of the new answer has begun now.
        time.pass(NEARLY_A_DAY);
        assert_same(&send(&api, "registered_models", "k", &other).await, &next, "the next day");
        assert_eq!(send(&api, "registered_models", "k", &body).await.status, 422);
        time.pass(MOMENT);
        // What is sent again too late is a new request: the name is taken.
        assert_eq!(send(&api, "registered_models", "k", &other).await.status, 409);
    }
}

#[tokio::test]
async fn answers_older_than_a_day_are_deleted_and_no_others() {
    for backend in backends() {
        let time = Time::start();
        let api = Api::with_clock(backend, time.clock()).await;
        for (name, then) in [("a", MOMENT), ("b", NEARLY_A_DAY)] {
            assert_eq!(send(&api, "registered_models", name, &json!({"name": name})).await.status, 201);
            time.pass(then);
        }
        for deleted in [1, 0] {
            assert_eq!(api.store.delete_old_answers().await.unwrap(), deleted, "{backend}");
        }
        assert_eq!(send(&api, "registered_models", "b", &json!({"name": "b"})).await.status, 201);
        assert_eq!(send(&api, "registered_models", "a", &json!({"name": "a"})).await.status, 409);
    }
}

#[tokio::test]
async fn a_registration_sent_again_registers_nothing_more() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let path = "registered_models:register";
        let body = json!({
            "registeredModel": {"name": "m"},
            "modelVersion": {"name": "v"},
            // Without a name, so that only the key tells that it is the same.
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
        assert_eq!(changes(&api).await, written, "{backend}");
        // One that fails leaves its key free.
        let taken = send(&api, path, "k2", &body).await;
        assert_eq!((taken.status, taken.message()), (409, "model version with name v already exists".to_owned()));
        assert_eq!(send(&api, path, "k2", &other).await.status, 201);
        assert_eq!(api.get("artifacts").await.names().len(), 2, "{backend}");
    }
}

#[tokio::test]
async fn everything_below_a_parent_is_created_once_under_a_key() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let (entities, others) = (Entities::create(&api).await, Entities::create_named(&api, "second").await);
        for (nested, other) in entities.nested().into_iter().zip(others.nested()) {
            let what = format!("{} {:?}", nested.path, nested.kind);
            let mut body = nested.body;
            if nested.kind.spec().name_required {
                body["name"] = json!("nested");
            }
            let first = send(&api, &nested.path, &what, &body).await;
            assert_eq!(first.status, 201, "{what}: {}", first.message());
            let written = changes(&api).await;
            assert_same(&send(&api, &nested.path, &what, &body).await, &first, &what);
            // The path belongs to the request.
            assert_eq!(send(&api, &other.path, &what, &body).await.status, 422, "{what}");
            assert_eq!(changes(&api).await, written, "{what}");
        }
    }
}

#[tokio::test]
async fn a_post_that_changes_something_changes_it_once_under_a_key() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let entities = Entities::create(&api).await;
        for nested in entities.nested() {
            let what = format!("{} {:?}", nested.path, nested.kind);
            // Serve models and inference services are created below their parents, and not changed.
            if matches!(nested.kind, Kind::ServeModel | Kind::InferenceService) {
                continue;
            }
            let mut body = nested.body;
            body["name"] = json!("changed");
            body["id"] = json!(entities.id(nested.kind));
            body["description"] = json!(what);
            let etag = api.get(&entity(nested.kind, entities.id(nested.kind)).unwrap()).await.etag();
            let headers = [("idempotency-key", what.as_str()), ("if-match", etag.as_str())];
            let first = api.call("POST", &nested.path, &headers, Some(body.clone())).await;
            assert_eq!(first.status, 200, "{what}: {}", first.message());
            assert_ne!(first.etag(), etag, "{what}");
            let written = changes(&api).await;
            // The entity is not any more what If-Match names: that was this request's own doing.
            let again = api.call("POST", &nested.path, &headers, Some(body.clone())).await;
            assert_same(&again, &first, &what);
            body["description"] = json!("another request");
            assert_eq!(api.call("POST", &nested.path, &headers, Some(body)).await.status, 422, "{what}");
            assert_eq!(changes(&api).await, written, "{what}");
        }
    }
}

#[tokio::test]
async fn a_metric_is_logged_once_under_a_key() {
    for backend in backends() {
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
        assert_eq!(history.names().len(), 2, "{backend}");
    }
}

#[tokio::test]
async fn nameless_entities_sent_at_once_under_one_key_are_one() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let body = json!({"artifactType": "doc-artifact", "uri": "u"});
        let answers = futures::future::join_all((0..8).map(|_| send(&api, "artifacts", "k", &body))).await;
        for answer in &answers {
            assert_same(answer, &answers[0], &backend.to_string());
        }
        assert_eq!(api.get("artifacts").await.names().len(), 1, "{backend}");
    }
}

#[tokio::test]
async fn what_was_created_is_answered_again_even_where_it_would_be_refused_by_now() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let entities = Entities::create(&api).await;
        let path = format!("inference_services/{}/serves", entities.id(Kind::InferenceService));
        let version = entities.id(Kind::ModelVersion);
        let body = json!({"modelVersionId": version});
        let first = send(&api, &path, "k", &body).await;
        assert_eq!(first.status, 201);
        let gated =
            json!({"customProperties": {"hf_gated": {"metadataType": "MetadataBoolValue", "bool_value": true}}});
        assert_eq!(api.patch(&format!("model_versions/{version}"), gated).await.status, 200);
        assert_eq!(api.post(&path, body.clone()).await.status, 400);
        assert_same(&send(&api, &path, "k", &body).await, &first, &backend.to_string());
    }
}

#[tokio::test]
async fn a_key_says_nothing_to_another_caller() {
    for backend in backends() {
        let api = Api::of_users(backend, &["ada", "grace"]).await;
        let send = async |user: &str, path: &str, body: Value| {
            let bearer = format!("Bearer {user}");
            let headers = [("idempotency-key", "k"), ("authorization", bearer.as_str())];
            api.statements(api.call("POST", path, &headers, Some(body))).await
        };
        // Without a name, so that only the key tells that it is the same.
        let body = json!({"artifactType": "doc-artifact", "uri": "u"});
        let (statements, ada) = send("ada", "artifacts", body.clone()).await;
        assert_eq!(ada.status, 201, "{backend}: {}", ada.message());
        assert!(statements <= 4, "{backend}: {statements}");
        let (statements, grace) = send("grace", "artifacts", body.clone()).await;
        assert_eq!(grace.status, 201, "{backend}: {}", grace.message());
        assert!(statements <= 4, "{backend}: {statements}");
        assert_ne!(grace.id(), ada.id(), "{backend}");
        for (user, first) in [("ada", &ada), ("grace", &grace)] {
            assert_same(&send(user, "artifacts", body.clone()).await.1, first, user);
            assert_eq!(send(user, "registered_models", json!({"name": user})).await.1.status, 422, "{backend}");
        }
        // What the one has created is taken for the other, whatever the key.
        let bearer = [("idempotency-key", "model"), ("authorization", "Bearer ada")];
        let model = json!({"name": "m"});
        assert_eq!(api.call("POST", "registered_models", &bearer, Some(model.clone())).await.status, 201);
        let bearer = [bearer[0], ("authorization", "Bearer grace")];
        let taken = api.call("POST", "registered_models", &bearer, Some(model)).await;
        assert_eq!(taken.status, 409, "{backend}: {}", taken.message());
        assert_eq!(api.database.fetch_number("SELECT COUNT(*) FROM artifact").await.unwrap(), 2, "{backend}");
    }
}
