//! Entities that are no artifacts: created, changed, found.

use model_registry_testkit::backends;
use serde_json::json;

use crate::support::{Api, START};

#[tokio::test]
async fn a_created_entity_carries_its_defaults_and_both_times() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let answer = api.post("registered_models", json!({"name": "m"})).await;
        assert_eq!(answer.status, 201);
        let time = START.to_string();
        assert_eq!(
            answer.json(),
            json!({
                "id": "1", "name": "m", "state": "LIVE", "customProperties": {},
                "createTimeSinceEpoch": time, "lastUpdateTimeSinceEpoch": time
            })
        );
        // Scripts search the text for this.
        assert!(String::from_utf8_lossy(&answer.bytes).contains(r#""id":"1""#));
    }
}

#[tokio::test]
async fn an_empty_patch_only_moves_the_update_time() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let id = api.create("registered_models", json!({"name": "m", "state": "ARCHIVED", "owner": "ada"})).await;
        let before = api.get(&format!("registered_models/{id}")).await.json();
        let after = api.patch(&format!("registered_models/{id}"), json!({})).await.json();
        assert!(after["lastUpdateTimeSinceEpoch"].as_str() > before["lastUpdateTimeSinceEpoch"].as_str());
        assert_eq!(after["createTimeSinceEpoch"], before["createTimeSinceEpoch"]);
        assert_eq!((&after["state"], &after["owner"]), (&json!("ARCHIVED"), &json!("ada")));
    }
}

#[tokio::test]
async fn null_clears_an_optional_field_and_keeps_a_state() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let body = json!({"name": "m", "owner": "ada", "externalId": "x", "tasks": ["a"], "state": "ARCHIVED"});
        let id = api.create("registered_models", body).await;
        let path = format!("registered_models/{id}");
        let patch = json!({"owner": null, "externalId": null, "tasks": null, "state": null});
        let model = api.patch(&path, patch).await.json();
        assert_eq!(model["state"], "ARCHIVED");
        for cleared in ["owner", "externalId", "tasks"] {
            assert!(model.get(cleared).is_none(), "{cleared}: {model}");
        }
        assert_eq!(api.get("registered_model?externalId=x").await.status, 404);
        assert_eq!(api.post("registered_models", json!({"name": "other", "externalId": "x"})).await.status, 201);
        let query = "registered_models?filterQuery=owner%20IS%20NULL%20AND%20tasks%20IS%20NULL%20AND%20name='m'";
        assert_eq!(api.get(query).await.names(), ["m"]);
    }
}

#[tokio::test]
async fn a_conflict_names_the_field_that_is_taken() {
    for backend in backends() {
        let api = Api::on(backend).await;
        api.create("registered_models", json!({"name": "m", "externalId": "x"})).await;
        let by_name = api.post("registered_models", json!({"name": "m"})).await;
        assert_eq!(
            (by_name.status, by_name.message()),
            (409, "registered model with name m already exists".to_owned())
        );
        let by_external_id = api.post("registered_models", json!({"name": "n", "externalId": "x"})).await;
        assert_eq!(by_external_id.status, 409);
        assert!(by_external_id.message().contains("externalId x"), "{}", by_external_id.message());
        // External ids are unique across the kinds, names within one.
        assert_eq!(api.post("experiments", json!({"name": "m", "externalId": "x"})).await.status, 409);
        assert_eq!(api.post("experiments", json!({"name": "m"})).await.status, 201);
        // Its name is generated: the external id alone is taken.
        let experiment = api.create("experiments", json!({"name": "e"})).await;
        for status in [201, 409] {
            let run = json!({"experimentId": experiment, "externalId": "y"});
            let answer = api.post(&format!("experiments/{experiment}/experiment_runs"), run).await;
            assert_eq!(answer.status, status, "{backend}: {}", answer.message());
        }
    }
}

#[tokio::test]
async fn empty_external_ids_do_not_collide() {
    for backend in backends() {
        let api = Api::on(backend).await;
        for name in ["a", "b"] {
            let answer = api.post("registered_models", json!({"name": name, "externalId": ""})).await;
            assert_eq!((answer.status, &answer.json()["externalId"]), (201, &json!("")));
        }
    }
}

#[tokio::test]
async fn a_nested_create_with_the_id_of_a_child_updates_it_and_never_moves_it() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let first = api.create("registered_models", json!({"name": "m1"})).await;
        let second = api.create("registered_models", json!({"name": "m2"})).await;
        let version = api.create("model_versions", json!({"name": "v", "registeredModelId": first})).await;
        let body = json!({"id": version, "name": "other", "registeredModelId": first, "author": "ada"});
        let updated = api.post(&format!("registered_models/{first}/versions"), body.clone()).await;
        assert_eq!(updated.status, 200);
        assert_eq!((&updated.json()["name"], &updated.json()["author"]), (&json!("v"), &json!("ada")));
        let moved = api.post(&format!("registered_models/{second}/versions"), body).await;
        assert_eq!(moved.status, 400);
        assert!(moved.message().contains("belongs to another parent"), "{}", moved.message());
        assert!(api.get(&format!("registered_models/{second}/versions")).await.names().is_empty());
        let unknown = json!({"id": "999", "name": "x", "registeredModelId": first});
        assert_eq!(api.post(&format!("registered_models/{first}/versions"), unknown).await.status, 404);
    }
}

#[tokio::test]
async fn parents_and_references_have_to_exist_and_be_of_the_right_kind() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let model = api.create("registered_models", json!({"name": "m"})).await;
        let environment = api.create("serving_environments", json!({"name": "e"})).await;
        let experiment = api.create("experiments", json!({"name": "x"})).await;
        let cases = [
            ("model_versions", json!({"name": "v", "registeredModelId": experiment})),
            ("experiment_runs", json!({"experimentId": model})),
            ("inference_services", json!({"registeredModelId": environment, "servingEnvironmentId": environment})),
            ("inference_services", json!({"registeredModelId": model, "servingEnvironmentId": model})),
            (
                "inference_services",
                json!({"registeredModelId": model, "servingEnvironmentId": environment, "modelVersionId": "999"}),
            ),
        ];
        for (path, body) in cases {
            let answer = api.post(path, body.clone()).await;
            assert_eq!(answer.status, 404, "{path} {body}: {}", answer.message());
        }
    }
}

#[tokio::test]
async fn a_run_does_not_end_before_it_starts() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let experiment = api.create("experiments", json!({"name": "x"})).await;
        let body = json!({"experimentId": experiment, "startTimeSinceEpoch": "20", "endTimeSinceEpoch": "10"});
        let refused = api.post("experiment_runs", body).await;
        assert_eq!(refused.status, 400);
        assert_eq!(refused.message(), "endTimeSinceEpoch (10) cannot be less than startTimeSinceEpoch (20)");
        let run = api.create("experiment_runs", json!({"experimentId": experiment, "startTimeSinceEpoch": "20"})).await;
        let answer = api.patch(&format!("experiment_runs/{run}"), json!({"endTimeSinceEpoch": "x"})).await;
        assert_eq!(answer.status, 400);
        assert_eq!(api.patch(&format!("experiment_runs/{run}"), json!({"endTimeSinceEpoch": "20"})).await.status, 200);
    }
}
