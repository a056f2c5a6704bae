use std::cmp::Reverse;

use model_registry_filter::fold;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::index::texts::Texts;

/// Few different characters, so that texts have parts in common: of one to four bytes, some of which fold to others, to
/// several, or to shorter ones.
fn text() -> impl Strategy<Value = String> {
    let characters = "aAbB -1%_\u{1f}äÄßΣςσİıſK日本語한\u{301}𝄞😀";
    let character = prop_oneof![
        9 => proptest::sample::select(characters.chars().collect::<Vec<_>>()),
        1 => any::<char>(),
    ];
    let long = vec("[a-z]{1,9}", 900..1_000).prop_map(|words| words.join(" "));
    prop_oneof![40 => vec(character, 0..40).prop_map(String::from_iter), 1 => long]
}

/// What is looked for: mostly a part of one of the texts, in one case or the other.
fn search() -> impl Strategy<Value = (proptest::sample::Index, proptest::sample::Index, usize, u8, String)> {
    (any::<proptest::sample::Index>(), any::<proptest::sample::Index>(), 0..12_usize, 0..4_u8, text())
}

fn index(texts: &[String]) -> Index {
    let folded: Vec<String> = texts.iter().map(|text| fold(text)).collect();
    let all = |texts: &[String]| texts.iter().map(String::as_str).collect::<Texts>();
    let ids = (1_i64..).take(texts.len()).collect();
    let models = Items::new(Table { ids, ..Table::default() }, all(&folded), all(&folded));
    let servers = Items::new(Table::default(), Texts::default(), Texts::default());
    Index { generation: 1, models, servers, artifacts: Table::default() }
}

/// All ids that are found, page by page.
fn found(index: &Index, search: &str, order: &CatalogOrder, sort_order: SortOrder) -> Vec<i64> {
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let question = Question {
            kind: CatalogKind::Model,
            sources: None,
            search: Some(fold(search)),
            conditions: Vec::new(),
            related_conditions: Vec::new(),
            order: order.clone(),
            sort_order,
            cursor,
            most: 3,
        };
        let page = index.answer(&question).unwrap();
        ids.extend(page.iter().map(|(id, _)| *id));
        let Some((id, key)) = page.last() else { return ids };
        cursor = Some((key.clone(), *id));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_search_finds_every_text_that_contains_it_and_no_other(
        texts in vec(text(), 1..70),
        (which, start, length, case, other) in search(),
    ) {
        let from = &texts[which.index(texts.len())];
        let characters = from.chars().count();
        let part: String = from.chars().skip(start.index(characters + 1)).take(length).collect();
        let search = match case {
            0 => part.to_uppercase(),
            1 => part.to_lowercase(),
            2 => part.clone(),
            _ => other,
        };
        let index = index(&texts);
        let folded: Vec<String> = texts.iter().map(|text| fold(text)).collect();
        let mut expected: Vec<(i64, &String)> =
            (1..).zip(&folded).filter(|(_, text)| text.contains(&fold(&search))).collect();
        if case == 2 {
            prop_assert!(!expected.is_empty());
        }
        let ids = |rows: &[(i64, &String)]| rows.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        prop_assert_eq!(found(&index, &search, &CatalogOrder::Id, SortOrder::Ascending), ids(&expected));
        expected.sort_by_key(|(id, text)| (Reverse(*text), *id));
        prop_assert_eq!(found(&index, &search, &CatalogOrder::Name, SortOrder::Descending), ids(&expected));
    }
}
