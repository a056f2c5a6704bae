use std::cmp::Reverse;

use model_registry_filter::fold;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::index::strings::Strings;
use crate::index::table::Table;

/// Few different characters, so that strings have parts in common: of one to four bytes, some of which fold to others, to
/// several, or to shorter ones.
fn string() -> impl Strategy<Value = String> {
    let characters = "aAbB -1%_\u{1f}äÄßΣςσİıſK日本語한\u{301}𝄞😀";
    let character = prop_oneof![
        9 => proptest::sample::select(characters.chars().collect::<Vec<_>>()),
        1 => any::<char>(),
    ];
    let long = vec("[a-z]{1,9}", 900..1_000).prop_map(|words| words.join(" "));
    prop_oneof![40 => vec(character, 0..40).prop_map(String::from_iter), 1 => long]
}

/// A search: mostly a part of one of the strings, in either case.
fn search() -> impl Strategy<Value = (proptest::sample::Index, proptest::sample::Index, usize, u8, String)> {
    (any::<proptest::sample::Index>(), any::<proptest::sample::Index>(), 0..12_usize, 0..4_u8, string())
}

fn index(strings: &[String]) -> Index {
    let folded: Vec<String> = strings.iter().map(|string| fold(string)).collect();
    let all = |strings: &[String]| strings.iter().map(String::as_str).collect::<Strings>();
    let ids = (1_i64..).take(strings.len()).collect();
    let table = Table { ids, ..Table::default() };
    let models = Items::new(table, Table::default(), all(&folded), all(&folded));
    Index { generation: 1, items: vec![(CatalogKind::Model, models)] }
}

/// All ids that are found, page by page.
fn found(index: &Index, search: &str, order: &CatalogOrder, sort_order: SortOrder) -> Vec<i64> {
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let query = PageQuery {
            kind: CatalogKind::Model,
            sources: None,
            search: Some(fold(search)),
            conditions: Vec::new(),
            artifact_conditions: Vec::new(),
            order: order.clone(),
            sort_order,
            cursor,
            limit: 3,
        };
        let page = index.page(&query, &Cancellation::default()).unwrap();
        ids.extend(page.iter().map(|(id, _)| *id));
        let Some((id, key)) = page.last() else { return ids };
        cursor = Some((key.clone(), *id));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_search_finds_every_string_that_contains_it_and_no_other(
        strings in vec(string(), 1..70),
        (which, start, length, case, other) in search(),
    ) {
        let from = &strings[which.index(strings.len())];
        let characters = from.chars().count();
        let part: String = from.chars().skip(start.index(characters + 1)).take(length).collect();
        let search = match case {
            0 => part.to_uppercase(),
            1 => part.to_lowercase(),
            2 => part.clone(),
            _ => other,
        };
        let index = index(&strings);
        let folded: Vec<String> = strings.iter().map(|string| fold(string)).collect();
        let mut expected: Vec<(i64, &String)> =
            (1..).zip(&folded).filter(|(_, string)| string.contains(&fold(&search))).collect();
        if case == 2 {
            prop_assert!(!expected.is_empty());
        }
        let ids = |rows: &[(i64, &String)]| rows.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        prop_assert_eq!(found(&index, &search, &CatalogOrder::Id, SortOrder::Ascending), ids(&expected));
        expected.sort_by_key(|(id, string)| (Reverse(*string), *id));
        prop_assert_eq!(found(&index, &search, &CatalogOrder::Name, SortOrder::Descending), ids(&expected));
    }
}
