//! Snapshots of the indexes by which each database reads the main statements of lists: `cargo insta review` accepts intended
//! changes. Only the names of indexes, and sorts, are kept, which are the same in all versions of a database. MySQL has the
//! dialect of MariaDB, for which they are recorded.

use std::collections::BTreeSet;
use std::fmt::Write;

use model_registry_api::{Kind, OrderBy, SortOrder};
use model_registry_filter::parse;
use model_registry_testkit::{Backend, on_each_database};

use super::index_scan::ScanEnd;
use super::plan::sample::{sample_store, text};
use super::tests::MODELS;
use super::value_order::ValueOrder;
use super::value_rows::Values;
use super::{ListRequest, Reading};
use crate::page_token::Cursor;

on_each_database!(the_main_statements_are_read_by_their_indexes);

const KINDS: [Kind; 1] = [Kind::ModelVersion];

const REQUEST: ListRequest<'static> = ListRequest { kinds: &KINDS, ..MODELS };

/// What a plan reads: the names of our indexes and the primary keys, and sorts.
fn access_paths(plan: &str, backend: Backend) -> BTreeSet<String> {
    // MySQL lists the indexes that it does not use as well.
    let used = plan.split("\"possible_keys\"").enumerate().map(|(number, part)| match part.split_once(']') {
        Some((_, after)) if number > 0 => after,
        _ => part,
    });
    let words = used.flat_map(|part| part.split(|character: char| !(character.is_alphanumeric() || character == '_')));
    let is_index = |word: &&str| {
        let is_ours = ["property_", "resource_", "sqlite_autoindex_"].iter().any(|prefix| word.starts_with(prefix));
        // PostgreSQL numbers the aliases of a table.
        let is_alias = word.trim_start_matches("property_").parse::<u32>().is_ok();
        is_ours && !is_alias || *word == "PRIMARY"
    };
    let mut paths: BTreeSet<String> = words.filter(is_index).map(str::to_owned).collect();
    // PostgreSQL sorts or not, depending on its estimate of few rows.
    let is_sorted = ["TEMP B-TREE", "filesort"].into_iter().any(|step| plan.contains(step));
    if backend != Backend::Postgres && is_sorted {
        paths.insert("(sort)".to_owned());
    }
    paths
}

async fn the_main_statements_are_read_by_their_indexes(backend: Backend) {
    if backend == Backend::MySql {
        return;
    }
    let (store, mut connection) = sample_store(backend).await;
    let dialect = store.database().unwrap().dialect();
    let cursor = Some(Cursor { key: 1_000, id: 2_000 });
    let walk = Reading::Walk { until: None };
    let mut statements = Vec::new();
    let mut add = |what: String, statement| statements.push((what, text(&statement, dialect)));
    add("first page by id".to_owned(), REQUEST.select(None, None, &walk, dialect).unwrap());
    add("next page by id".to_owned(), REQUEST.select(cursor, None, &walk, dialect).unwrap());
    for order_by in [OrderBy::CreateTime, OrderBy::LastUpdateTime] {
        let request = ListRequest { order_by, sort_order: SortOrder::Descending, ..REQUEST };
        add(format!("next page by {order_by:?}"), request.select(cursor, None, &walk, dialect).unwrap());
    }
    for filter in ["stage = 'common'", "accuracy > 0.5", "commit LIKE 'c1%'", "commit LIKE '%99%'", "batch != 3"] {
        let expression = parse(filter).unwrap().unwrap();
        let ranges = REQUEST.index_ranges(&expression, false, dialect).unwrap();
        for (range, number) in ranges.ranges.into_iter().zip(1..) {
            add(format!("range {number} of {filter}"), range.clone().limit(101).take());
        }
        for (_, sifted) in ranges.sifted {
            add(format!("strings sifted for {filter}"), sifted.clone().limit(101).take());
        }
    }
    let scanned = parse("stage = 'common' AND accuracy > 0.5").unwrap().unwrap();
    let required = REQUEST.required_strings(&scanned).unwrap();
    for end in [ScanEnd::After(2_000), ScanEnd::At(3_000)] {
        let scan = REQUEST.index_scan(cursor, &required, end, dialect);
        add(format!("index scan {end:?}"), REQUEST.scanned(&scan, &scanned).unwrap());
        add("end of the index scan".to_owned(), scan.end_after(2_000));
    }
    add("candidates".to_owned(), REQUEST.select(None, Some(&scanned), &Reading::Ids(&[7, 9]), dialect).unwrap());
    for order in ["accuracy.double_value", "commit.string_value", "name"] {
        for sort_order in [SortOrder::Ascending, SortOrder::Descending] {
            let request = ListRequest { value: Some(order), sort_order, ..REQUEST };
            let resolved = ValueOrder::resolve(&KINDS, order).unwrap();
            let values = Values { request: &request, order: &resolved, dialect };
            add(format!("values of {order} {sort_order:?}"), values.after(None, 101).unwrap());
            add(format!("values of {order} of entities"), values.of_ids(&[7, 9]).unwrap());
        }
    }
    let mut all = String::new();
    for (what, sql) in statements {
        let paths: Vec<String> = access_paths(&connection.explain(&sql).await, backend).into_iter().collect();
        let _ = writeln!(all, "{what}: {}", paths.join(", "));
    }
    insta::assert_snapshot!(format!("access_paths_{backend}"), all);
}
