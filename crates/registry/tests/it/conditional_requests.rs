//! ETag, If-Match and If-None-Match.

use model_registry_api::{ApiVersion, Kind};
use model_registry_testkit::backends;
use serde_json::{Value, json};

use crate::support::entities::{Entities, change, entity, finders, kinds};
use crate::support::{Answer, Api};

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

/// Every path that answers a GET with this very entity, in every version of the API that has it.
fn paths(kind: Kind, entities: &Entities) -> Vec<String> {
    let id = entities.id(kind);
    let mut paths: Vec<String> = entity(kind, id).into_iter().collect();
    if kind == Kind::ModelArtifact {
        paths.push(format!("model_artifacts/{id}"));
    }
    paths.extend(finders(kind).iter().map(|finder| format!("{finder}?externalId={}", external_id(kind))));
    let service = entities.id(Kind::InferenceService);
    match kind {
        Kind::RegisteredModel => paths.push(format!("inference_services/{service}/model")),
        Kind::ModelVersion => paths.push(format!("inference_services/{service}/version")),
        _ => {}
    }
    let versions = ApiVersion::ALL.into_iter().filter(|version| kinds(*version).contains(&kind));
    let bases = versions.map(ApiVersion::base_path);
    bases.flat_map(|base| paths.iter().map(move |path| format!("{base}/{path}"))).collect()
}

fn external_id(kind: Kind) -> String {
    format!("external-{}", kind.name())
}

async fn with(api: &Api, method: &str, path: &str, header: (&str, &str), body: Option<Value>) -> Answer {
    api.call(method, path, &[header], body).await
}

#[tokio::test]
async fn every_kind_has_an_etag_that_spares_reading_it_again_and_guards_its_changes() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let entities = Entities::create(&api).await;
        for kind in kinds(ApiVersion::V1Alpha3) {
            let Some(path) = entity(kind, entities.id(kind)) else { continue };
            let first = api.get(&path).await.etag();
            let identified = change(kind, json!({"externalId": external_id(kind)}));
            let etag = with(&api, "PATCH", &path, ("if-match", &first), Some(identified)).await.etag();
            assert_ne!(etag, first, "{kind:?}");

            for path in paths(kind, &entities) {
                for method in ["GET", "HEAD"] {
                    let read = api.call(method, &path, &[], None).await;
                    assert_eq!((read.status, read.etag()), (200, etag.clone()), "{method} {path}");
                    for known in [etag.clone(), format!("W/{etag}"), format!("{first}, {etag}"), "*".to_owned()] {
                        let again = with(&api, method, &path, ("if-none-match", &known), None).await;
                        assert_eq!((again.status, again.bytes.len()), (304, 0), "{method} {path} {known}");
                        assert_eq!(again.etag(), etag, "{method} {path}");
                    }
                    assert_eq!(with(&api, method, &path, ("if-none-match", &first), None).await.status, 200, "{path}");
                }
            }

            let refused = change(kind, json!({"description": "refused"}));
            for (header, value) in [("if-match", &first), ("if-match", &format!("W/{etag}")), ("if-none-match", &etag)]
            {
                let answer = with(&api, "PATCH", &path, (header, value), Some(refused.clone())).await;
                assert_eq!(answer.status, 412, "{kind:?} {header}: {value}");
            }
            assert_eq!(api.get(&path).await.etag(), etag, "{kind:?}: a refused change");
            let mut seen = vec![first, etag.clone()];
            for value in [etag, "*".to_owned()] {
                let taken = change(kind, json!({"description": value}));
                let answer = with(&api, "PATCH", &path, ("if-match", &value), Some(taken)).await;
                assert_eq!((answer.status, &answer.json()["description"]), (200, &json!(value)), "{kind:?}");
                assert!(!seen.contains(&answer.etag()), "{kind:?}: {} once more", answer.etag());
                seen.push(answer.etag());
            }
        }
    }
}

#[tokio::test]
async fn whatever_creates_or_changes_an_entity_answers_with_the_etag_that_reading_it_gives() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let entities = Entities::create(&api).await;
        for nested in entities.nested() {
            let what = format!("{} {:?}", nested.path, nested.kind);
            let mut body = nested.body;
            body["name"] = json!("nested");
            let created = api.post(&nested.path, body.clone()).await;
            assert_eq!(created.status, 201, "{what}: {}", created.message());
            let Some(path) = entity(nested.kind, &created.id()) else {
                assert!(created.etag().starts_with('"'), "{what}");
                continue;
            };
            assert_eq!(api.get(&path).await.etag(), created.etag(), "{what}");
            if nested.kind == Kind::InferenceService {
                continue;
            }
            body["id"] = json!(created.id());
            body["description"] = json!("changed");
            let changed = with(&api, "POST", &nested.path, ("if-match", &created.etag()), Some(body.clone())).await;
            assert_eq!(changed.status, 200, "{what}: {}", changed.message());
            assert_eq!(api.get(&path).await.etag(), changed.etag(), "{what}");
            body["description"] = json!("refused");
            let refused = with(&api, "POST", &nested.path, ("if-match", &created.etag()), Some(body)).await;
            assert_eq!(refused.status, 412, "{what}");
            assert_eq!(api.get(&path).await.json()["description"], "changed", "{what}");
        }
    }
}

#[tokio::test]
async fn a_metric_or_parameter_of_a_name_is_set_only_where_it_is_the_one_that_if_match_names() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let entities = Entities::create(&api).await;
        let run = format!("experiment_runs/{}", entities.id(Kind::ExperimentRun));
        let path = format!("{run}/artifacts");
        for (artifact_type, values) in
            [("metric", [json!(1.0), json!(2.0), json!(3.0)]), ("parameter", [json!("1"), json!("2"), json!("3")])]
        {
            let set = |value: &Value| json!({"artifactType": artifact_type, "name": "x", "value": value});
            let first = api.post(&path, set(&values[0])).await;
            let second = with(&api, "POST", &path, ("if-match", &first.etag()), Some(set(&values[1]))).await;
            assert_eq!((first.status, second.status), (201, 200), "{artifact_type}: {}", second.message());
            let refused = with(&api, "POST", &path, ("if-match", &first.etag()), Some(set(&values[2]))).await;
            assert_eq!(refused.status, 412, "{artifact_type}");
            assert_eq!(api.get(&format!("artifacts/{}", first.id())).await.json()["value"], values[1]);
        }
        assert_eq!(api.get(&format!("{run}/metric_history?name=x")).await.names().len(), 2, "{backend}");
    }
}
