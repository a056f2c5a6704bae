//! The database is not there yet, goes away and comes back.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use model_registry_testkit::{Backend, Ready, TestDatabase};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::database_server::DatabaseServer;
use crate::support::{Client, eventually, server_on};

/// "By itself, within seconds", with room for a busy machine.
const SOON: Duration = Duration::from_secs(45);

const CLIENTS: usize = 4;

#[tokio::test]
async fn a_postgres_server_may_come_later_and_go_away_under_load() {
    come_and_go(Backend::Postgres).await;
}

#[tokio::test]
async fn a_mariadb_server_may_come_later_and_go_away_under_load() {
    come_and_go(Backend::MariaDb).await;
}

async fn come_and_go(backend: Backend) {
    let Some(mut databases) = DatabaseServer::start(backend).await else { return };
    let database = TestDatabase::absent_on(backend, &databases.url()).unwrap();
    databases.stop().await;

    // Neither the server nor the database is there.
    let server = server_on(database.url()).ready(Ready::Listening).start().await.unwrap();
    let client = Client::of(&server);
    answers_that_the_database_is_away(&client).await;
    // The server is there, the database is not.
    databases.start_again().await;
    answers_that_the_database_is_away(&client).await;
    database.create_now().await.unwrap();
    let took = eventually("the new database is used", async || client.get("/readyz/health").await.status == 200).await;
    assert!(took < SOON, "{backend}: recovered after {took:?}");
    client.create("registered_models", &json!({"name": "first"})).await;

    let load = Load::start(&client);
    for _ in 0..2 {
        load.until("the database answers", 200).await;
        databases.stop().await;
        load.until("the outage is noticed", 503).await;
        assert_eq!(client.get("/livez").await.status, 200, "{backend}");
        assert_eq!(client.get("/readyz/health").await.status, 503, "{backend}");
        databases.start_again().await;
        let took = load.until("the database is used again", 200).await;
        assert!(took < SOON, "{backend}: recovered after {took:?}");
        let took = eventually("ready again", async || client.get("/readyz/health").await.status == 200).await;
        assert!(took < SOON, "{backend}: ready after {took:?}");
    }
    let (statuses, acknowledged) = load.end().await;
    assert_eq!(statuses, BTreeSet::from([200, 201, 503]), "{backend}\n{}", server.log());
    for model in acknowledged {
        let id = model["id"].as_str().unwrap();
        assert_eq!(client.read(&format!("registered_models/{id}")).await, model, "{backend}: acknowledged, then lost");
    }
    let log = server.log();
    assert!(!log.contains("panicked"), "{backend}: {log}");
}

/// Probes answer at once, the API says 503 with a body that clients can read.
async fn answers_that_the_database_is_away(client: &Client) {
    let start = Instant::now();
    assert_eq!(client.get("/livez").await.status, 200);
    for probe in ["/readyz/health", "/readyz/isDirty"] {
        assert_eq!(client.get(probe).await.status, 503, "{probe}");
    }
    let read = client.get("registered_models").await;
    // Not 404: nobody knows whether it is there.
    let one = client.get("registered_models/1").await;
    let found = client.get("registered_model?name=m").await;
    let written = client.post("registered_models", &json!({"name": "m"})).await;
    let changed = client.call("PATCH", "registered_models/1", &[], Some(&json!({"description": "x"}))).await.unwrap();
    assert!(start.elapsed() < SOON, "answered after {:?}", start.elapsed());
    for answer in [read, one, found, written, changed] {
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(answer.body["code"], "Service Unavailable");
        assert_eq!(answer.body["message"], "the database is not available; try again later");
    }
}

/// Clients that write and read for as long as the test wants.
struct Load {
    seen: Arc<Seen>,
    clients: JoinSet<()>,
}

#[derive(Default)]
struct Seen {
    ended: AtomicBool,
    statuses: Mutex<Vec<u16>>,
    acknowledged: Mutex<Vec<Value>>,
}

impl Load {
    fn start(client: &Client) -> Self {
        let seen = Arc::new(Seen::default());
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let (client, seen) = (client.clone(), Arc::clone(&seen));
            clients.spawn(async move { use_it(&client, &seen, number).await });
        }
        Self { seen, clients }
    }

    /// Waits until so many requests, from now on, have been answered with the status or its like.
    async fn until(&self, what: &str, status: u16) -> Duration {
        let before = self.seen.statuses.lock().unwrap().len();
        eventually(what, async || {
            let statuses = self.seen.statuses.lock().unwrap();
            let alike = statuses[before..].iter().filter(|seen| **seen / 100 == status / 100);
            alike.count() >= CLIENTS
        })
        .await
    }

    async fn end(mut self) -> (BTreeSet<u16>, Vec<Value>) {
        self.seen.ended.store(true, Ordering::Relaxed);
        while let Some(client) = self.clients.join_next().await {
            client.unwrap();
        }
        let statuses = self.seen.statuses.lock().unwrap().iter().copied().collect();
        let acknowledged = std::mem::take(&mut *self.seen.acknowledged.lock().unwrap());
        (statuses, acknowledged)
    }
}

async fn use_it(client: &Client, seen: &Seen, client_number: usize) {
    for number in 0.. {
        if seen.ended.load(Ordering::Relaxed) {
            return;
        }
        let created = client.post("registered_models", &json!({"name": format!("{client_number}-{number}")})).await;
        let listed = client.get("registered_models?pageSize=5").await;
        for answer in [&created, &listed] {
            let is_json = answer.body.is_object();
            assert!(is_json, "no JSON: {answer:?}");
        }
        seen.statuses.lock().unwrap().extend([created.status, listed.status]);
        if created.status == 201 {
            seen.acknowledged.lock().unwrap().push(created.body);
        }
    }
}
