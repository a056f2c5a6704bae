//! Searches on every database.

use model_registry_api::Kind;
use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use super::*;
use crate::record::Record;
use crate::test_support::{TestStore, author_at, document};

on_each_database!(
    a_search_finds_ids_names_external_ids_and_labels_in_the_order_of_their_ranks,
    letters_of_every_alphabet_and_wildcards_are_found,
    a_search_costs_a_constant_number_of_statements
);

async fn create(store: &TestStore, kind: Kind, parent: Option<i64>, body: serde_json::Value) -> Record {
    let mut tx = store.database().unwrap().begin().await.unwrap();
    let record = tx.create(kind, parent, document(body), &author_at(7)).await.unwrap();
    tx.commit().await.unwrap();
    record
}

fn label() -> serde_json::Value {
    json!({"metadataType": "MetadataStringValue", "string_value": ""})
}

async fn search(store: &TestStore, text: &str) -> Vec<String> {
    let request = SearchRequest { text, kinds: &Kind::ALL, limit: 20 };
    let results = store.search(&request).await.unwrap();
    assert!(!results.has_more);
    let parents = |hit: &Hit| hit.parents.iter().flat_map(|parent| [parent.name.as_str(), "/"]).collect::<String>();
    results
        .hits
        .iter()
        .map(|hit| {
            format!("{} {}{}: {} {}", hit.kind.name(), parents(hit), hit.name, hit.rank.name(), hit.field.name())
        })
        .collect()
}

async fn a_search_finds_ids_names_external_ids_and_labels_in_the_order_of_their_ranks(backend: Backend) {
    let store = TestStore::new(backend).await;
    let fraud = create(&store, Kind::RegisteredModel, None, json!({"name": "fraud", "externalId": "ext-77"})).await;
    create(&store, Kind::RegisteredModel, None, json!({"name": "Fraud-Detector"})).await;
    create(&store, Kind::RegisteredModel, None, json!({"name": "antifraud"})).await;
    create(&store, Kind::Experiment, None, json!({"name": "tune fraud"})).await;
    let labels =
        json!({"fraud-free": label(), "not-a-label": {"metadataType": "MetadataStringValue", "string_value": "x"}});
    create(&store, Kind::RegisteredModel, None, json!({"name": "spam", "customProperties": labels})).await;
    let version = create(&store, Kind::ModelVersion, Some(fraud.id), json!({"name": "v1"})).await;
    create(&store, Kind::ModelArtifact, Some(version.id), json!({"name": "fraud weights"})).await;
    assert_eq!(
        search(&store, "fraud").await,
        [
            "registered_model fraud: exact name",
            "registered_model Fraud-Detector: prefix name",
            "model_artifact fraud/v1/fraud weights: prefix name",
            "registered_model spam: prefix label",
            "experiment tune fraud: word name",
            "registered_model antifraud: substring name",
        ]
    );
    assert_eq!(search(&store, "FRAUD-detector").await, ["registered_model Fraud-Detector: exact name"]);
    assert_eq!(search(&store, "fraud/v").await, ["model_version fraud/v1: prefix name"]);
    assert_eq!(search(&store, "ext-7").await, ["registered_model fraud: prefix externalId"]);
    assert_eq!(search(&store, &version.id.to_string()).await[0], "model_version fraud/v1: exact id");
    assert_eq!(search(&store, "not-a-label").await, [""; 0]);
    assert_eq!(search(&store, "nothing of the kind").await, [""; 0]);
    let request = SearchRequest { text: "fraud", kinds: &[Kind::Experiment, Kind::ModelArtifact], limit: 1 };
    let results = store.search(&request).await.unwrap();
    assert_eq!((results.hits[0].name.as_str(), results.has_more), ("fraud weights", true));
}

async fn letters_of_every_alphabet_and_wildcards_are_found(backend: Backend) {
    let store = TestStore::new(backend).await;
    for name in ["Le Grand ÉTÉ", "50%_off", "50 percent off", "ab", "a'b\\c"] {
        create(&store, Kind::RegisteredModel, None, json!({"name": name})).await;
    }
    assert_eq!(search(&store, "été").await, ["registered_model Le Grand ÉTÉ: word name"]);
    assert_eq!(search(&store, "50%_").await, ["registered_model 50%_off: prefix name"]);
    assert_eq!(search(&store, "%_o").await, ["registered_model 50%_off: substring name"]);
    assert_eq!(search(&store, "'b\\").await, ["registered_model a'b\\c: substring name"]);
    // One character is found at the beginning only.
    assert_eq!(search(&store, "b").await, [""; 0]);
    assert_eq!(search(&store, " ").await, [""; 0]);
}

async fn a_search_costs_a_constant_number_of_statements(backend: Backend) {
    let store = TestStore::new(backend).await;
    for number in 0..30 {
        let labels = json!({format!("model-label-{number}"): label()});
        let body = json!({"name": format!("model-{number}"), "customProperties": labels});
        create(&store, Kind::RegisteredModel, None, body).await;
    }
    for text in ["model", "odel", "model-7", "none"] {
        let database = store.database().unwrap();
        let before = database.statements();
        let request = SearchRequest { text, kinds: &Kind::ALL, limit: 10 };
        let results = store.search(&request).await.unwrap();
        let statements = database.statements() - before;
        assert!(statements <= 5, "{text}: {statements} statements on {backend}");
        assert_eq!(results.has_more, ["model", "odel"].contains(&text), "{text}");
        assert!(results.hits.len() <= 10);
    }
}
