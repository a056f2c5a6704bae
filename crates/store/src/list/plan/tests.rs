//! Every way to read a filtered list finds the rows that the evaluator finds, and each reads what its indexes hold.

use model_registry_api::{Kind, OrderBy, SortOrder};
use model_registry_filter::evaluate::evaluate;
use model_registry_filter::parse;
use model_registry_testkit::{Backend, on_each_database};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::sample::{VERSIONS, create_time, sample_store, text, update_time, versions};
use super::*;
use crate::dialect::Dialect;
use crate::filter_names::resolve_filter_name;
use crate::list::tests::MODELS;
use crate::store::Store;
use crate::test_support::{TestStore, author_at, document, seeded};

on_each_database!(
    every_plan_finds_the_entities_that_the_evaluator_finds,
    ranges_are_read_from_their_indexes,
    strings_are_sifted_in_their_index,
    long_and_foreign_strings_are_found_by_substrings,
    rare_matches_are_read_without_a_walk,
    a_walk_ends_with_its_budget
);

const KINDS: [Kind; 1] = [Kind::ModelVersion];

/// Comparisons of every shape, with few, many and no matches, spread or at the end of the list.
const COMPARISONS: [&str; 38] = [
    "stage = 'common'",
    "stage = 'other'",
    "stage != 'common'",
    "stage IN ('other', 'none')",
    "stage NOT IN ('other')",
    "stage LIKE 'com%'",
    "stage LIKE '%the%'",
    "stage ILIKE 'OTH%'",
    "stage IS NULL",
    "stage IS NOT NULL",
    "stage > 'common'",
    "accuracy > 0.97",
    "accuracy > 0.5",
    "accuracy BETWEEN 0.25 AND 0.26",
    "accuracy NOT BETWEEN 0.01 AND 0.9",
    "accuracy < 0.001",
    "accuracy = 0.5",
    "accuracy > 2",
    "batch = 3",
    "batch IN (1, 2, 3)",
    "batch < 1",
    "batch != 3",
    "commit LIKE 'c12%'",
    "commit LIKE 'c1_'",
    "commit LIKE '%99%'",
    "commit = 'c77'",
    "commit IN ('c1', 'c2', 'c3', 'c4000')",
    "rare = 'x'",
    "rare IS NOT NULL",
    "late > 3990",
    "late IS NOT NULL",
    "late.double_value > 3",
    "flag = true",
    "tag = 'b'",
    "tag != 'a'",
    "missing IS NULL",
    "missing IS NOT NULL",
    "missing > 5",
];

/// Comparisons with columns.
const COLUMNS: [&str; 6] = [
    "name LIKE 'v39%'",
    "name IN ('v1', 'v2', 'nothing')",
    "id > 3900",
    "createTimeSinceEpoch < 40",
    "registeredModelId = 5",
    "lastUpdateTimeSinceEpoch BETWEEN 10100 AND 10105",
];

/// Limits that make each plan the only one possible, and some that mix them.
const LIMITS: [PlanLimits; 5] = [
    PlanLimits { few: 4_000, window: 2_000, many: 50_000, budget: 250_000 },
    PlanLimits { few: 0, window: 0, many: 0, budget: 250_000 },
    PlanLimits { few: 0, window: 0, many: 50_000, budget: 250_000 },
    PlanLimits { few: 100_000, window: 0, many: 0, budget: 250_000 },
    PlanLimits { few: 60, window: 30, many: 900, budget: 250_000 },
];

pub(in crate::list) fn filters() -> impl Strategy<Value = String> {
    let comparison = || {
        let all: Vec<&'static str> = COMPARISONS.into_iter().chain(COLUMNS).collect();
        let one = proptest::sample::select(all);
        (one, 0..8).prop_map(|(one, not)| if not == 0 { format!("NOT {one}") } else { one.to_owned() })
    };
    prop_oneof![
        1 => comparison(),
        3 => (comparison(), comparison()).prop_map(|(a, b)| format!("{a} AND {b}")),
        1 => (comparison(), comparison(), comparison()).prop_map(|(a, b, c)| format!("{a} AND {b} AND {c}")),
        2 => (comparison(), comparison()).prop_map(|(a, b)| format!("{a} OR {b}")),
        2 => (comparison(), comparison(), comparison()).prop_map(|(a, b, c)| format!("({a} OR {b}) AND {c}")),
        1 => (comparison(), comparison(), comparison()).prop_map(|(a, b, c)| format!("{a} OR {b} AND {c}")),
    ]
}

fn pick<S: Strategy>(runner: &mut TestRunner, strategy: S) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

async fn every_plan_finds_the_entities_that_the_evaluator_finds(backend: Backend) {
    let (store, _connection) = sample_store(backend).await;
    let versions = versions();
    let mut runner = TestRunner::new(seeded());
    let single = COMPARISONS.into_iter().chain(COLUMNS).map(str::to_owned);
    let random: Vec<String> = (0..30).map(|_| pick(&mut runner, filters())).collect();
    for filter in single.chain(random) {
        let expression = parse(&filter).unwrap().unwrap();
        let matching: Vec<i64> = versions
            .iter()
            .zip(1_i64..)
            .filter(|(version, _)| evaluate(&expression, version, &|name| resolve_filter_name(&KINDS, name)).unwrap())
            .map(|(_, id)| id)
            .collect();
        for limits in pick(&mut runner, proptest::sample::subsequence(LIMITS.to_vec(), 3)) {
            let order = [OrderBy::Id, OrderBy::CreateTime, OrderBy::LastUpdateTime];
            let order_by = pick(&mut runner, proptest::sample::select(order.to_vec()));
            let directions = vec![SortOrder::Ascending, SortOrder::Descending];
            let sort_order = pick(&mut runner, proptest::sample::select(directions));
            let page_size = pick(&mut runner, proptest::sample::select(vec![1, 10, 100, 1_000]));
            let mut expected = matching.clone();
            expected.sort_by_key(|id| match order_by {
                OrderBy::Id => (*id, *id),
                OrderBy::CreateTime => (create_time(*id), *id),
                OrderBy::LastUpdateTime => (update_time(*id), *id),
            });
            if sort_order == SortOrder::Descending {
                expected.reverse();
            }
            let request = ListRequest { filter: Some(&filter), order_by, sort_order, page_size, ..request() };
            let store = store.store().clone().with_plan_limits(limits);
            let (found, is_complete) = first_pages(&store, &request).await;
            expected.truncate(if is_complete { usize::MAX } else { found.len() });
            assert_eq!(found, expected, "{filter} with {limits:?}: {order_by:?} {sort_order:?} by {page_size}");
        }
    }
}

fn request() -> ListRequest<'static> {
    ListRequest { kinds: &KINDS, prefix: "[", ..MODELS }
}

/// The ids on up to three pages, and whether these are all.
async fn first_pages(store: &Store, request: &ListRequest<'_>) -> (Vec<i64>, bool) {
    let (mut ids, mut token) = (Vec::new(), String::new());
    for _ in 0..3 {
        let page_token = Some(token.as_str()).filter(|token| !token.is_empty());
        let page = store.list(&ListRequest { page_token, ..request.clone() }).await.unwrap();
        let items: serde_json::Value = serde_json::from_str(&format!("{}]", page.items)).unwrap();
        let items = items.as_array().unwrap();
        assert_eq!(items.len(), page.size);
        ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().parse::<i64>().unwrap()));
        if page.next_page_token.is_empty() {
            return (ids, true);
        }
        assert_eq!(items.len(), request.page_size as usize);
        token = page.next_page_token;
    }
    (ids, false)
}

/// Comparisons that most versions pass.
const WIDE: [&str; 4] = ["stage = 'common'", "commit > 'c3'", "commit LIKE '%99%'", "stage != 'common'"];

async fn ranges_are_read_from_their_indexes(backend: Backend) {
    let (store, mut connection) = sample_store(backend).await;
    let dialect = store.database().unwrap().dialect();
    let booleans = if dialect == Dialect::MySql { "property_name" } else { "property_bool" };
    for (filter, index) in [
        ("stage = 'common'", "property_string"),
        ("commit LIKE 'c12%'", "property_string"),
        ("commit LIKE 'c1_%'", "property_string"),
        ("commit > 'c3'", "property_string"),
        ("accuracy > 0.97", "property_double"),
        ("accuracy.double_value BETWEEN 0.1 AND 0.2", "property_double"),
        ("late.int_value < 9", "property_int"),
        ("commit LIKE '%99%'", "property_name"),
        ("commit ILIKE '%99%'", "property_name"),
        ("stage != 'common'", "property_string"),
        ("missing IS NOT NULL", "property_name"),
        ("flag = true", booleans),
        ("flag != true", booleans),
        ("state = 'ARCHIVED'", "resource_state"),
        ("state != 'LIVE'", "resource_state"),
        ("name LIKE 'v39%'", "resource_kind_name"),
        ("name = 'v1'", "resource_kind_name"),
        ("createTimeSinceEpoch < 40", "resource_create_time"),
    ] {
        let expression = parse(filter).unwrap().unwrap();
        let ranges = request().index_ranges(&expression, false, dialect).unwrap().ranges;
        assert!(!ranges.is_empty(), "{filter}");
        for range in ranges {
            let sql = text(range.clone().limit(101), dialect);
            let plan = connection.explain(&sql).await;
            // `accuracy > 0.97` has a range of integers as well.
            let other = if filter.contains("accuracy >") { "property_int" } else { index };
            assert!(plan.contains(index) || plan.contains(other), "{filter} on {backend}: {sql}\n{plan}");
            // PostgreSQL sorts if there are few.
            let may_be_sorted = backend == Backend::Postgres && !WIDE.contains(&filter);
            assert!(may_be_sorted || !is_sorted(&plan), "{filter} on {backend}: {sql}\n{plan}");
        }
    }
}

async fn strings_are_sifted_in_their_index(backend: Backend) {
    let (store, mut connection) = sample_store(backend).await;
    let dialect = store.database().unwrap().dialect();
    for filter in ["commit LIKE '%99%'", "commit ILIKE '%C99%'", "commit LIKE 'c%99'"] {
        let expression = parse(filter).unwrap().unwrap();
        let sifted = request().index_ranges(&expression, false, dialect).unwrap().sifted;
        let [(0, sifted)] = sifted.as_slice() else { panic!("{filter}") };
        let sql = text(sifted.clone().limit(50_001), dialect);
        let plan = connection.explain(&sql).await;
        assert!(plan.contains("property_string"), "{filter} on {backend}: {sql}\n{plan}");
    }
}

/// Whether the plan sorts rows, instead of reading them in order.
fn is_sorted(plan: &str) -> bool {
    ["TEMP B-TREE", "Sort", "filesort"].into_iter().any(|step| plan.contains(step))
}

/// A statement that reads the ids, and one that reads their rows.
async fn rare_matches_are_read_without_a_walk(backend: Backend) {
    let (store, _connection) = sample_store(backend).await;
    let limits = PlanLimits { few: 100, window: 0, many: 0, budget: 250_000 };
    let store = store.store().clone().with_plan_limits(limits);
    for filter in [
        "accuracy > 0.97",
        "rare IS NOT NULL",
        "late > 3990",
        "commit LIKE 'c123%'",
        "accuracy > 0.97 OR late > 3990",
        "(stage = 'common' OR stage = 'other') AND accuracy > 0.97",
        "batch IN (1, 2) AND NOT stage = 'common' AND accuracy BETWEEN 0.25 AND 0.26",
        "missing != 5",
        "name LIKE 'v399%'",
    ] {
        for order_by in [OrderBy::Id, OrderBy::CreateTime] {
            let before = store.database().unwrap().statements();
            let request = ListRequest { filter: Some(filter), page_size: 100, order_by, ..request() };
            let page = store.list(&request).await.unwrap();
            assert!(page.size < 100 && i64::try_from(page.size).unwrap() < VERSIONS, "{filter}");
            let statements = store.database().unwrap().statements() - before;
            assert!(statements <= 2, "{filter} on {backend}: {statements} statements");
        }
    }
}

async fn a_walk_ends_with_its_budget(backend: Backend) {
    let (store, _connection) = sample_store(backend).await;
    let limits = PlanLimits { few: 10, window: 5, many: 20, budget: 500 };
    let store = store.store().clone().with_plan_limits(limits);
    // The first 500 of 4,000 have no match.
    let filter = "batch > 0 AND commit LIKE '%c%' AND NOT id < 1000";
    let error = store.list(&ListRequest { filter: Some(filter), ..request() }).await.unwrap_err().to_string();
    assert!(
        error.starts_with(
            "invalid filter query at line 1, column 1: `batch > 0` does not narrow the list: none of 500 tested entities match. Hint: "
        ),
        "{error}"
    );
    let filter = "commit LIKE '%99%' AND NOT stage = 'common'";
    // Some matches are short pages, until all are listed.
    let (mut ids, mut token) = (Vec::new(), String::new());
    loop {
        let page_token = Some(token.as_str()).filter(|token| !token.is_empty());
        let page = store.list(&ListRequest { filter: Some(filter), page_token, ..request() }).await.unwrap();
        ids.push(page.size);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    let expression = parse(filter).unwrap().unwrap();
    let resolve = |name: &str| resolve_filter_name(&KINDS, name);
    let matches = versions().iter().filter(|version| evaluate(&expression, version, &resolve).unwrap()).count();
    assert_eq!(ids.iter().sum::<usize>(), matches);
    assert!(ids.len() > 3, "{ids:?}");
}

async fn long_and_foreign_strings_are_found_by_substrings(backend: Backend) {
    let store = TestStore::new(backend).await;
    let long = "x".repeat(300);
    for (name, note) in [
        ("long", format!("{long}needle")),
        ("at the start", format!("needle{long}")),
        ("kelvin", "needle \u{212a}".to_owned()),
        ("upper", "NEEDLE K".to_owned()),
        ("sharp", "STRASSE".to_owned()),
        ("greek", "ΣΊΣΥΦΟΣ".to_owned()),
        ("other", "nothing".to_owned()),
    ] {
        let note = json!({"metadataType": "MetadataStringValue", "string_value": note});
        let version = document(json!({"name": name, "customProperties": {"note": note}}));
        let mut tx = store.database().unwrap().begin().await.unwrap();
        tx.create(Kind::ModelVersion, Some(1), version, &author_at(1)).await.unwrap();
        tx.commit().await.unwrap();
    }
    let limits = PlanLimits { few: 0, window: 0, many: 100, budget: 100 };
    let store = store.store().clone().with_plan_limits(limits);
    for (filter, expected) in [
        ("note LIKE '%needle%'", &["long", "at the start", "kelvin"][..]),
        ("note ILIKE '%needle%'", &["long", "at the start", "kelvin", "upper"]),
        ("note ILIKE '%needle k'", &["kelvin", "upper"]),
        ("note ILIKE '%ίσυ%'", &["greek"]),
        ("note LIKE '%ss%'", &[]),
        ("note LIKE 'n%g'", &["other"]),
    ] {
        let mut found = Vec::new();
        // Pages of one, so that the walk does not find all at once.
        let mut token = String::new();
        loop {
            let page_token = Some(token.as_str()).filter(|token| !token.is_empty());
            let list = ListRequest { filter: Some(filter), page_token, page_size: 1, ..request() };
            let page = store.list(&list).await.unwrap();
            let items: serde_json::Value = serde_json::from_str(&format!("{}]", page.items)).unwrap();
            found.extend(items.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(found, expected, "{filter}");
    }
}
