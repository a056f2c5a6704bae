//! Lists in the order of values are those of a full sort in memory, however they are read.

use model_registry_api::{Kind, OrderBy, SortOrder};
use model_registry_filter::evaluate::{Entity, evaluate};
use model_registry_filter::{Value, parse};
use model_registry_testkit::{Backend, on_each_database};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::super::plan::sample::{sample_store, text, versions};
use super::super::tests::MODELS;
use super::*;
use crate::filter_names::resolve_filter_name;
use crate::store::Store;
use crate::test_support::{TestStore, author_at, document, seeded};

on_each_database!(
    random_orders_are_those_of_a_full_sort,
    strings_with_the_same_beginning_are_ordered_by_id,
    numbers_strings_and_booleans_of_one_name_are_in_one_order,
    values_are_read_from_the_indexes_that_have_their_order,
    a_page_costs_a_constant_number_of_statements,
    an_order_without_an_index_is_refused_for_too_many_entities
);

const KINDS: [Kind; 1] = [Kind::ModelVersion];

fn request() -> ListRequest<'static> {
    ListRequest { kinds: &KINDS, prefix: "[", ..MODELS }
}

/// Limits that make each way to read the list the only one possible, and some that mix them.
const LIMITS: [PlanLimits; 5] = [
    PlanLimits { few: 4_000, window: 2_000, many: 50_000, budget: 250_000 },
    PlanLimits { few: 0, window: 0, many: 0, budget: 250_000 },
    PlanLimits { few: 0, window: 0, many: 50_000, budget: 250_000 },
    PlanLimits { few: 0, window: 100, many: 500, budget: 250_000 },
    PlanLimits { few: 60, window: 30, many: 900, budget: 250_000 },
];

/// Orders with few, many, equal and missing values.
pub(in crate::list) const ORDERS: [&str; 14] = [
    "accuracy",
    "accuracy.double_value",
    "accuracy.int_value",
    "batch",
    "batch.int_value",
    "commit",
    "stage.string_value",
    "rare",
    "late",
    "flag",
    "name",
    "registeredModelId",
    "state",
    "missing.string_value",
];

pub(in crate::list) const FILTERS: [&str; 9] = [
    "stage = 'common'",
    "stage = 'other' AND batch = 3",
    "accuracy > 0.97",
    "accuracy < 0.5 OR batch = 1",
    "commit LIKE 'c12%'",
    "commit LIKE '%99%'",
    "NOT stage = 'common'",
    "flag IS NOT NULL",
    "missing IS NOT NULL",
];

fn pick<S: Strategy>(runner: &mut TestRunner, strategy: S) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

/// The value of a version for an order, in another way than the lists find it.
pub(in crate::list) fn key(version: &Entity, order: &str) -> Key {
    let column = match order {
        "name" => Some("name"),
        "registeredModelId" => Some("parent_id"),
        "state" => Some("state"),
        _ => None,
    };
    let (name, suffix) = order.split_once('.').map_or((order, None), |(name, suffix)| (name, Some(suffix)));
    let value = match column {
        Some(column) => version.columns.get(column),
        None => version.properties.iter().find(|property| property.name == name).and_then(|found| found.value.as_ref()),
    };
    match (value, suffix) {
        (Some(Value::Int(value)), None | Some("int_value")) => Key::Int(*value),
        (Some(Value::Double(value)), None | Some("double_value")) => Key::Double(*value),
        (Some(Value::String(value)), None | Some("string_value")) => Key::String(value.clone()),
        (Some(Value::Bool(value)), None | Some("bool_value")) => Key::Bool(*value),
        _ => Key::Absent,
    }
}

/// The ids on all pages, or the first so many.
pub(in crate::list) async fn ids(store: &Store, request: &ListRequest<'_>, most: usize) -> Vec<i64> {
    let (mut ids, mut token) = (Vec::new(), String::new());
    loop {
        let page_token = Some(token.as_str()).filter(|token| !token.is_empty());
        let page = store.list(&ListRequest { page_token, ..request.clone() }).await.unwrap();
        let items: serde_json::Value = serde_json::from_str(&format!("{}]", page.items)).unwrap();
        ids.extend(items.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().parse::<i64>().unwrap()));
        token = page.next_page_token;
        if token.is_empty() || ids.len() >= most {
            return ids;
        }
    }
}

async fn random_orders_are_those_of_a_full_sort(backend: Backend) {
    let (sample, _connection) = sample_store(backend).await;
    let versions = versions();
    let mut runner = TestRunner::new(seeded());
    for order in ORDERS {
        for sort_order in [SortOrder::Ascending, SortOrder::Descending] {
            let filters = [None, Some(pick(&mut runner, proptest::sample::select(FILTERS.to_vec())))];
            for filter in filters {
                let expression = filter.map(|filter| parse(filter).unwrap().unwrap());
                let matches = |version: &Entity| {
                    let resolve = |name: &str| resolve_filter_name(&KINDS, name);
                    expression.as_ref().is_none_or(|filter| evaluate(filter, version, &resolve).unwrap())
                };
                let matching = versions.iter().zip(1_i64..).filter(|(version, _)| matches(version));
                let mut places: Vec<Place> =
                    matching.map(|(version, id)| Place { key: key(version, order), id }).collect();
                places.sort_by(|one, other| one.compare(other, sort_order));
                let limits = pick(&mut runner, proptest::sample::select(LIMITS.to_vec()));
                let page_size = pick(&mut runner, proptest::sample::select(vec![7_u32, 100, 1_000, 4_000]));
                let store = sample.store().clone().with_plan_limits(limits);
                let request = ListRequest { filter, value: Some(order), sort_order, page_size, ..request() };
                let found = ids(&store, &request, 3 * page_size as usize).await;
                let mut expected: Vec<i64> = places.iter().map(|place| place.id).collect();
                if found.len() >= 3 * page_size as usize {
                    expected.truncate(found.len());
                }
                assert_eq!(found, expected, "{order} {sort_order:?} {filter:?} by {page_size} with {limits:?}");
            }
        }
    }
}

async fn create(store: &TestStore, name: &str, custom: serde_json::Value) {
    let version = document(json!({"name": name, "customProperties": custom}));
    let mut tx = store.database().unwrap().begin().await.unwrap();
    tx.create(Kind::ModelVersion, Some(1), version, &author_at(1)).await.unwrap();
    tx.commit().await.unwrap();
}

fn string(value: &str) -> serde_json::Value {
    json!({"metadataType": "MetadataStringValue", "string_value": value})
}

async fn strings_with_the_same_beginning_are_ordered_by_id(backend: Backend) {
    let store = TestStore::new(backend).await;
    let long = "x".repeat(KEY_CHARACTERS_IN_TESTS);
    // The order of the whole strings is another one.
    let notes: Vec<String> = ["c", "b", "", "a", "é"].map(|end| format!("{long}{end}")).into();
    for (number, note) in notes.iter().enumerate() {
        create(&store, &format!("v{number}"), json!({"note": string(note)})).await;
    }
    for (number, note) in ["w", "x", "y", &long[1..]].iter().enumerate() {
        create(&store, &format!("w{number}"), json!({"note": string(note)})).await;
    }
    let ascending = [6, 7, 9, 1, 2, 3, 4, 5, 8];
    for page_size in 1..=6 {
        let list = ListRequest { value: Some("note"), page_size, ..request() };
        assert_eq!(ids(store.store(), &list, 100).await, ascending, "by {page_size}");
        let mut descending = ascending;
        descending.reverse();
        let list = ListRequest { sort_order: SortOrder::Descending, ..list };
        assert_eq!(ids(store.store(), &list, 100).await, descending, "descending by {page_size}");
    }
}

const KEY_CHARACTERS_IN_TESTS: usize = super::super::order_key::KEY_CHARACTERS;

async fn numbers_strings_and_booleans_of_one_name_are_in_one_order(backend: Backend) {
    let store = TestStore::new(backend).await;
    let int = |value: &str| json!({"metadataType": "MetadataIntValue", "int_value": value});
    let double = |value: serde_json::Value| json!({"metadataType": "MetadataDoubleValue", "double_value": value});
    let boolean = |value: bool| json!({"metadataType": "MetadataBoolValue", "bool_value": value});
    for (number, value) in [
        double(json!(2.5)),
        int("9007199254740993"),
        double(json!(9_007_199_254_740_992.0)),
        string("10"),
        boolean(true),
        double(json!("NaN")),
        int("2"),
        double(json!("-Infinity")),
        boolean(false),
        double(json!("Infinity")),
        double(json!(2.0)),
        string("1"),
        int("-9223372036854775808"),
    ]
    .into_iter()
    .enumerate()
    {
        create(&store, &format!("v{number}"), json!({"mixed": value})).await;
    }
    create(&store, "none", json!({})).await;
    for page_size in [1, 2, 3, 100] {
        let list = ListRequest { value: Some("mixed"), page_size, ..request() };
        let ascending = [8, 13, 7, 11, 1, 3, 2, 10, 12, 4, 9, 5, 6, 14];
        assert_eq!(ids(store.store(), &list, 100).await, ascending, "by {page_size}");
        let list = ListRequest { sort_order: SortOrder::Descending, ..list };
        let descending = [5, 9, 4, 12, 10, 2, 3, 1, 11, 7, 13, 8, 14, 6];
        assert_eq!(ids(store.store(), &list, 100).await, descending, "descending by {page_size}");
        let list = ListRequest { value: Some("mixed.double_value"), sort_order: SortOrder::Ascending, ..list };
        let doubles = [8, 11, 1, 3, 10, 2, 4, 5, 6, 7, 9, 12, 13, 14];
        assert_eq!(ids(store.store(), &list, 100).await, doubles, "doubles by {page_size}");
    }
}

async fn values_are_read_from_the_indexes_that_have_their_order(backend: Backend) {
    let (store, mut connection) = sample_store(backend).await;
    let dialect = store.database().unwrap().dialect();
    let is_partial = matches!(backend, Backend::Sqlite | Backend::Postgres);
    for (order, index) in [
        ("accuracy.double_value", "property_double"),
        ("batch.int_value", "property_int"),
        ("commit.string_value", "property_string"),
        ("flag.bool_value", if is_partial { "property_bool" } else { "property_name" }),
        ("name", "resource_kind_name"),
        ("registeredModelId", "resource_parent"),
        ("state", "resource_state"),
    ] {
        for sort_order in [SortOrder::Ascending, SortOrder::Descending] {
            let request = ListRequest { value: Some(order), sort_order, ..request() };
            let order = ValueOrder::resolve(&KINDS, order).unwrap();
            let values = Values { request: &request, order: &order, dialect };
            let sql = text(&values.after(None, 101).unwrap(), dialect);
            let plan = connection.explain(&sql).await;
            // The sample has so few booleans and states that PostgreSQL may sort them.
            let is_common = !matches!(index, "property_bool" | "resource_state");
            assert!(plan.contains(index) || !is_common, "{order:?} on {backend}: {sql}\n{plan}");
            let is_sorted = ["TEMP B-TREE", "Sort", "filesort"].into_iter().any(|step| plan.contains(step));
            assert!(!is_sorted || !is_common, "{order:?} on {backend}: {sql}\n{plan}");
        }
    }
}

async fn a_page_costs_a_constant_number_of_statements(backend: Backend) {
    let (store, _connection) = sample_store(backend).await;
    let database = store.database().unwrap();
    for (order, page_size, expected) in [
        // The places and the entities.
        ("accuracy.double_value", 10, 2),
        ("accuracy.double_value", 500, 2),
        ("name", 100, 2),
        // Whether the property exists.
        ("accuracy", 100, 3),
    ] {
        let before = database.statements();
        let list = ListRequest { value: Some(order), page_size, ..request() };
        assert_eq!(store.store().list(&list).await.unwrap().size, page_size as usize);
        assert_eq!(database.statements() - before, expected, "{order} by {page_size} on {backend}");
    }
    // The keys of every list are those of the entities.
    for order in ["id", "createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"] {
        let before = database.statements();
        store.store().list(&ListRequest { value: Some(order), page_size: 100, ..request() }).await.unwrap();
        assert_eq!(database.statements() - before, 1, "{order}");
    }
    let by_time = ListRequest { order_by: OrderBy::CreateTime, page_size: 50, ..request() };
    let named = ListRequest { order_by: OrderBy::Id, value: Some("createTimeSinceEpoch"), ..by_time.clone() };
    assert_eq!(ids(store.store(), &by_time, 100).await, ids(store.store(), &named, 100).await);
}

async fn an_order_without_an_index_is_refused_for_too_many_entities(backend: Backend) {
    let store = TestStore::new(backend).await;
    for number in 0..4 {
        let metric = json!({"artifactType": "metric", "name": format!("m{number}"), "value": 1.5, "timestamp": number.to_string()});
        let mut tx = store.database().unwrap().begin().await.unwrap();
        tx.create(Kind::Metric, None, document(metric), &author_at(1)).await.unwrap();
        tx.commit().await.unwrap();
    }
    let list = ListRequest {
        kinds: &[Kind::Metric],
        value: Some("timestamp"),
        sort_order: SortOrder::Descending,
        page_size: 2,
        ..request()
    };
    assert_eq!(ids(store.store(), &list, 100).await, [4, 3, 2, 1]);
    let limits = PlanLimits { few: 0, window: 0, many: 0, budget: 3 };
    let error = store.store().clone().with_plan_limits(limits).list(&list).await.unwrap_err().to_string();
    assert!(error.starts_with("invalid orderBy `timestamp`: no index has this order"), "{error}");
}
