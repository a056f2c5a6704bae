//! A database server that starts after the registry and is restarted under load.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use model_registry_testkit::{Backend, DatabaseServer, Ready, TestDatabase};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::database_server::if_installed;
use crate::support::{Client, eventually, server_on};

/// Limit for the time to recover; generous, for a busy machine.
const RECOVERY_LIMIT: Duration = Duration::from_secs(45);

const CLIENTS: usize = 4;

#[tokio::test]
async fn a_postgres_server_may_start_late_and_restart_under_load() {
    start_late_and_restart(Backend::Postgres).await;
}

#[tokio::test]
async fn a_mariadb_server_may_start_late_and_restart_under_load() {
    start_late_and_restart(Backend::MariaDb).await;
}

async fn start_late_and_restart(backend: Backend) {
    let Some(mut databases) = if_installed(DatabaseServer::start(backend).await) else { return };
    let database = TestDatabase::absent_on(backend, &databases.url()).unwrap();
    databases.stop().await.unwrap();

    // Neither the database server nor the database exists.
    let server = server_on(database.url()).ready(Ready::Listening).start().await.unwrap();
    let client = Client::of(&server);
    check_unavailable(&client).await;
    // The server runs, but the database does not exist.
    databases.start_again().await.unwrap();
    check_unavailable(&client).await;
    database.create_now().await.unwrap();
    let took = eventually("the new database is used", async || client.get("/readyz/health").await.status == 200).await;
    assert!(took < RECOVERY_LIMIT, "{backend}: recovered after {took:?}");
    client.create("registered_models", &json!({"name": "first"})).await;

    let load = Load::start(&client);
    for _ in 0..2 {
        load.until("requests succeed", 200).await;
        databases.stop().await.unwrap();
        load.until("requests fail", 503).await;
        assert_eq!(client.get("/livez").await.status, 200, "{backend}");
        assert_eq!(client.get("/readyz/health").await.status, 503, "{backend}");
        eventually("the metric is 0", async || database_ready(&client).await == "0.0").await;
        assert_eq!(client.get("/livez").await.status, 200, "{backend}");
        databases.start_again().await.unwrap();
        let took = load.until("requests succeed again", 200).await;
        assert!(took < RECOVERY_LIMIT, "{backend}: recovered after {took:?}");
        let took = eventually("ready again", async || client.get("/readyz/health").await.status == 200).await;
        assert!(took < RECOVERY_LIMIT, "{backend}: ready after {took:?}");
        eventually("the metric is 1", async || database_ready(&client).await == "1.0").await;
    }
    let (statuses, acknowledged) = load.end().await;
    assert_eq!(statuses, BTreeSet::from([200, 201, 503]), "{backend}\n{}", server.log());
    for model in acknowledged {
        let id = model["id"].as_str().unwrap();
        assert_eq!(client.read(&format!("registered_models/{id}")).await, model, "{backend}: acknowledged but lost");
    }
    let log = server.log();
    assert!(!log.contains("panicked"), "{backend}: {log}");
    // The cause and what to do instead of a timeout of the pool.
    assert!(log.contains("Connection refused") && log.contains("nothing listens on this address"), "{backend}: {log}");
    assert!(!log.contains("pool timed out"), "{backend}: {log}");
    for line in ["database not reachable: requests get 503", "database reachable again"] {
        assert!(log.contains(line), "{backend}: no line `{line}`: {log}");
    }
}

/// The value of the metric `database_ready`.
async fn database_ready(client: &Client) -> String {
    let metrics = client.get("/metrics").await.body;
    let text = metrics.as_str().unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("model_registry_database_ready "));
    line.unwrap_or_else(|| panic!("no metric: {text}")).to_owned()
}

/// Asserts that probes respond, and that the API returns 503 with a JSON body.
async fn check_unavailable(client: &Client) {
    let start = Instant::now();
    assert_eq!(client.get("/livez").await.status, 200);
    for probe in ["/readyz/health", "/readyz/isDirty"] {
        assert_eq!(client.get(probe).await.status, 503, "{probe}");
    }
    let read = client.get("registered_models").await;
    // Not 404, because it is unknown whether the entity exists.
    let one = client.get("registered_models/1").await;
    let found = client.get("registered_model?name=m").await;
    let written = client.post("registered_models", &json!({"name": "m"})).await;
    let changed = client.call("PATCH", "registered_models/1", &[], Some(&json!({"description": "x"}))).await.unwrap();
    assert!(start.elapsed() < RECOVERY_LIMIT, "responded after {:?}", start.elapsed());
    for response in [read, one, found, written, changed] {
        assert_eq!(response.status, 503, "{response:?}");
        assert_eq!(response.body["code"], "Service Unavailable");
        assert_eq!(response.body["message"], "the database is not available; try again later");
    }
}

/// Clients that write and read until the test ends.
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
            clients.spawn(async move { write_and_read(&client, &seen, number).await });
        }
        Self { seen, clients }
    }

    /// Waits until [`CLIENTS`] further requests got the status or another one of its class.
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

async fn write_and_read(client: &Client, seen: &Seen, client_number: usize) {
    for number in 0.. {
        if seen.ended.load(Ordering::Relaxed) {
            return;
        }
        let created = client.post("registered_models", &json!({"name": format!("{client_number}-{number}")})).await;
        let listed = client.get("registered_models?pageSize=5").await;
        for response in [&created, &listed] {
            let is_json = response.body.is_object();
            assert!(is_json, "no JSON: {response:?}");
        }
        seen.statuses.lock().unwrap().extend([created.status, listed.status]);
        if created.status == 201 {
            seen.acknowledged.lock().unwrap().push(created.body);
        }
    }
}
