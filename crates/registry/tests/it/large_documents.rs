//! Entities whose documents are too large to be read together with others.

use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use crate::support::Api;

on_each_database!(
    a_page_of_large_entities_is_shorter_and_its_token_leads_to_the_rest,
    large_entities_are_found_by_id_name_and_external_id,
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

async fn a_body_with_far_more_values_than_text_is_rejected(backend: Backend) {
    let api = Api::on(backend).await;
    let ones = vec![1; 1_000_000];
    let response = api.post("registered_models", json!({"name": "m", "customProperties": {"p": ones}})).await;
    assert_eq!(response.status, 400);
    assert!(response.message().contains("too many small values for its size"), "{}", response.message());
}
