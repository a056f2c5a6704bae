//! `explain=true`: administrators see how a list is read.

use model_registry_server::auth::Role;
use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use crate::support::entities::Entities;
use crate::support::{Api, encoded};

on_each_database!(
    only_administrators_may_explain_a_list,
    an_explanation_has_the_plan_the_ranges_and_the_statements,
    every_list_is_explained
);

async fn only_administrators_may_explain_a_list(backend: Backend) {
    let api = Api::on(backend).await;
    for role in [Role::Reader, Role::Writer] {
        let response = api.for_role(role).get("registered_models?explain=true").await;
        assert_eq!(response.status, 403, "{role:?}");
        assert_eq!(response.message(), "`anonymous` lacks the right `administer` in workspace `default`");
        let list = api.for_role(role).get("registered_models?explain=false").await;
        assert_eq!((list.status, list.json()["size"].clone()), (200, json!(0)), "{role:?}");
    }
    // Without rights of callers nothing is shown.
    assert_eq!(api.get("registered_models?explain=true").await.status, 403);
    assert_eq!(api.for_role(Role::Admin).get("registered_models?explain=true").await.status, 200);
}

async fn an_explanation_has_the_plan_the_ranges_and_the_statements(backend: Backend) {
    let api = Api::on(backend).await.for_role(Role::Admin);
    for name in ["fraud", "spam", "churn"] {
        let score = json!({"metadataType": "MetadataDoubleValue", "double_value": 0.5});
        api.create("registered_models", json!({"name": name, "customProperties": {"score": score}})).await;
    }
    let by_id = api.get("registered_models?pageSize=2&explain=true").await.json();
    assert_eq!(by_id["plan"], json!(["walk in the order of the list"]));
    assert_eq!((&by_id["size"], &by_id["hasMore"]), (&json!(2), &json!(true)));
    assert_eq!(by_id["statements"].as_array().unwrap().len(), 1);
    assert_eq!(by_id["statements"][0]["rows"], 3);
    assert!(by_id["statements"][0]["milliseconds"].is_number());
    assert!(by_id.get("items").is_none());

    let filter = encoded("score > 0.25 AND name = 'fraud'");
    let filtered = api.get(&format!("registered_models?explain=true&filterQuery={filter}")).await;
    let explanation = filtered.json();
    assert!(explanation["plan"][0].as_str().unwrap().starts_with("candidates: "), "{explanation}");
    assert!(explanation["ranges"].as_array().unwrap().iter().any(|range| range["entries"] == 1), "{explanation}");
    let text = String::from_utf8(filtered.bytes).unwrap();
    assert!(!text.contains("fraud"), "values are placeholders: {text}");

    let ordered = api.get("registered_models?explain=true&orderBy=score.double_value").await.json();
    assert!(ordered["plan"][0].as_str().unwrap().starts_with("walk in the order of the values"), "{ordered}");
    let wrong = api.get("registered_models?explain=true&filterQuery=name%20%3D").await;
    assert_eq!(wrong.status, 400);
}

async fn every_list_is_explained(backend: Backend) {
    let api = Api::on(backend).await.for_role(Role::Admin);
    let entities = Entities::create(&api).await;
    let mut lists: Vec<String> = entities.creations().into_iter().map(|creation| creation.path).collect();
    lists.push("experiment_runs/metric_history".to_owned());
    for list in lists {
        let explanation = api.get(&format!("{list}?explain=true")).await.json();
        assert!(!explanation["plan"].as_array().unwrap().is_empty(), "{list}: {explanation}");
        assert!(!explanation["statements"].as_array().unwrap().is_empty(), "{list}: {explanation}");
    }
}
