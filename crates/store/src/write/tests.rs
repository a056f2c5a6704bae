use model_registry_testkit::{Backend, on_each_database};
use sea_query::{Expr, ExprTrait, Order, Query};
use serde_json::{Value, json};

use super::*;
use crate::error::{StoreError, UniqueField};
use crate::test_support::{TestStore, author_at, document};

on_each_database!(
    creating_writes_the_row_its_properties_and_a_change,
    an_update_of_a_stale_revision_changes_nothing,
    updating_writes_only_changed_properties,
    a_name_is_unique_within_its_kind_and_parent,
    an_external_id_is_unique_and_an_empty_one_is_none,
    several_creations_share_their_properties_and_changes,
    a_dropped_transaction_leaves_nothing,
    logging_a_metric_replaces_its_value_and_extends_its_history,
    attaching_an_artifact_twice_changes_nothing,
    thousands_of_properties_are_written
);

fn model(name: &str, custom: &Value) -> Document {
    document(json!({"name": name, "state": "LIVE", "owner": "ada", "customProperties": custom}))
}

fn string(value: &str) -> Value {
    json!({"metadataType": "MetadataStringValue", "string_value": value})
}

fn int(value: i64) -> Value {
    json!({"metadataType": "MetadataIntValue", "int_value": value.to_string()})
}

async fn begin(store: &TestStore) -> Transaction {
    store.database().unwrap().begin().await.unwrap()
}

/// Creates a model in a transaction of its own.
async fn create_model(store: &TestStore, name: &str, custom: &Value) -> Record {
    let mut tx = begin(store).await;
    let record = tx.create(Kind::RegisteredModel, None, model(name, custom), &author_at(7)).await.unwrap();
    tx.commit().await.unwrap();
    record
}

type PropertyRowRead = (String, bool, Option<String>, Option<i64>, i64);

/// Name, custom, string, integer and Bloom filter of every property of an owner.
async fn properties(store: &TestStore, kind: Kind, owner_id: i64) -> Vec<PropertyRowRead> {
    let mut select = Query::select();
    select
        .columns(["name", "custom", "string_value", "int_value", "signature"])
        .from("property")
        .and_where(Expr::col("kind").eq(kind.code()))
        .and_where(Expr::col("owner_id").eq(owner_id))
        .order_by("name", Order::Asc);
    store.database().unwrap().fetch_all(&select).await.unwrap()
}

/// Kind, id, verb, revision and actor of every change.
async fn changes(store: &TestStore) -> Vec<(i16, i64, String, i64, Option<String>)> {
    let mut select = Query::select();
    select.columns(["kind", "entity_id", "verb", "revision", "actor"]).from("change_log").order_by("id", Order::Asc);
    store.database().unwrap().fetch_all(&select).await.unwrap()
}

async fn creating_writes_the_row_its_properties_and_a_change(backend: Backend) {
    let store = TestStore::new(backend).await;
    let record = create_model(&store, "m", &json!({"stage": string("live"), "size": int(3)})).await;
    assert_eq!(record.revision, 1);
    let read = store.find_by_id(&[Kind::RegisteredModel], record.id).await.unwrap().unwrap();
    assert_eq!(read.document, record.document);
    let read = read.document().unwrap();
    assert_eq!(read.text("createTimeSinceEpoch"), Some("7"));
    assert_eq!(read.text("lastUpdateTimeSinceEpoch"), Some("7"));
    let rows = properties(&store, Kind::RegisteredModel, record.id).await;
    let filter = rows[0].4;
    assert_ne!(filter, 0);
    assert_eq!(
        rows,
        [
            ("owner".to_owned(), false, Some("ada".to_owned()), None, filter),
            ("size".to_owned(), true, None, Some(3), filter),
            ("stage".to_owned(), true, Some("live".to_owned()), None, filter),
        ]
    );
    let change = (Kind::RegisteredModel.code(), record.id, "create".to_owned(), 1, Some("ada".to_owned()));
    assert_eq!(changes(&store).await, [change]);
}

async fn an_update_of_a_stale_revision_changes_nothing(backend: Backend) {
    let store = TestStore::new(backend).await;
    let old = create_model(&store, "m", &json!({})).await;
    let mut tx = begin(&store).await;
    let new = tx.update(&old, model("m", &json!({"a": int(1)})), &author_at(8)).await.unwrap().unwrap();
    assert_eq!(new.revision, 2);
    assert!(tx.update(&old, model("m", &json!({"a": int(2)})), &author_at(9)).await.unwrap().is_none());
    tx.commit().await.unwrap();
    let rows = properties(&store, Kind::RegisteredModel, old.id).await;
    assert_eq!((rows[0].0.as_str(), rows[0].3), ("a", Some(1)));
    let verbs: Vec<_> = changes(&store).await.into_iter().map(|(_, _, verb, revision, _)| (verb, revision)).collect();
    assert_eq!(verbs, [("create".to_owned(), 1), ("update".to_owned(), 2)]);
}

async fn updating_writes_only_changed_properties(backend: Backend) {
    let store = TestStore::new(backend).await;
    let old = create_model(&store, "m", &json!({"a": int(1), "b": int(2), "c": string("x")})).await;
    let mut tx = begin(&store).await;
    let custom = json!({"a": int(1), "b": int(5)});
    let new = tx.update(&old, model("m", &custom), &author_at(8)).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let value = |rows: &[PropertyRowRead], name: &str| {
        let row = rows.iter().find(|row| row.0 == name);
        row.map(|row| (row.2.clone(), row.3))
    };
    let rows = properties(&store, Kind::RegisteredModel, old.id).await;
    assert_eq!(value(&rows, "a"), Some((None, Some(1))));
    assert_eq!(value(&rows, "b"), Some((None, Some(5))));
    assert_eq!(value(&rows, "c"), Some((None, None)), "overwritten with no value: a tombstone");
    // Only removals: the rows are deleted.
    let mut tx = begin(&store).await;
    tx.update(&new, model("m", &json!({"b": int(5)})), &author_at(9)).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let rows = properties(&store, Kind::RegisteredModel, old.id).await;
    assert_eq!(value(&rows, "a"), None);
    assert_eq!(value(&rows, "b"), Some((None, Some(5))));
}

async fn a_name_is_unique_within_its_kind_and_parent(backend: Backend) {
    let store = TestStore::new(backend).await;
    let model_id = create_model(&store, "m", &json!({})).await.id;
    let mut tx = begin(&store).await;
    let taken = tx.create(Kind::RegisteredModel, None, model("m", &json!({})), &author_at(8)).await;
    assert!(matches!(taken, Err(StoreError::Conflict(UniqueField::Name))), "{taken:?}");
    drop(tx);
    let mut tx = begin(&store).await;
    let other_kind = document(json!({"name": "m"}));
    tx.create(Kind::ServingEnvironment, None, other_kind.clone(), &author_at(8)).await.unwrap();
    tx.create(Kind::ModelVersion, Some(model_id), other_kind, &author_at(8)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn an_external_id_is_unique_and_an_empty_one_is_none(backend: Backend) {
    let store = TestStore::new(backend).await;
    let with_external_id = |name: &str, id: &str| document(json!({"name": name, "externalId": id}));
    let mut tx = begin(&store).await;
    for (name, id) in [("a", "x"), ("b", ""), ("c", "")] {
        tx.create(Kind::RegisteredModel, None, with_external_id(name, id), &author_at(8)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut tx = begin(&store).await;
    let taken = tx.create(Kind::RegisteredModel, None, with_external_id("d", "x"), &author_at(8)).await;
    assert!(matches!(taken, Err(StoreError::Conflict(UniqueField::ExternalId))), "{taken:?}");
}

async fn several_creations_share_their_properties_and_changes(backend: Backend) {
    let store = TestStore::new(backend).await;
    let statements = store.database().unwrap().statements();
    let mut tx = begin(&store).await;
    let mut pending = PendingRows::default();
    let author = author_at(7);
    let parent =
        tx.begin_create(Kind::RegisteredModel, None, model("m", &json!({})), &author, &mut pending).await.unwrap();
    let version = document(json!({"name": "v", "customProperties": {"a": int(1)}}));
    let child = tx.begin_create(Kind::ModelVersion, Some(parent.id), version, &author, &mut pending).await.unwrap();
    tx.finish_create(pending, &author).await.unwrap();
    tx.commit().await.unwrap();
    let shared = if backend == Backend::Postgres { 1 } else { 2 };
    assert_eq!(store.database().unwrap().statements() - statements, 2 + shared);
    assert_eq!(changes(&store).await.len(), 2);
    assert_eq!(properties(&store, Kind::ModelVersion, child.id).await.len(), 1);
}

async fn a_dropped_transaction_leaves_nothing(backend: Backend) {
    let store = TestStore::new(backend).await;
    let mut tx = begin(&store).await;
    let record = tx.create(Kind::RegisteredModel, None, model("m", &json!({})), &author_at(7)).await.unwrap();
    drop(tx);
    assert!(store.find_by_id(&[Kind::RegisteredModel], record.id).await.unwrap().is_none());
    assert_eq!(changes(&store).await, []);
    create_model(&store, "m", &json!({})).await;
}

async fn logging_a_metric_replaces_its_value_and_extends_its_history(backend: Backend) {
    let store = TestStore::new(backend).await;
    let metric = |value: f64, step: i64| document(json!({"name": "loss", "value": value, "step": step}));
    let mut tx = begin(&store).await;
    let experiment = tx.create(Kind::Experiment, None, document(json!({"name": "e"})), &author_at(7)).await.unwrap().id;
    let run = document(json!({"name": "r", "experimentId": experiment.to_string()}));
    let run = tx.create(Kind::ExperimentRun, Some(experiment), run, &author_at(7)).await.unwrap().id;
    let first = tx.log_metric(run, experiment, None, metric(0.5, 1), &author_at(8)).await.unwrap().unwrap();
    let second = tx.log_metric(run, experiment, Some(&first), metric(0.25, 2), &author_at(9)).await.unwrap().unwrap();
    assert_eq!((second.id, second.revision), (first.id, 2));
    let stale = tx.log_metric(run, experiment, Some(&first), metric(0.1, 3), &author_at(10)).await.unwrap();
    assert!(stale.is_none());
    tx.commit().await.unwrap();
    let mut select = Query::select();
    select.columns(["value", "step", "create_time"]).from("metric_point").order_by("id", Order::Asc);
    let points: Vec<(f64, Option<i64>, i64)> = store.database().unwrap().fetch_all(&select).await.unwrap();
    assert_eq!(points, [(0.5, Some(1), 8), (0.25, Some(2), 9)]);
    let read = store.find_by_id(&[Kind::Metric], first.id).await.unwrap().unwrap();
    assert_eq!(read.document().unwrap().0.get("value"), Some(&json!(0.25)));
}

async fn attaching_an_artifact_twice_changes_nothing(backend: Backend) {
    let store = TestStore::new(backend).await;
    let mut tx = begin(&store).await;
    tx.link_artifact(1, 2).await.unwrap();
    tx.link_artifact(1, 2).await.unwrap();
    tx.commit().await.unwrap();
    let mut select = Query::select();
    select.columns(["resource_id", "artifact_id"]).from("artifact_link");
    let links: Vec<(i64, i64)> = store.database().unwrap().fetch_all(&select).await.unwrap();
    assert_eq!(links, [(1, 2)]);
}

async fn thousands_of_properties_are_written(backend: Backend) {
    const COUNT: i64 = 6_000;
    let store = TestStore::new(backend).await;
    let custom = (0..COUNT).map(|number| (format!("p{number}"), int(number))).collect::<serde_json::Map<_, _>>();
    let record = create_model(&store, "m", &Value::Object(custom)).await;
    let stored = properties(&store, Kind::RegisteredModel, record.id).await.len();
    assert_eq!(i64::try_from(stored), Ok(COUNT + 1));
}
