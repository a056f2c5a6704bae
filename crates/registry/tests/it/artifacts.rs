//! Artifacts of every type, standalone and attached to versions and runs.

use model_registry_api::Kind;
use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use crate::support::Api;
use crate::support::entities::Entities;

on_each_database!(
    an_artifact_name_is_unique_within_its_parent,
    a_standalone_artifact_is_attached_to_several_parents_and_keeps_its_id,
    a_metric_without_a_value_is_rejected,
    only_model_artifacts_has_a_default_state_and_rejects_unknown_fields,
    the_type_of_an_artifact_cannot_be_changed,
    an_upsert_changes_only_the_given_fields
);

async fn version(api: &Api) -> String {
    let model = api.create("registered_models", json!({"name": "m"})).await;
    api.create("model_versions", json!({"name": "v", "registeredModelId": model})).await
}

async fn an_artifact_name_is_unique_within_its_parent(backend: Backend) {
    let api = Api::on(backend).await;
    let version = version(&api).await;
    let path = format!("model_versions/{version}/artifacts");
    for kind in ["model-artifact", "doc-artifact", "dataset-artifact"] {
        let body = json!({"artifactType": kind, "name": "same"});
        assert_eq!(api.post(&path, body.clone()).await.status, 201, "{kind}");
        assert_eq!(api.post(&path, body.clone()).await.status, 409, "{kind}");
        // Standalone artifacts may share a name.
        assert_eq!(api.post("artifacts", body.clone()).await.status, 201, "{kind}");
        assert_eq!(api.post("artifacts", body).await.status, 201, "{kind}");
    }
}

async fn a_standalone_artifact_is_attached_to_several_parents_and_keeps_its_id(backend: Backend) {
    let api = Api::on(backend).await;
    let version = version(&api).await;
    let experiment = api.create("experiments", json!({"name": "e"})).await;
    let run = api.create("experiment_runs", json!({"experimentId": experiment})).await;
    let artifact = api.create("model_artifacts", json!({"name": "loose", "uri": "u"})).await;
    for parent in [format!("model_versions/{version}"), format!("experiment_runs/{run}")] {
        let path = format!("{parent}/artifacts");
        for _ in 0..2 {
            let attached = api.post(&path, json!({"artifactType": "model-artifact", "id": artifact})).await;
            assert_eq!((attached.status, attached.id()), (200, artifact.clone()));
        }
        assert_eq!(api.get(&path).await.names(), ["loose"], "{path}");
    }
    let found = api.get(&format!("model_artifact?name=loose&parentResourceId={version}")).await;
    assert_eq!((found.status, found.id()), (200, artifact.clone()));
    assert_eq!(found.json()["experimentRunId"], json!(run));
    let other_kind = json!({"artifactType": "doc-artifact", "id": artifact});
    assert_eq!(api.post(&format!("model_versions/{version}/artifacts"), other_kind).await.status, 400);
}

async fn a_metric_without_a_value_is_rejected(backend: Backend) {
    let api = Api::on(backend).await;
    let version = version(&api).await;
    for path in ["artifacts".to_owned(), format!("model_versions/{version}/artifacts")] {
        let response = api.post(&path, json!({"artifactType": "metric", "name": "m"})).await;
        assert_eq!((response.status, response.message().as_str()), (400, "metric value is required"));
    }
    let metric = api.create("artifacts", json!({"artifactType": "metric", "name": "m", "value": 1})).await;
    let cleared = api.patch(&format!("artifacts/{metric}"), json!({"artifactType": "metric", "value": null})).await;
    assert_eq!(cleared.status, 400);
}

async fn only_model_artifacts_has_a_default_state_and_rejects_unknown_fields(backend: Backend) {
    let api = Api::on(backend).await;
    let typed = api.post("model_artifacts", json!({"uri": "u"})).await;
    assert_eq!((typed.status, &typed.json()["state"]), (201, &json!("UNKNOWN")));
    let union = api.post("artifacts", json!({"artifactType": "model-artifact", "uri": "u", "whatever": 1})).await;
    assert_eq!((union.status, union.json().get("state")), (201, None));
    assert_eq!(api.post("model_artifacts", json!({"uri": "u", "whatever": 1})).await.status, 400);
    assert_eq!(api.post("model_artifacts", json!({"artifactType": "metric"})).await.status, 400);
    // An unknown artifact type is ignored.
    let other = api.post("model_artifacts", json!({"artifactType": "whatever"})).await;
    assert_eq!((other.status, &other.json()["artifactType"]), (201, &json!("model-artifact")));
}

async fn the_type_of_an_artifact_cannot_be_changed(backend: Backend) {
    let api = Api::on(backend).await;
    let id = api.create("artifacts", json!({"artifactType": "doc-artifact", "uri": "u"})).await;
    for (body, to) in [(json!({"artifactType": "model-artifact"}), "model-artifact"), (json!({}), "unknown")] {
        let response = api.patch(&format!("artifacts/{id}"), body).await;
        let expected = format!("cannot change artifact type from 'doc-artifact' to '{to}': artifact type is immutable");
        assert_eq!((response.status, response.message()), (400, expected));
    }
    assert_eq!(api.patch(&format!("model_artifacts/{id}"), json!({"uri": "v"})).await.status, 404);
}

async fn an_upsert_changes_only_the_given_fields(backend: Backend) {
    let tag = json!({"tag": {"metadataType": "MetadataStringValue", "string_value": "x"}});
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    let run = entities.id(Kind::ExperimentRun);
    for list in entities.nested().into_iter().filter(|list| list.kind.spec().artifact_type.is_some()) {
        let context = format!("{} {:?}", list.path, list.kind);
        let (mut first, mut body) = (list.body.clone(), list.body);
        for (field, value) in [
            ("name", json!("kept")),
            ("customProperties", tag.clone()),
            ("externalId", json!(context)),
            ("state", json!("PENDING")),
        ] {
            first[field] = value;
        }
        let created = api.post(&list.path, first).await;
        assert_eq!(created.status, 201, "{context}: {}", created.message());
        for (field, value) in [("id", created.id().as_str()), ("name", "another name"), ("description", "changed")] {
            body[field] = json!(value);
        }
        let changed = api.post(&list.path, body).await;
        assert_eq!(changed.status, 200, "{context}: {}", changed.message());
        let mut expected = created.json();
        expected["description"] = json!("changed");
        expected["lastUpdateTimeSinceEpoch"] = changed.json()["lastUpdateTimeSinceEpoch"].clone();
        assert_eq!(changed.json(), expected, "{context}");
        let is_of_run = list.path.starts_with("experiment_runs");
        assert_eq!(changed.json().get("experimentRunId"), is_of_run.then(|| json!(run)).as_ref(), "{context}");
    }
}
