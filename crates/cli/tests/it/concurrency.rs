//! Concurrent clients, and several servers on one database.

use std::collections::{BTreeMap, BTreeSet};

use model_registry_testkit::{Backend, Executable, TestDatabase, on_each_database};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{Client, server_on, start_on};

on_each_database!(
    exactly_one_of_a_thousand_concurrent_creates_of_one_name_succeeds,
    concurrently_started_servers_migrate_an_empty_database,
    a_metric_logged_concurrently_through_two_replicas_keeps_its_history,
    concurrent_requests_with_one_idempotency_key_create_one_entity
);

async fn exactly_one_of_a_thousand_concurrent_creates_of_one_name_succeeds(backend: Backend) {
    let database = TestDatabase::create(backend).await.unwrap();
    let server = start_on(&database).await;
    let client = Client::of(&server);
    let mut creates = JoinSet::new();
    for number in 0..1_000 {
        let client = client.clone();
        creates.spawn(async move {
            let body = json!({"name": "the one", "description": format!("number {number}")});
            // A server on a busy machine may reject requests with 503, which clients retry.
            loop {
                let response = client.post("registered_models", &body).await;
                if response.status != 503 {
                    return response;
                }
            }
        });
    }
    let mut statuses = BTreeMap::<u16, usize>::new();
    let mut winner = None;
    while let Some(response) = creates.join_next().await {
        let response = response.unwrap();
        *statuses.entry(response.status).or_default() += 1;
        if response.status == 201 {
            winner = Some(response.body);
        }
    }
    assert_eq!(statuses, BTreeMap::from([(201, 1), (409, 999)]), "{backend}\n{}", server.log());
    let models = client.list_all("registered_models").await;
    assert_eq!(models, [winner.unwrap()]);
}

/// Starts two servers concurrently on an empty database.
async fn two_servers(database: &TestDatabase) -> [Executable; 2] {
    let (one, other) = tokio::join!(server_on(database.url()).start(), server_on(database.url()).start());
    [one.unwrap(), other.unwrap()]
}

async fn concurrently_started_servers_migrate_an_empty_database(backend: Backend) {
    for _ in 0..3 {
        let database = TestDatabase::create(backend).await.unwrap();
        let servers = two_servers(&database).await;
        let [one, other] = servers.each_ref().map(Client::of);
        let id = one.create("registered_models", &json!({"name": "m"})).await;
        let seen = other.read(&format!("registered_models/{id}")).await;
        assert_eq!(seen["name"], "m");
        assert_eq!(other.post("registered_models", &json!({"name": "m"})).await.status, 409);
        let renamed = json!({"description": "changed by the other"});
        let patched = other.call("PATCH", &format!("registered_models/{id}"), &[], Some(&renamed)).await.unwrap();
        assert_eq!(patched.status, 200, "{}", patched.body);
        assert_eq!(one.read(&format!("registered_models/{id}")).await, patched.body);
    }
}

async fn a_metric_logged_concurrently_through_two_replicas_keeps_its_history(backend: Backend) {
    const WRITERS: i64 = 3;
    const POINTS: i64 = 12;
    let database = TestDatabase::create(backend).await.unwrap();
    let servers = two_servers(&database).await;
    let clients = servers.each_ref().map(Client::of);
    let experiment = clients[0].create("experiments", &json!({"name": "e"})).await;
    let run = clients[0].create("experiment_runs", &json!({"name": "r", "experimentId": experiment.as_str()})).await;
    let mut writers = JoinSet::new();
    for (number, client) in (0..WRITERS * 2).zip(clients.iter().cycle()) {
        let (client, path) = (client.clone(), format!("experiment_runs/{run}/artifacts"));
        writers.spawn(async move {
            for point in 0..POINTS {
                let step = number * POINTS + point;
                let body = json!({"artifactType": "metric", "name": "loss", "value": step, "step": step});
                let response = client.post(&path, &body).await;
                assert!(matches!(response.status, 200 | 201), "{response:?}");
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
    let history = clients[1].list_all(&format!("experiment_runs/{run}/metric_history?pageSize=7")).await;
    let steps: BTreeSet<i64> = history.iter().map(|point| point["step"].as_i64().unwrap()).collect();
    assert_eq!(steps, (0..WRITERS * 2 * POINTS).collect());
    assert_eq!(history.len(), steps.len(), "a point was logged twice");
    let metrics = clients[0].list_all(&format!("experiment_runs/{run}/artifacts")).await;
    assert_eq!(metrics.len(), 1, "{metrics:?}");
    assert_eq!(metrics[0]["value"], history.last().unwrap()["value"], "the last point is the value");
}

async fn concurrent_requests_with_one_idempotency_key_create_one_entity(backend: Backend) {
    const KEYS: usize = 20;
    let database = TestDatabase::create(backend).await.unwrap();
    let servers = two_servers(&database).await;
    let [one, other] = servers.each_ref().map(Client::of);
    for number in 0..KEYS {
        let key = format!("key-{number}");
        let headers = [("Idempotency-Key", key.as_str())];
        // Every other body has no name, so that only the key shows that the two requests are the same.
        let (path, body) = if number % 2 == 0 {
            ("registered_models", json!({"name": format!("m{number}")}))
        } else {
            ("artifacts", json!({"artifactType": "doc-artifact", "uri": format!("s3://{number}")}))
        };
        let (first, second) = tokio::join!(
            one.call("POST", path, &headers, Some(&body)),
            other.call("POST", path, &headers, Some(&body))
        );
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!((first.status, second.status), (201, 201), "{first:?} {second:?}");
        assert_eq!(first.body, second.body);
    }
    assert_eq!(one.list_all("registered_models").await.len(), KEYS / 2);
    assert_eq!(one.list_all("artifacts").await.len(), KEYS / 2);
}
