//! Filters and orders over many versions with skewed values, for which databases choose other plans than over few.
//!
//! `MR_TEST_VERSIONS=100000 cargo test -p model-registry-store skewed -- --ignored` runs them over a hundred thousand.

use model_registry_api::{Kind, SortOrder};
use model_registry_filter::evaluate::{Entity, evaluate};
use model_registry_filter::parse;
use model_registry_testkit::{Backend, on_each_database};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::ListRequest;
use super::order_key::Place;
use super::ordered::tests::{FILTERS, ORDERS, ids, key};
use super::plan::sample::{sample_store_of, versions_to};
use super::plan::tests::filters;
use super::tests::MODELS;
use crate::filter_names::resolve_filter_name;
use crate::test_support::seeded;

on_each_database!(lists_of_twenty_thousand_skewed_versions_are_those_of_a_full_sort);

mod ignored {
    use super::*;

    #[tokio::test]
    #[ignore = "takes minutes: see the module"]
    #[expect(clippy::disallowed_methods, reason = "an option of the test")]
    async fn lists_of_many_skewed_versions_are_those_of_a_full_sort() {
        let count = std::env::var("MR_TEST_VERSIONS").map_or(100_000, |count| count.parse().unwrap());
        for backend in [Backend::Sqlite, Backend::Postgres, Backend::MariaDb, Backend::MySql] {
            if backend.is_configured() {
                compare(backend, count, 40).await;
            }
        }
    }
}

const KINDS: [Kind; 1] = [Kind::ModelVersion];

async fn lists_of_twenty_thousand_skewed_versions_are_those_of_a_full_sort(backend: Backend) {
    compare(backend, 20_000, 6).await;
}

/// Compares random lists with a sort of all versions in memory.
async fn compare(backend: Backend, count: i64, lists: usize) {
    let (sample, _connection) = sample_store_of(backend, count).await;
    let versions = versions_to(count);
    let mut runner = TestRunner::new(seeded());
    for number in 0..lists {
        let order = proptest::sample::select(ORDERS.to_vec()).new_tree(&mut runner).unwrap().current();
        let filter = match number % 3 {
            0 => None,
            1 => Some(proptest::sample::select(FILTERS.to_vec()).new_tree(&mut runner).unwrap().current().to_owned()),
            _ => Some(filters().new_tree(&mut runner).unwrap().current()),
        };
        let expression = filter.as_deref().map(|filter| parse(filter).unwrap().unwrap());
        let matches = |version: &Entity| {
            let resolve = |name: &str| resolve_filter_name(&KINDS, name);
            expression.as_ref().is_none_or(|filter| evaluate(filter, version, &resolve).unwrap())
        };
        let matching = versions.iter().zip(1_i64..).filter(|(version, _)| matches(version));
        let places: Vec<Place> = matching.map(|(version, id)| Place { key: key(version, order), id }).collect();
        for sort_order in [SortOrder::Ascending, SortOrder::Descending] {
            let mut sorted = places.clone();
            sorted.sort_by(|one, other| one.compare(other, sort_order));
            let mut expected: Vec<i64> = sorted.into_iter().map(|place| place.id).collect();
            for value in [Some(order), None] {
                if value.is_none() {
                    expected.sort_unstable_by_key(|id| if sort_order == SortOrder::Ascending { *id } else { -*id });
                }
                let page_size = 500;
                let request = ListRequest {
                    kinds: &KINDS,
                    prefix: "[",
                    filter: filter.as_deref(),
                    value,
                    sort_order,
                    page_size,
                    ..MODELS
                };
                let found = ids(sample.store(), &request, 1_000).await;
                let expected = if found.len() >= 1_000 { &expected[..found.len()] } else { &expected[..] };
                assert_eq!(found, expected, "{filter:?} by {value:?} {sort_order:?} on {backend}");
            }
        }
    }
}
