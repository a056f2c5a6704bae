//! Inference services and the versions that they serve.

use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Value, json};

use crate::support::Api;

on_each_database!(
    the_version_of_a_service_is_the_pinned_one_or_the_newest,
    the_version_of_a_service_belongs_to_its_model,
    gated_and_private_versions_cannot_be_served,
    the_lists_of_serving_can_be_filtered
);

struct Served {
    api: Api,
    model: String,
    service: String,
}

async fn served(backend: Backend) -> Served {
    let api = Api::on(backend).await;
    let model = api.create("registered_models", json!({"name": "m"})).await;
    let environment = api.create("serving_environments", json!({"name": "e"})).await;
    let body = json!({"name": "s", "registeredModelId": model, "servingEnvironmentId": environment});
    let service = api.create("inference_services", body).await;
    Served { api, model, service }
}

async fn the_version_of_a_service_is_the_pinned_one_or_the_newest(backend: Backend) {
    let Served { api, model, service } = served(backend).await;
    let path = format!("inference_services/{service}/version");
    assert_eq!(api.get(&path).await.status, 404);
    let old = api.create("model_versions", json!({"name": "old", "registeredModelId": model})).await;
    let new = api.create("model_versions", json!({"name": "new", "registeredModelId": model})).await;
    assert_eq!(api.get(&path).await.id(), new);
    let pinned = format!("inference_services/{service}");
    let pin = |id: Value| api.patch(&pinned, json!({"modelVersionId": id}));
    // Awaited one by one: each depends on the previous one.
    assert_eq!(pin(json!(old)).await.status, 200);
    assert_eq!(api.get(&path).await.id(), old);
    assert_eq!(pin(json!("999")).await.status, 404);
    assert_eq!(pin(json!(null)).await.status, 200);
    assert_eq!(api.get(&path).await.id(), new);
}

async fn the_version_of_a_service_belongs_to_its_model(backend: Backend) {
    let Served { api, model, service } = served(backend).await;
    let other = api.create("registered_models", json!({"name": "other"})).await;
    let own = api.create("model_versions", json!({"name": "v", "registeredModelId": model})).await;
    let foreign = api.create("model_versions", json!({"name": "v", "registeredModelId": other})).await;
    let environment = api.get(&format!("inference_services/{service}")).await.json()["servingEnvironmentId"].clone();
    let body = |name: &str, version: &str| json!({"name": name, "registeredModelId": model, "modelVersionId": version, "servingEnvironmentId": environment});
    let path = format!("inference_services/{service}");
    let nested = format!("serving_environments/{}/inference_services", environment.as_str().unwrap());
    let expected = format!(
        "model version {foreign} belongs to registeredModelId {other}, not to registeredModelId {model}: choose one of that model"
    );
    for prefix in ["", "/api/model_registry/v1/"] {
        for refused in [
            api.post(&format!("{prefix}inference_services"), body("x", &foreign)).await,
            api.post(&format!("{prefix}{nested}"), body("x", &foreign)).await,
            api.patch(&format!("{prefix}{path}"), json!({"modelVersionId": foreign})).await,
        ] {
            assert_eq!((refused.status, refused.message()), (400, expected.clone()));
        }
    }
    assert_eq!(api.get("inference_services").await.names(), ["s"], "nothing was created");
    assert_eq!(api.patch(&path, json!({"modelVersionId": own})).await.status, 200);
    assert_eq!(api.patch(&path, json!({"modelVersionId": own, "runtime": "x"})).await.status, 200);
    assert_eq!(api.post("inference_services", body("y", &own)).await.status, 201);
}

async fn gated_and_private_versions_cannot_be_served(backend: Backend) {
    let Served { api, model, service } = served(backend).await;
    let string = |value: &str| json!({"metadataType": "MetadataStringValue", "string_value": value});
    let flag = |value: bool| json!({"metadataType": "MetadataBoolValue", "bool_value": value});
    let cases = [
        ("hf_gated", string("manual"), 400),
        ("hf_gated", flag(true), 400),
        ("hf_gated", string("false"), 201),
        ("hf_gated", string(""), 201),
        ("hf_gated", flag(false), 201),
        ("hf_private", string("true"), 400),
        ("hf_private", flag(true), 400),
        ("hf_private", flag(false), 201),
    ];
    for (number, (mark, value, status)) in cases.into_iter().enumerate() {
        let body = json!({"name": format!("v{number}"), "registeredModelId": model, "customProperties": {mark: value}});
        let version = api.create("model_versions", body).await;
        let served =
            api.post(&format!("inference_services/{service}/serves"), json!({"modelVersionId": version})).await;
        assert_eq!(served.status, status, "{mark} {value}");
    }
}

async fn the_lists_of_serving_can_be_filtered(backend: Backend) {
    let Served { api, model, service } = served(backend).await;
    let version = api.create("model_versions", json!({"name": "v", "registeredModelId": model})).await;
    for state in ["RUNNING", "FAILED"] {
        let body = json!({"name": state, "modelVersionId": version, "lastKnownState": state});
        api.create(&format!("inference_services/{service}/serves"), body).await;
    }
    let lists = [
        (format!("inference_services/{service}/serves?filterQuery=lastKnownState%20=%20'FAILED'"), vec!["FAILED"]),
        (format!("inference_services?filterQuery=registeredModelId%20=%20{model}"), vec!["s"]),
        ("inference_services?filterQuery=desiredState%20=%20'UNDEPLOYED'".to_owned(), vec![]),
        ("serving_environments?filterQuery=name%20!=%20'e'".to_owned(), vec![]),
    ];
    for (path, names) in lists {
        assert_eq!(api.get(&path).await.names(), names, "{path}");
    }
}
