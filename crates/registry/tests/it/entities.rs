//! Entities other than artifacts are created, updated and found.

use model_registry_api::{ApiVersion, Kind, Shape};
use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use crate::support::entities::{Creation, Entities, change, entity, kinds};
use crate::support::{Api, START};

on_each_database!(
    a_created_entity_has_its_defaults_and_both_times,
    an_empty_update_changes_only_the_update_time,
    null_clears_an_optional_field_and_keeps_a_state,
    an_update_without_a_state_keeps_it,
    every_creation_returns_201,
    the_first_missing_required_field_is_named,
    a_conflict_names_the_conflicting_field,
    external_ids_are_unique_across_kinds_and_names_within_one,
    empty_external_ids_do_not_collide,
    a_nested_create_with_the_id_of_a_child_updates_it_and_never_moves_it,
    parents_and_references_must_exist_and_be_of_the_right_kind,
    a_run_cannot_end_before_it_starts,
    a_null_state_is_absent_after_a_create_and_kept_by_an_update
);

async fn a_created_entity_has_its_defaults_and_both_times(backend: Backend) {
    let api = Api::on(backend).await;
    let response = api.post("registered_models", json!({"name": "m"})).await;
    assert_eq!(response.status, 201);
    let time = START.to_string();
    assert_eq!(
        response.json(),
        json!({
            "id": "1", "name": "m", "state": "LIVE", "customProperties": {},
            "createTimeSinceEpoch": time, "lastUpdateTimeSinceEpoch": time
        })
    );
    // Scripts search the raw body for this.
    assert!(String::from_utf8_lossy(&response.bytes).contains(r#""id":"1""#));
}

async fn an_empty_update_changes_only_the_update_time(backend: Backend) {
    let api = Api::on(backend).await;
    let id = api.create("registered_models", json!({"name": "m", "state": "ARCHIVED", "owner": "ada"})).await;
    let before = api.get(&format!("registered_models/{id}")).await.json();
    let after = api.patch(&format!("registered_models/{id}"), json!({})).await.json();
    assert!(after["lastUpdateTimeSinceEpoch"].as_str() > before["lastUpdateTimeSinceEpoch"].as_str());
    assert_eq!(after["createTimeSinceEpoch"], before["createTimeSinceEpoch"]);
    assert_eq!((&after["state"], &after["owner"]), (&json!("ARCHIVED"), &json!("ada")));
}

async fn null_clears_an_optional_field_and_keeps_a_state(backend: Backend) {
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

async fn an_update_without_a_state_keeps_it(backend: Backend) {
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    let mut states = 0;
    for kind in kinds(ApiVersion::V1Alpha3) {
        let id = entities.id(kind);
        let mut paths: Vec<String> = entity(kind, id).into_iter().collect();
        if kind == Kind::ModelArtifact {
            paths.push(format!("model_artifacts/{id}"));
        }
        for field in kind.spec().all_fields() {
            let Shape::Enumeration(enumeration) = field.shape else { continue };
            for path in &paths {
                // The last member is never the default.
                let last = *enumeration.members.last().unwrap();
                assert_ne!(Some(last), enumeration.default, "{kind:?}");
                let set = api.patch(path, change(kind, json!({field.name: last}))).await;
                assert_eq!((set.status, &set.json()[field.name]), (200, &json!(last)), "{path}");
                for body in
                    [json!({}), json!({"description": "x"}), json!({"customProperties": {}}), json!({field.name: null})]
                {
                    let changed = api.patch(path, change(kind, body.clone())).await;
                    let state = &changed.json()[field.name];
                    assert_eq!((changed.status, state), (200, &json!(last)), "{path} {body}");
                }
                states += 1;
            }
        }
    }
    // Models, versions, services and experiments have one; runs two; five kinds of artifacts one, one of them on two
    // paths; the type of parameters counts as well.
    assert_eq!(states, 4 + 2 + 6 + 1);
}

async fn every_creation_returns_201(backend: Backend) {
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    for (number, Creation { path, mut body, .. }) in entities.creations().into_iter().enumerate() {
        body["name"] = json!(format!("entity {number}"));
        let created = api.post(&path, body.clone()).await;
        assert_eq!(created.status, 201, "{path} {body}: {}", created.message());
    }
}

async fn the_first_missing_required_field_is_named(backend: Backend) {
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    for kind in kinds(ApiVersion::V1Alpha3).into_iter().filter(|kind| kind.spec().artifact_type.is_none()) {
        let spec = kind.spec();
        let (path, _) = entities.new_entity(kind);
        let name = spec.name_required.then_some("name");
        let required = spec.all_fields().filter(|field| field.required).map(|field| field.name);
        let mut body = json!({});
        for field in name.into_iter().chain(required) {
            for empty in [None, Some(json!(null)), Some(json!(""))] {
                let mut body = body.clone();
                if let Some(empty) = empty {
                    body[field] = empty;
                }
                for _ in 0..4 {
                    let response = api.post(&path, body.clone()).await;
                    let expected = json!({
                        "code": "Bad Request", "message": format!("required field '{field}' is zero value.")
                    });
                    assert_eq!((response.status, response.json()), (422, expected), "{kind:?} {body}");
                }
            }
            body[field] = json!("1");
        }
    }
}

async fn a_conflict_names_the_conflicting_field(backend: Backend) {
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    for (number, Creation { kind, path, body }) in entities.creations().into_iter().enumerate() {
        let context = format!("{path} {kind:?}");
        let label = kind.spec().label;
        // Metrics and parameters of a parent are set by name; standalone artifacts may share a name.
        let is_set = matches!(kind, Kind::Metric | Kind::Parameter);
        let named = |name: &str, external_id: Option<&str>| {
            let mut body = body.clone();
            body["name"] = json!(name);
            if let Some(external_id) = external_id {
                body["externalId"] = json!(external_id);
            }
            body
        };
        let (name, external_id) = (format!("it's {number}: 50%"), format!("external {number}"));
        api.create(&path, named(&name, Some(&external_id))).await;
        if !path.ends_with("_artifacts") && path != "artifacts" && !is_set {
            let taken = api.post(&path, named(&name, None)).await;
            let message = format!("{label} with name {name} already exists");
            assert_eq!((taken.status, taken.message()), (409, message), "{context}");
        }
        // With a given and with a generated name.
        for name in [Some(format!("other {number}")), None] {
            let mut body = named(name.as_deref().unwrap_or_default(), Some(&external_id));
            if name.is_none() {
                if kind.spec().name_required {
                    continue;
                }
                body.as_object_mut().unwrap().remove("name");
            }
            let taken = api.post(&path, body).await;
            let message = format!("externalId {external_id} of this {label} is already in use");
            assert_eq!((taken.status, taken.message()), (409, message), "{context}");
        }
    }
}

async fn external_ids_are_unique_across_kinds_and_names_within_one(backend: Backend) {
    let api = Api::on(backend).await;
    api.create("registered_models", json!({"name": "m", "externalId": "x"})).await;
    assert_eq!(api.post("experiments", json!({"name": "m", "externalId": "x"})).await.status, 409);
    assert_eq!(api.post("experiments", json!({"name": "m"})).await.status, 201);
}

async fn empty_external_ids_do_not_collide(backend: Backend) {
    let api = Api::on(backend).await;
    for name in ["a", "b"] {
        let response = api.post("registered_models", json!({"name": name, "externalId": ""})).await;
        assert_eq!((response.status, &response.json()["externalId"]), (201, &json!("")));
    }
}

async fn a_nested_create_with_the_id_of_a_child_updates_it_and_never_moves_it(backend: Backend) {
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

async fn parents_and_references_must_exist_and_be_of_the_right_kind(backend: Backend) {
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
        let response = api.post(path, body.clone()).await;
        assert_eq!(response.status, 404, "{path} {body}: {}", response.message());
    }
}

async fn a_run_cannot_end_before_it_starts(backend: Backend) {
    let api = Api::on(backend).await;
    let experiment = api.create("experiments", json!({"name": "x"})).await;
    let body = json!({"experimentId": experiment, "startTimeSinceEpoch": "20", "endTimeSinceEpoch": "10"});
    let refused = api.post("experiment_runs", body).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.message(), "endTimeSinceEpoch (10) cannot be less than startTimeSinceEpoch (20)");
    let run = api.create("experiment_runs", json!({"experimentId": experiment, "startTimeSinceEpoch": "20"})).await;
    let response = api.patch(&format!("experiment_runs/{run}"), json!({"endTimeSinceEpoch": "x"})).await;
    assert_eq!(response.status, 400);
    assert_eq!(api.patch(&format!("experiment_runs/{run}"), json!({"endTimeSinceEpoch": "20"})).await.status, 200);
}

async fn a_null_state_is_absent_after_a_create_and_kept_by_an_update(backend: Backend) {
    let api = Api::on(backend).await;
    let null_state = |name: &str| json!({"name": name, "state": null});
    let model = api.create("registered_models", null_state("m")).await;
    let experiment = api.create("experiments", null_state("e")).await;
    let environment = api.create("serving_environments", json!({"name": "s"})).await;
    let mut version = null_state("v");
    version["registeredModelId"] = json!(model);
    let mut run = null_state("r");
    run["status"] = json!(null);
    run["experimentId"] = json!(experiment);
    let service = json!({"name": "i", "registeredModelId": model, "servingEnvironmentId": environment,
                         "desiredState": null});
    let mut nested = null_state("nested");
    nested["registeredModelId"] = json!(model);
    let created = [
        ("registered_models", null_state("other")),
        ("experiments", null_state("other")),
        ("model_versions", version),
        ("experiment_runs", run),
        ("inference_services", service),
        ("model_artifacts", null_state("a")),
        (&format!("registered_models/{model}/versions"), nested),
    ];
    for (path, body) in created {
        let response = api.post(path, body).await;
        assert_eq!(response.status, 201, "{path}: {}", response.message());
        let entity = response.json();
        for field in ["state", "status", "desiredState"] {
            assert!(entity.get(field).is_none(), "{path}: {entity}");
        }
    }
    let path = format!("registered_models/{model}");
    let live = api.patch(&path, json!({"state": "LIVE"})).await.json();
    assert_eq!(live["state"], "LIVE");
    let kept = api.patch(&path, json!({"state": null, "description": "d"})).await.json();
    assert_eq!((&kept["state"], &kept["description"]), (&json!("LIVE"), &json!("d")));
    let versions = format!("registered_models/{model}/versions");
    let child = api.post(&versions, json!({"name": "child", "registeredModelId": model})).await.json();
    let again = json!({"id": child["id"], "name": "child", "registeredModelId": model, "state": null});
    assert_eq!(api.post(&versions, again).await.json()["state"], "LIVE");
}

#[tokio::test]
async fn an_empty_id_in_a_path_counts_as_missing() {
    let api = Api::on(Backend::Sqlite).await;
    for (path, field) in [
        ("registered_models//versions", "registeredmodelId"),
        ("model_versions//artifacts", "modelversionId"),
        ("experiments//experiment_runs", "experimentId"),
        ("experiment_runs//artifacts", "experimentrunId"),
        ("experiment_runs//metric_history", "experimentrunId"),
        ("serving_environments//inference_services", "servingenvironmentId"),
        ("inference_services//serves", "inferenceserviceId"),
    ] {
        let response = api.get(path).await;
        assert_eq!(
            (response.status, response.message()),
            (422, format!("required field '{field}' is zero value.")),
            "{path}"
        );
    }
}
