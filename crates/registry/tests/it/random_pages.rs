//! Random page sizes in every order during inserts: each entity from before is listed once and in order.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use model_registry_base::Clock;
use model_registry_testkit::{Backend, on_each_database};
use proptest::strategy::{Strategy, ValueTree};
use serde_json::{Value, json};

use crate::support::{Api, START, random_values};

on_each_database!(random_pages_list_everything_once_and_in_order_during_inserts);

const AT_THE_START: usize = 30;

/// Upper limit for the inserts while one list is read.
const INSERTS: usize = 25;

const ORDERS: [(&str, &str); 3] =
    [("ID", "id"), ("CREATE_TIME", "createTimeSinceEpoch"), ("LAST_UPDATE_TIME", "lastUpdateTimeSinceEpoch")];

/// A clock that repeats each time seven times, so that many entities have equal times.
fn slow_clock() -> Clock {
    let readings = AtomicI64::new(0);
    Clock::new(move || START + readings.fetch_add(1, Ordering::Relaxed) / 7)
}

async fn random_pages_list_everything_once_and_in_order_during_inserts(backend: Backend) {
    let mut runner = random_values();
    for list in ["registered_models", "artifacts"] {
        let api = Api::with_clock(backend, slow_clock()).await;
        for number in 0..AT_THE_START {
            insert(&api, list, number).await;
        }
        // Updates, so that the two times have different orders.
        for number in (1..=AT_THE_START).step_by(4) {
            let change = json!({"artifactType": "doc-artifact", "description": "changed"});
            let change = if list == "artifacts" { change } else { json!({"description": "changed"}) };
            assert_eq!(api.patch(&format!("{list}/{number}"), change).await.status, 200);
        }
        let mut inserted = AT_THE_START;
        for (order, field) in ORDERS {
            for direction in ["ASC", "DESC"] {
                let query = format!("{list}?orderBy={order}&sortOrder={direction}");
                let before = keys(&api.get(&query).await.json(), field);
                assert_eq!(before.len(), inserted, "{query}");
                assert_in_order(&before, direction, &query);
                let sizes = (0..).map(|_| (1..8_usize).new_tree(&mut runner).unwrap().current());
                let is_done = AtomicBool::new(false);
                let walk = async {
                    let walked = walk(&api, &query, field, sizes).await;
                    is_done.store(true, Ordering::Relaxed);
                    walked
                };
                let write = async {
                    let mut count = 0;
                    // Limited, because in ascending order each insert extends the list.
                    while !is_done.load(Ordering::Relaxed) && count < INSERTS {
                        insert(&api, list, inserted + count).await;
                        count += 1;
                    }
                    count
                };
                let ((seen, sizes), count) = tokio::join!(walk, write);
                inserted += count;
                let context = format!("{query}, pages of {sizes:?}, {count} inserted meanwhile");
                // Strictly in order, hence without duplicates.
                assert_in_order(&seen, direction, &context);
                let from_before: Vec<_> = seen.into_iter().filter(|key| before.contains(key)).collect();
                assert_eq!(from_before, before, "{context}");
            }
        }
    }
}

async fn insert(api: &Api, list: &str, number: usize) {
    let body = match list {
        "artifacts" => json!({"artifactType": "doc-artifact", "name": format!("n{number}")}),
        _ => json!({"name": format!("n{number}")}),
    };
    api.create(list, body).await;
}

/// All pages from the first to the last, with the size of each.
async fn walk(
    api: &Api,
    query: &str,
    field: &str,
    mut next_sizes: impl Iterator<Item = usize>,
) -> (Vec<(i64, i64)>, Vec<usize>) {
    let (mut seen, mut sizes, mut token) = (Vec::new(), Vec::new(), String::new());
    loop {
        let size = next_sizes.next().unwrap();
        sizes.push(size);
        let page = api.get(&format!("{query}&pageSize={size}&nextPageToken={token}")).await.json();
        let items = keys(&page, field);
        assert_eq!(page["size"], items.len(), "{query}");
        assert!(items.len() <= size, "{query}: {} items on a page of {size}", items.len());
        seen.extend(items);
        page["nextPageToken"].as_str().unwrap().clone_into(&mut token);
        if token.is_empty() {
            return (seen, sizes);
        }
    }
}

/// The key of each item: the value of the order field, and the id.
fn keys(page: &Value, field: &str) -> Vec<(i64, i64)> {
    let number = |item: &Value, field: &str| item[field].as_str().unwrap().parse().unwrap();
    page["items"].as_array().unwrap().iter().map(|item| (number(item, field), number(item, "id"))).collect()
}

fn assert_in_order(keys: &[(i64, i64)], direction: &str, context: &str) {
    for pair in keys.windows(2) {
        let is_right = if direction == "ASC" { pair[0] < pair[1] } else { pair[0] > pair[1] };
        assert!(is_right, "{context}: {:?} before {:?}", pair[0], pair[1]);
    }
}
