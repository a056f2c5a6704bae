//! A proxy that forgets its connections: it confirms what it receives, forwards nothing, and reports no error.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use model_registry_testkit::{Backend, DatabaseServer, TcpProxy, TestDatabase};
use serde_json::json;
use tokio::task::JoinSet;

use super::{Acknowledged, RECOVERY_LIMIT, check_log, ready_eventually};
use crate::database_server::if_installed;
use crate::support::{Client, eventually, server_on};

/// More than there are connections to the database.
const CLIENTS: u32 = 24;

#[tokio::test]
async fn swallowed_connections_to_postgres_are_replaced() {
    swallow_connections(Backend::Postgres).await;
}

#[tokio::test]
async fn swallowed_connections_to_mariadb_are_replaced() {
    swallow_connections(Backend::MariaDb).await;
}

async fn swallow_connections(backend: Backend) {
    let Some(databases) = if_installed(DatabaseServer::start(backend).await) else { return };
    let database = TestDatabase::create_on(backend, &databases.url()).await.unwrap();
    let proxy = TcpProxy::start(databases.port()).await.unwrap();
    let server = server_on(&proxy.in_front_of(database.url()).unwrap()).start().await.unwrap();
    let client = Client::of(&server);
    let mut models = Acknowledged::default();
    assert_eq!(models.create(&client, "before", 100).await.0, 201);

    // Idle connections: the next request pings one of them.
    for round in 0..2 {
        proxy.swallow();
        let took = models.create_eventually(&client, &format!("idle-{round}"), 100).await;
        assert!(took < RECOVERY_LIMIT, "{backend}: recovered after {took:?}");
    }

    // Connections with statements and transactions, of which some hold locks that others wait for.
    let shared = client.create("registered_models", &json!({"name": "shared"})).await;
    let load = Load::start(&client, &shared);
    for _ in 0..2 {
        load.until_all_succeed("requests succeed").await;
        proxy.swallow();
        let took = load.until_all_succeed("requests succeed on new connections").await;
        assert!(took < RECOVERY_LIMIT, "{backend}: recovered after {took:?}");
    }
    load.end().await;
    ready_eventually(&client).await;
    models.check(&client).await;
    check_log(&server, &[]);
}

/// Clients that read and update the same model, each with one request at a time.
struct Load {
    ended: Arc<AtomicBool>,
    successes: Arc<Vec<AtomicU32>>,
    clients: JoinSet<()>,
}

impl Load {
    fn start(client: &Client, model: &str) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let successes: Arc<Vec<AtomicU32>> = Arc::new((0..CLIENTS).map(|_| AtomicU32::new(0)).collect());
        let mut clients = JoinSet::new();
        for number in 0..successes.len() {
            let (client, model) = (client.clone(), format!("registered_models/{model}"));
            let (ended, successes) = (Arc::clone(&ended), Arc::clone(&successes));
            clients.spawn(async move {
                while !ended.load(Ordering::Relaxed) {
                    let body = json!({"description": format!("{number}")});
                    let response = if number % 2 == 0 {
                        client.get(&model).await
                    } else {
                        client.call("PATCH", &model, &[], Some(&body)).await.unwrap()
                    };
                    assert!([200, 503, 504].contains(&response.status), "{response:?}");
                    if response.status == 200 {
                        successes[number].fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        Self { ended, successes, clients }
    }

    /// Waits until every client has had two further successes: the first may have been on its way.
    async fn until_all_succeed(&self, what: &str) -> std::time::Duration {
        let before: Vec<u32> = self.successes.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        eventually(what, async || {
            self.successes.iter().zip(&before).all(|(count, before)| count.load(Ordering::Relaxed) >= before + 2)
        })
        .await
    }

    async fn end(mut self) {
        self.ended.store(true, Ordering::Relaxed);
        while let Some(client) = self.clients.join_next().await {
            client.unwrap();
        }
    }
}
