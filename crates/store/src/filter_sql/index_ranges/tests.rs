use model_registry_filter::evaluate::strategies::sample_target;
use model_registry_filter::parse;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use sea_query::SqliteQueryBuilder;

use super::*;
use crate::test_support::seeded;

/// The superset and the conditions of its ranges, without their common beginning.
fn built(filter: &str) -> (Superset, Vec<String>) {
    let scope = Scope {
        table: "resource",
        workspace_id: 1,
        kinds: &[2],
        properties: "property",
        string_key: Some("string_value"),
        not_finite: None,
        scanned: None,
        one_by_one: true,
        related: None,
        resolve: &sample_target,
    };
    let expression = parse(filter).unwrap().unwrap();
    let IndexRanges { superset, ranges, .. } = index_ranges(&expression, &scope, false, Dialect::Sqlite).unwrap();
    let text = |range: SelectStatement| {
        let sql = range.to_string(SqliteQueryBuilder).replace('"', "");
        let (_, condition) = sql.split_once(" AND ").unwrap();
        let condition = condition.replace("property.", "").replace("resource.", "").replace("kind = 2 AND ", "");
        condition.split_once(" ORDER BY ").unwrap().0.to_owned()
    };
    (superset, ranges.into_iter().map(text).collect())
}

fn ranges(filter: &str) -> Vec<String> {
    built(filter).1
}

#[test]
fn adjacent_values_are_a_range() {
    assert_eq!(ranges("x = 'a'"), ["name = 'x' AND string_value = 'a'"]);
    assert_eq!(ranges("x IN ('a', 'b')"), ["name = 'x' AND string_value = 'a'", "name = 'x' AND string_value = 'b'"]);
    assert_eq!(
        ranges("x LIKE 'a%b'"),
        ["name = 'x' AND string_value >= 'a' AND string_value <= 'b'"],
        "the end is included, because the filter decides"
    );
    assert_eq!(ranges("x > 5"), ["name = 'x' AND int_value >= 5", "name = 'x' AND double_value >= 5"]);
    assert_eq!(
        ranges("x.double_value BETWEEN 0.5 AND 1.5"),
        ["name = 'x' AND double_value >= 0.5 AND double_value <= 1.5"]
    );
    assert_eq!(ranges("name LIKE 'v1%'"), ["name >= 'v1' AND name <= 'v2'"]);
}

#[test]
fn other_comparisons_read_the_owners_of_the_name() {
    let long = format!("x != '{}'", "a".repeat(INDEXED_PREFIX));
    for filter in
        ["x != 0.5", "x != 5", "x LIKE '%a'", "x ILIKE 'a%'", "x IS NOT NULL", "x NOT IN (1)", "x IS NAN", &long]
    {
        assert_eq!(ranges(filter), ["name = 'x'"], "{filter}");
    }
}

#[test]
fn unequal_values_are_on_both_sides() {
    let both = |condition: &str| [condition.replace('#', "<"), condition.replace('#', ">")];
    assert_eq!(ranges("x != 'a'"), both("name = 'x' AND string_value # 'a'"));
    assert_eq!(ranges("x.int_value != 5"), both("name = 'x' AND int_value # 5"));
    assert_eq!(ranges("x != true"), ["name = 'x' AND bool_value IS NOT NULL AND bool_value = FALSE"]);
    assert_eq!(ranges("x = true"), ["name = 'x' AND bool_value IS NOT NULL AND bool_value = TRUE"]);
}

#[test]
fn what_entities_without_the_property_match_has_no_range() {
    for filter in ["x IS NULL", "NOT x = 'a'", "x = 'a' OR y IS NULL", "score > 5"] {
        assert!(!built(filter).0.is_narrow(), "{filter}");
    }
    for filter in ["x = 'a' AND y IS NULL", "x = 'a' OR y = 'b'", "(x IS NULL OR y = 1) AND z > 'a'"] {
        assert!(built(filter).0.is_narrow(), "{filter}");
    }
}

#[test]
fn the_end_of_a_prefix_is_the_next_string() {
    for (prefix, after) in [
        ("a", Some("b")),
        ("az", Some("a{")),
        ("a\u{d7ff}", Some("a\u{e000}")),
        ("\u{10ffff}", None),
        ("a\u{10ffff}", Some("b")),
    ] {
        assert_eq!(after_prefix(prefix).as_deref(), after, "{prefix}");
    }
}

fn superset() -> impl Strategy<Value = Superset> {
    let leaf = prop_oneof![
        1 => Just(Superset::Everything),
        4 => (0..6_usize, 0..3_usize).prop_map(|(first, length)| Superset::Ranges(first..(first + length).min(6))),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![vec(inner.clone(), 1..4).prop_map(Superset::Every), vec(inner, 1..4).prop_map(Superset::Either),]
    })
}

/// Whether the id can match, decided id by id.
fn contains(superset: &Superset, found: &[Option<Vec<i64>>], id: i64) -> bool {
    match superset {
        Superset::Everything => true,
        Superset::Ranges(positions) => {
            found[positions.clone()].iter().any(|ids| ids.as_ref().is_none_or(|ids| ids.contains(&id)))
        }
        Superset::Every(members) => members.iter().all(|member| contains(member, found, id)),
        Superset::Either(members) => members.iter().any(|member| contains(member, found, id)),
    }
}

proptest! {
    #![proptest_config(seeded())]

    #[test]
    fn the_ids_contain_all_that_can_match(
        superset in superset(),
        found in vec(proptest::option::of(btree_set(0..20_i64, 0..8)), 6),
    ) {
        let found: Vec<Option<Vec<i64>>> =
            found.into_iter().map(|ids| ids.map(|ids| ids.into_iter().collect())).collect();
        if let Some(ids) = superset.ids(&found) {
            prop_assert!(ids.is_sorted_by(|one, other| one < other));
            for id in 0..20 {
                prop_assert!(!contains(&superset, &found, id) || ids.contains(&id), "{id} of {superset:?}");
            }
            if found.iter().all(Option::is_some) {
                prop_assert!(ids.iter().all(|id| contains(&superset, &found, *id)), "{superset:?}");
            }
        }
    }

    #[test]
    fn a_string_with_the_prefix_is_between_the_prefix_and_its_end(prefix in "\\PC{1,3}", rest: String) {
        let string = format!("{prefix}{rest}");
        prop_assert!(string >= prefix);
        prop_assert!(after_prefix(&prefix).is_none_or(|after| string < after));
    }
}
