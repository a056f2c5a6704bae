//! Ids that are malformed, unknown, or of another kind.

use model_registry_api::{ApiVersion, Kind};
use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use super::error_message;
use crate::support::Api;
use crate::support::entities::{Entities, change, collection, entity, kinds};

on_each_database!(
    a_non_integer_id_is_rejected_and_an_unknown_id_is_not_found,
    an_id_of_another_kind_is_not_found,
    an_unknown_parent_or_reference_is_rejected
);

async fn a_non_integer_id_is_rejected_and_an_unknown_id_is_not_found(backend: Backend) {
    let api = Api::on(backend).await;
    for kind in kinds(ApiVersion::V1Alpha3).into_iter().filter(|kind| *kind != Kind::ServeModel) {
        for (id, status) in [
            ("x", 400),
            ("1.5", 400),
            ("0x1", 400),
            ("1e3", 400),
            // An entity has one address.
            ("01", 400),
            ("%2B1", 400),
            ("+1", 400),
            ("-0", 400),
            ("%20", 400),
            ("%00", 400),
            ("%FF", 400),
            ("%C3%A4", 400),
            ("%2F", 400),
            ("1%3B", 400),
            ("9223372036854775808", 400),
            ("99999999999999999999999999999999999999999", 400),
            ("9223372036854775807", 404),
            ("-9223372036854775808", 404),
            ("-1", 404),
            ("0", 404),
        ] {
            let path = entity(kind, id).unwrap();
            let body = change(kind, json!({"description": "x"}));
            for response in [api.get(&path).await, api.patch(&path, body).await] {
                let message = error_message(&response, &path);
                assert_eq!(response.status, status, "{path}: {message}");
            }
        }
    }
}

async fn an_id_of_another_kind_is_not_found(backend: Backend) {
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    for (kind, id) in &entities.ids {
        for other in kinds(ApiVersion::V1Alpha3) {
            let same_list = collection_of(other) == collection_of(*kind);
            let Some(path) = entity(other, id).filter(|_| !same_list) else { continue };
            // Resources and artifacts are numbered separately, so the id may exist in the other list.
            if entities.ids.iter().any(|(of, of_id)| collection_of(*of) == collection_of(other) && of_id == id) {
                continue;
            }
            let response = api.get(&path).await;
            error_message(&response, &path);
            assert_eq!(response.status, 404, "a {kind:?} at {path}");
            let response = api.patch(&path, json!({})).await;
            assert_eq!(response.status, 404, "a {kind:?} at {path}");
        }
    }
    let doc = entities.id(Kind::DocArtifact);
    assert_eq!(api.get(&format!("model_artifacts/{doc}")).await.status, 404);
    assert_eq!(api.patch(&format!("model_artifacts/{doc}"), json!({})).await.status, 404);
    let body = json!({"artifactType": "model-artifact"});
    assert_eq!(api.patch(&format!("artifacts/{doc}"), body).await.status, 400);
}

fn collection_of(kind: Kind) -> &'static str {
    if kind == Kind::ServeModel { "serves" } else { collection(kind) }
}

async fn an_unknown_parent_or_reference_is_rejected(backend: Backend) {
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    for kind in kinds(ApiVersion::V1Alpha3) {
        let spec = kind.spec();
        let parent = spec.parent.iter().filter_map(|parent| parent.field.map(|field| (field, parent.kind)));
        let references = spec.references.iter().map(|reference| (reference.field, reference.kind));
        for (field, of) in parent.chain(references) {
            // An id of another kind, taken from the same table.
            let other = entities.ids.iter().find(|(other, _)| *other != of).map(|(_, id)| id.as_str()).unwrap();
            for (id, status) in
                [("999999", 404), ("-1", 404), (other, 404), ("x", 400), ("1.5", 400), ("01", 400), ("+1", 400)]
            {
                let (path, mut body) = entities.new_entity(kind);
                body["name"] = json!("orphan");
                body[field] = json!(id);
                let response = api.post(&path, body).await;
                let message = error_message(&response, &format!("{kind:?} {field} = {id}"));
                // parity: any id of an environment is looked up, even one that is not an integer.
                let status = if field == "servingEnvironmentId" { 404 } else { status };
                assert_eq!(response.status, status, "{kind:?} {field} = {id}: {message}");
            }
        }
    }
    for (path, body) in [
        ("registered_models/ID/versions", json!({"name": "v", "registeredModelId": "1"})),
        (
            "serving_environments/ID/inference_services",
            json!({"name": "s", "registeredModelId": "1", "servingEnvironmentId": "1"}),
        ),
        ("inference_services/ID/serves", json!({"name": "s", "modelVersionId": "1"})),
        ("experiments/ID/experiment_runs", json!({"name": "r", "experimentId": "1"})),
        ("model_versions/ID/artifacts", json!({"artifactType": "doc-artifact"})),
        ("experiment_runs/ID/artifacts", json!({"artifactType": "metric", "value": 1.0})),
    ] {
        for (id, status) in [("999999", 404), ("-1", 404), ("x", 400), ("01", 400), ("%2B1", 400), ("%FF", 400)] {
            let path = path.replace("ID", id);
            let response = api.post(&path, body.clone()).await;
            let message = error_message(&response, &path);
            assert_eq!(response.status, status, "{path}: {message}");
        }
    }
    let version = entities.id(Kind::ModelVersion);
    let attach = json!({"artifactType": "doc-artifact", "id": "999999"});
    assert_eq!(api.post(&format!("model_versions/{version}/artifacts"), attach).await.status, 404);
    let other_form = json!({"artifactType": "doc-artifact", "id": "0999999"});
    assert_eq!(api.post(&format!("model_versions/{version}/artifacts"), other_form).await.status, 400);
    let parameter = "model_version?name=v&parentResourceId=01";
    assert_eq!(api.get(parameter).await.status, 400);
    let wrong_kind = json!({"artifactType": "doc-artifact", "id": entities.id(Kind::ModelArtifact)});
    assert_eq!(api.post(&format!("model_versions/{version}/artifacts"), wrong_kind).await.status, 400);
    assert_eq!(api.get("model_versions?name=orphan").await.names(), [""; 0]);
}
