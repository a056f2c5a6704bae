//! Search over entities of every kind; the order of results is tested in the store.

use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Value, json};

use crate::support::Api;

on_each_database!(a_search_finds_entities_of_every_kind_with_their_parents, wrong_parameters_of_a_search_are_rejected);

async fn a_search_finds_entities_of_every_kind_with_their_parents(backend: Backend) {
    let api = Api::on(backend).await;
    let labels = json!({"finance": {"metadataType": "MetadataStringValue", "string_value": ""}});
    let model = json!({"name": "Fraud detector", "externalId": "ext-1", "customProperties": labels});
    let model = api.create("registered_models", model).await;
    let version = api.create("model_versions", json!({"name": "v1", "registeredModelId": model})).await;
    let weights = json!({"artifactType": "model-artifact", "name": "fraud weights", "uri": "s3://x"});
    let artifact = api.create(&format!("model_versions/{version}/artifacts"), weights).await;
    let environment = api.create("serving_environments", json!({"name": "fraud"})).await;
    let service = json!({"name": "s", "registeredModelId": model, "servingEnvironmentId": environment});
    let service = api.create("inference_services", service).await;
    api.create(
        &format!("inference_services/{service}/serves"),
        json!({"name": "fraud serve", "modelVersionId": version}),
    )
    .await;

    let found = api.get("search?q=fraud").await.json();
    let brief = |item: &Value| {
        let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
        let parents =
            item["parents"].as_array().unwrap().iter().map(|parent| parent["name"].as_str().unwrap().to_owned());
        (text("kind"), text("name"), text("match"), parents.collect::<Vec<_>>().join("/"))
    };
    let expected = [
        ("serving_environment", "fraud", "exact", ""),
        ("registered_model", "Fraud detector", "prefix", ""),
        ("serve_model", "fraud serve", "prefix", "fraud/s"),
        ("model_artifact", "fraud weights", "prefix", "Fraud detector/v1"),
    ];
    let items: Vec<_> = found["items"].as_array().unwrap().iter().map(brief).collect();
    let items: Vec<_> = items.iter().map(|(a, b, c, d)| (a.as_str(), b.as_str(), c.as_str(), d.as_str())).collect();
    assert_eq!(items, expected);
    assert_eq!((&found["size"], &found["pageSize"], &found["hasMore"]), (&json!(4), &json!(20), &json!(false)));
    let labelled = api.get("search?q=Finance&kinds=registered_model,experiment").await.json();
    assert_eq!(
        labelled["items"],
        json!([{"kind": "registered_model", "id": model, "name": "Fraud detector", "externalId": "ext-1", "state": "LIVE",
                "match": "exact", "field": "label", "label": "finance", "parents": []}])
    );
    let by_id = api.get(&format!("search?q={artifact}&pageSize=1")).await.json();
    assert_eq!(by_id["items"][0]["field"], "id");
    let first = api.get("search?q=fraud&pageSize=1").await.json();
    assert_eq!((&first["size"], &first["hasMore"]), (&json!(1), &json!(true)));
    let (statements, _) = api.statements(api.get("search?q=detect")).await;
    assert!(statements <= 5, "{statements} on {backend}");
    // v1 has no experiments.
    api.create("experiments", json!({"name": "fraud experiment"})).await;
    let v1 = api.get("/api/model_registry/v1/search?q=fraud+experiment").await.json();
    assert_eq!(v1["items"], json!([]));
    assert_eq!(api.get("search?q=fraud+experiment").await.json()["size"], 1);
}

async fn wrong_parameters_of_a_search_are_rejected(backend: Backend) {
    let api = Api::on(backend).await;
    for (query, expected) in [
        (String::new(), "`q` is missing"),
        ("q=+".to_owned(), "`q` is missing"),
        (format!("q={}", "x".repeat(256)), "`q` has more than 255 characters"),
        ("q=a&kinds=model".to_owned(), "invalid kind `model` in `kinds`: use registered_model, model_version"),
        ("q=a&kinds=metric_point".to_owned(), "invalid kind `metric_point`"),
        ("q=a&pageSize=0".to_owned(), "invalid pageSize `0`: use a number from 1 to 100"),
        ("q=a&pageSize=many".to_owned(), "invalid pageSize `many`"),
    ] {
        let response = api.get(&format!("search?{query}")).await;
        assert_eq!(response.status, 400, "{query}");
        assert!(response.message().starts_with(expected), "{query}: {}", response.message());
    }
    assert_eq!(api.get(&format!("search?q={}&pageSize=100000", "x".repeat(255))).await.status, 200);
    api.create("experiments", json!({"name": "a"})).await;
    assert_eq!(api.get("search?q=a&kinds=experiment").await.json()["size"], 1);
    assert_eq!(api.get("/api/model_registry/v1/search?q=a&kinds=experiment").await.json()["size"], 0, "not in v1");
}
