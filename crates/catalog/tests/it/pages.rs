//! Paging: every item appears once, in every order.

use std::fmt::Write;

use model_registry_testkit::{Backend, on_each_database};

use crate::support::{Api, Files};

on_each_database!(pages_contain_every_item_once_in_every_order, long_strings_are_ordered_alike_on_every_page);

async fn pages_contain_every_item_once_in_every_order(backend: Backend) {
    let api = Api::of_golden_data(backend).await;
    for order in [
        "ID",
        "NAME",
        "CREATE_TIME",
        "LAST_UPDATE_TIME",
        "ACCURACY",
        "size.string_value",
        "params_billion.double_value",
        "context_length.int_value",
        "artifacts.hardware_type.string_value",
        "artifacts.hardware_count.int_value",
        "absent_property.double_value",
    ] {
        for direction in ["ASC", "DESC"] {
            let list = format!("models?orderBy={order}&sortOrder={direction}");
            let whole = ids(&api, &format!("{list}&pageSize=1000")).await.0;
            let (mut paged, mut token) = (Vec::new(), String::new());
            loop {
                let (page, next) = ids(&api, &format!("{list}&pageSize=4&nextPageToken={token}")).await;
                assert!(page.len() <= 4);
                paged.extend(page);
                if next.is_empty() {
                    break;
                }
                token = next;
            }
            assert_eq!(paged, whole, "{list}");
        }
    }
}

/// Strings that begin alike for longer than databases compare them in sorts: a page must begin where the one before ended.
async fn long_strings_are_ordered_alike_on_every_page(backend: Backend) {
    const COMPARED: usize = 255;
    // Beginnings that a database may or may not tell apart, depending on how it counts: 255 and fewer characters, 341 (of three
    // bytes within 1,024), 512 (of two), more than 1,024.
    let cards: Vec<String> = [10, 254, 255, 340, 400, 511, 600, 1_100, 6_000]
        .into_iter()
        .flat_map(|length| ["z", "a", "é"].map(|end| format!("{}{end}", "é".repeat(length))))
        .collect();
    let mut models = String::from("models:\n");
    for (number, card) in cards.iter().enumerate() {
        let _ = writeln!(models, "- {{name: m{number:02}, readme: {card}}}");
    }
    // Names that differ in case only, at their end.
    let names: Vec<String> = ["A", "a", "B"].map(|end| format!("{}{end}", "n".repeat(254))).into();
    for name in &names {
        let _ = writeln!(models, "- {{name: {name}}}");
    }
    let sources = "model_catalogs: [{id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}]";
    let files = Files::new(&[("sources.yaml", sources), ("a.yaml", &models)]);
    let api = Api::on(backend, files.settings()).await;
    let (all, _) = ids(&api, "models?orderBy=ID&pageSize=100").await;
    for direction in ["ASC", "DESC"] {
        let mut expected: Vec<usize> = (0..cards.len()).collect();
        let key = |number: usize| cards[number].chars().take(COMPARED).collect::<String>();
        // Stable: equal keys stay in the order of their ids, in either direction.
        expected.sort_by_key(|number| key(*number));
        if direction == "DESC" {
            expected.sort_by_key(|number| std::cmp::Reverse(key(*number)));
        }
        // Those without a card are last.
        expected.extend(cards.len()..cards.len() + names.len());
        let expected: Vec<&String> = expected.into_iter().map(|number| &all[number]).collect();
        for page_size in [1, 4, 100] {
            let list = format!("models?orderBy=readme.string_value&sortOrder={direction}&pageSize={page_size}");
            assert_eq!(all_ids(&api, &list).await.iter().collect::<Vec<_>>(), expected, "{list}");
        }
        let list = format!("models?orderBy=NAME&sortOrder={direction}&filterQuery=name ILIKE 'nn%25'&pageSize=1");
        for is_indexed in [false, true] {
            if is_indexed {
                api.catalog.index().await.unwrap();
            }
            let mut found = all_ids(&api, &list).await;
            if direction == "DESC" {
                found.reverse();
            }
            assert_eq!(found, all[cards.len()..], "{list}");
        }
    }
}

/// The ids of all pages.
async fn all_ids(api: &Api, list: &str) -> Vec<String> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let (page, next) = ids(api, &format!("{list}&nextPageToken={token}")).await;
        all.extend(page);
        if next.is_empty() {
            return all;
        }
        token = next;
    }
}

#[tokio::test]
async fn a_page_token_of_another_list_is_rejected() {
    let api = Api::of_golden_data(Backend::Sqlite).await;
    let (_, token) = ids(&api, "models?pageSize=2").await;
    for other in ["models?orderBy=ID&", "models?q=heron&", "models?filterQuery=id>0&", "sources?", "labels?"] {
        let response = api.get(&format!("{}nextPageToken={token}", other.replace('>', "%3E"))).await;
        assert_eq!(response.status, 400, "{other}");
        assert!(response.message().starts_with("invalid nextPageToken: "), "{}", response.message());
    }
}

async fn ids(api: &Api, path: &str) -> (Vec<String>, String) {
    let response = api.get(path).await;
    assert_eq!(response.status, 200, "{path}: {}", response.message());
    let json = response.json();
    let ids = json["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
    (ids, json["nextPageToken"].as_str().unwrap().to_owned())
}
