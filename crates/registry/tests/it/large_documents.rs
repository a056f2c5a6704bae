//! Entities whose documents are too large to be read together with others.

use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use crate::support::Api;

on_each_database!(
    a_page_of_large_entities_is_shorter_and_its_token_leads_to_the_rest,
    large_entities_are_found_by_id_name_and_external_id,
    large_entities_are_updated_and_referred_to_by_many_at_once,
    a_large_response_is_repeated_for_its_idempotency_key,
    a_body_with_far_more_values_than_text_is_rejected
);

const MEBIBYTE: usize = 1 << 20;

/// Creates a model with a description of this length.
async fn model(api: &Api, number: usize, description: usize) -> String {
    let body = json!({
        "name": format!("m{number}"), "externalId": format!("e{number}"), "description": "x".repeat(description),
        "customProperties": {"stage": {"metadataType": "MetadataStringValue", "string_value": "large"}},
    });
    api.create("registered_models", body).await
}

async fn a_page_of_large_entities_is_shorter_and_its_token_leads_to_the_rest(backend: Backend) {
    let api = Api::on(backend).await;
    // Small ones, some that fit on a page together, one that is larger than a page.
    let sizes = [10, 3 * MEBIBYTE / 2, 10, 3 * MEBIBYTE / 2, 3 * MEBIBYTE / 2, 10, 5 * MEBIBYTE, 10, 100_000, 10];
    for (number, size) in sizes.into_iter().enumerate() {
        model(&api, number, size).await;
    }
    let expected: Vec<String> = (0..sizes.len()).map(|number| format!("m{number}")).collect();
    for (query, direction) in [("", "ASC"), ("orderBy=CREATE_TIME", "DESC"), ("filterQuery=stage%3D'large'", "ASC")] {
        let (mut names, mut pages, mut token) = (Vec::new(), 0, String::new());
        loop {
            let path = format!("registered_models?{query}&sortOrder={direction}&pageSize=100&nextPageToken={token}");
            let page = api.get(&path).await;
            assert_eq!(page.status, 200, "{}", page.message());
            let body = page.json();
            let items = body["items"].as_array().unwrap();
            let whole = items.iter().all(|item| {
                let number: usize = item["name"].as_str().unwrap()[1..].parse().unwrap();
                item["description"].as_str().unwrap().len() == sizes[number]
            });
            assert!(whole && items.len() == body["size"], "{query}");
            assert!(page.bytes.len() < 4 * MEBIBYTE + 8192 || items.len() == 1, "{query}: {}", page.bytes.len());
            names.extend(page.names());
            pages += 1;
            body["nextPageToken"].as_str().unwrap().clone_into(&mut token);
            if token.is_empty() {
                break;
            }
        }
        if direction == "DESC" {
            names.reverse();
        }
        assert_eq!(names, expected, "{query}");
        assert!((3..=5).contains(&pages), "{query}: {pages}");
    }
    // A page has at most the requested number of items.
    let page = api.get("registered_models?pageSize=2").await;
    assert_eq!(page.names(), ["m0", "m1"]);
}

async fn large_entities_are_found_by_id_name_and_external_id(backend: Backend) {
    let api = Api::on(backend).await;
    let id = model(&api, 1, 2 * MEBIBYTE).await;
    model(&api, 2, 10).await;
    for path in [
        format!("registered_models/{id}"),
        "registered_model?name=m1".to_owned(),
        "registered_model?externalId=e1".to_owned(),
    ] {
        let found = api.get(&path).await;
        assert_eq!((found.status, found.json()["description"].as_str().unwrap().len()), (200, 2 * MEBIBYTE), "{path}");
        assert_eq!(found.id(), id);
    }
    assert_eq!(api.get(&format!("model_versions/{id}")).await.status, 404);
    let changed = api.patch(&format!("registered_models/{id}"), json!({"owner": "ada"})).await;
    assert_eq!((changed.status, changed.json()["description"].as_str().unwrap().len()), (200, 2 * MEBIBYTE));
    assert_eq!(api.store.memory().used(), 0);
}

async fn large_entities_are_updated_and_referred_to_by_many_at_once(backend: Backend) {
    let api = Api::on(backend).await;
    let id = model(&api, 1, 2 * MEBIBYTE).await;
    let experiment = api.create("experiments", json!({"name": "e"})).await;
    let run = json!({"name": "r", "experimentId": experiment, "description": "x".repeat(MEBIBYTE)});
    let run = api.create("experiment_runs", run).await;
    // More than the memory of updates holds at the same time.
    let writes = (0..12).map(|number| {
        let (api, id, run) = (&api, &id, &run);
        async move {
            let owner = api.patch(&format!("registered_models/{id}"), json!({"owner": format!("o{number}")})).await;
            let version = json!({"name": format!("v{number}"), "registeredModelId": id});
            let version = api.post("model_versions", version).await;
            let metric = json!({"artifactType": "metric", "name": "loss", "value": 0.5, "step": number});
            let metric = api.post(&format!("experiment_runs/{run}/artifacts"), metric).await;
            let registration =
                json!({"registeredModel": {"name": "m1"}, "modelVersion": {"name": format!("w{number}")}});
            let registered = api.post("registered_models:register", registration).await;
            [owner.status, version.status, metric.status, registered.status]
        }
    });
    for statuses in futures::future::join_all(writes).await {
        assert_eq!(statuses[..2], [200, 201]);
        assert!([200, 201].contains(&statuses[2]), "{statuses:?}");
        assert_eq!(statuses[3], 201);
    }
    let model = api.get(&format!("registered_models/{id}")).await.json();
    assert_eq!(model["description"].as_str().unwrap().len(), 2 * MEBIBYTE);
    assert!(model["owner"].as_str().unwrap().starts_with('o'));
    let versions = api.get(&format!("registered_models/{id}/versions?pageSize=100")).await;
    assert_eq!(versions.names().len(), 24);
    let history = api.get(&format!("experiment_runs/{run}/metric_history?name=loss&pageSize=100")).await;
    assert_eq!(history.names().len(), 12);
}

async fn a_large_response_is_repeated_for_its_idempotency_key(backend: Backend) {
    let api = Api::on(backend).await;
    let body = json!({"name": "m", "description": "x".repeat(MEBIBYTE)});
    let key = [("idempotency-key", "k")];
    let first = api.call("POST", "registered_models", &key, Some(body.clone())).await;
    let again = api.call("POST", "registered_models", &key, Some(body)).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert!(first.bytes == again.bytes);
    let other = api.call("POST", "registered_models", &key, Some(json!({"name": "other"}))).await;
    assert_eq!(other.status, 422);
}

async fn a_body_with_far_more_values_than_text_is_rejected(backend: Backend) {
    let api = Api::on(backend).await;
    let ones = vec![1; 1_000_000];
    let response = api.post("registered_models", json!({"name": "m", "customProperties": {"p": ones}})).await;
    assert_eq!(response.status, 400);
    assert!(response.message().contains("too many small values for its size"), "{}", response.message());
}
