//! ETag, If-Match and If-None-Match.

use model_registry_api::{ApiVersion, Kind};
use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Value, json};

use crate::support::entities::{Entities, change, entity, finders, kinds};
use crate::support::{Api, Response};

on_each_database!(
    the_entity_tag_changes_with_the_entity,
    if_none_match_with_the_current_entity_tag_yields_304,
    if_match_with_a_stale_entity_tag_is_rejected,
    concurrent_updates_without_if_match_all_succeed_and_lose_nothing,
    conditional_reads_and_updates_work_for_every_kind,
    a_write_returns_the_same_entity_tag_as_a_read,
    setting_a_metric_or_parameter_by_name_honours_if_match
);

async fn the_entity_tag_changes_with_the_entity(backend: Backend) {
    let api = Api::on(backend).await;
    let created = api.post("registered_models", json!({"name": "m"})).await;
    let path = format!("registered_models/{}", created.id());
    assert_eq!(api.get(&path).await.etag(), created.etag());
    assert_eq!(api.get("registered_model?name=m").await.etag(), created.etag());
    let updated = api.patch(&path, json!({"owner": "ada"})).await;
    assert_ne!(updated.etag(), created.etag());
    assert_eq!(api.get(&path).await.etag(), updated.etag());
}

async fn if_none_match_with_the_current_entity_tag_yields_304(backend: Backend) {
    let api = Api::on(backend).await;
    let created = api.post("registered_models", json!({"name": "m"})).await;
    let path = format!("registered_models/{}", created.id());
    let again = api.call("GET", &path, &[("if-none-match", &created.etag())], None).await;
    assert_eq!((again.status, again.bytes.len()), (304, 0));
    assert_eq!(again.etag(), created.etag());
    api.patch(&path, json!({"owner": "ada"})).await;
    assert_eq!(api.call("GET", &path, &[("if-none-match", &created.etag())], None).await.status, 200);
}

async fn if_match_with_a_stale_entity_tag_is_rejected(backend: Backend) {
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

async fn concurrent_updates_without_if_match_all_succeed_and_lose_nothing(backend: Backend) {
    let api = Api::on(backend).await;
    let id = api.create("registered_models", json!({"name": "m"})).await;
    let path = format!("registered_models/{id}");
    let fields = ["owner", "description", "readme", "maturity", "provider", "license", "libraryName", "logo"];
    let changes = fields.map(|field| api.patch(&path, json!({field: field})));
    for response in futures::future::join_all(changes).await {
        assert_eq!(response.status, 200, "{}", response.message());
    }
    let model = api.get(&path).await.json();
    for field in fields {
        assert_eq!(model[field], field);
    }
}

/// Every path on which a GET returns the entity, in every version of the API that serves it.
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

async fn with(api: &Api, method: &str, path: &str, header: (&str, &str), body: Option<Value>) -> Response {
    api.call(method, path, &[header], body).await
}

async fn conditional_reads_and_updates_work_for_every_kind(backend: Backend) {
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
        for (header, value) in [("if-match", &first), ("if-match", &format!("W/{etag}")), ("if-none-match", &etag)] {
            let response = with(&api, "PATCH", &path, (header, value), Some(refused.clone())).await;
            assert_eq!(response.status, 412, "{kind:?} {header}: {value}");
        }
        assert_eq!(api.get(&path).await.etag(), etag, "{kind:?}: unchanged after a rejected update");
        let mut seen = vec![first, etag.clone()];
        for value in [etag, "*".to_owned()] {
            let taken = change(kind, json!({"description": value}));
            let response = with(&api, "PATCH", &path, ("if-match", &value), Some(taken)).await;
            assert_eq!((response.status, &response.json()["description"]), (200, &json!(value)), "{kind:?}");
            assert!(!seen.contains(&response.etag()), "{kind:?}: {} was used before", response.etag());
            seen.push(response.etag());
        }
    }
}

async fn a_write_returns_the_same_entity_tag_as_a_read(backend: Backend) {
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    for nested in entities.nested() {
        let context = format!("{} {:?}", nested.path, nested.kind);
        let mut body = nested.body;
        body["name"] = json!("nested");
        let created = api.post(&nested.path, body.clone()).await;
        assert_eq!(created.status, 201, "{context}: {}", created.message());
        let Some(path) = entity(nested.kind, &created.id()) else {
            assert!(created.etag().starts_with('"'), "{context}");
            continue;
        };
        assert_eq!(api.get(&path).await.etag(), created.etag(), "{context}");
        if nested.kind == Kind::InferenceService {
            continue;
        }
        body["id"] = json!(created.id());
        body["description"] = json!("changed");
        let changed = with(&api, "POST", &nested.path, ("if-match", &created.etag()), Some(body.clone())).await;
        assert_eq!(changed.status, 200, "{context}: {}", changed.message());
        assert_eq!(api.get(&path).await.etag(), changed.etag(), "{context}");
        body["description"] = json!("refused");
        let refused = with(&api, "POST", &nested.path, ("if-match", &created.etag()), Some(body)).await;
        assert_eq!(refused.status, 412, "{context}");
        assert_eq!(api.get(&path).await.json()["description"], "changed", "{context}");
    }
}

async fn setting_a_metric_or_parameter_by_name_honours_if_match(backend: Backend) {
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
    assert_eq!(api.get(&format!("{run}/metric_history?name=x")).await.names().len(), 2);
}
