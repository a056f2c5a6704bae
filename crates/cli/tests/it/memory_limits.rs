//! The memory of a server whose clients use as much of it as they can.

use std::net::SocketAddr;
use std::time::Duration;

use model_registry_testkit::abuse::{SlowBody, UnreadStreams, unread_response};
use model_registry_testkit::{Backend, Executable, TestDatabase};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{Client, TIME_LIMIT, eventually, start_on};

const MODELS: &str = "/api/model_registry/v1alpha3/registered_models";
const MEBIBYTE: usize = 1 << 20;
/// The target for every mix of requests, with the default budget.
const LIMIT: u64 = 512 << 20;

struct Server {
    executable: Executable,
    client: Client,
    database: TestDatabase,
}

impl Server {
    async fn start() -> Self {
        let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
        let executable = start_on(&database).await;
        let client = Client::of(&executable);
        Self { executable, client, database }
    }

    fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.executable.port()))
    }

    /// Creates twelve models of 15 MiB, with one statement.
    async fn add_large_models(&self) {
        self.client.create("registered_models", &json!({"name": "seed", "description": "SEED"})).await;
        let statement = "INSERT INTO resource (workspace_id, kind, family, parent_id, name, name_folded, state, create_time, \
             update_time, revision, document) \
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 12) \
             SELECT workspace_id, kind, family, parent_id, 'm' || n, 'm' || n, state, create_time, update_time, revision, \
             REPLACE(REPLACE(document, 'seed', 'm' || n), 'SEED', hex(zeroblob(7864320))) FROM resource, numbers \
             WHERE name = 'seed'";
        self.database.execute(statement).await.unwrap();
    }

    fn check(&self, what: &str) {
        let peak = self.executable.peak_memory().unwrap();
        assert!(peak < LIMIT, "{what}: {} MiB", peak >> 20);
    }
}

#[tokio::test]
async fn many_large_bodies_at_once_share_the_memory() {
    let server = Server::start().await;
    let mut senders = JoinSet::new();
    for number in 0..32 {
        let address = server.address();
        senders.spawn(async move {
            let body = json!({"name": format!("m{number}"), "description": "x".repeat(15 * MEBIBYTE)}).to_string();
            let mut sender = SlowBody::start(address, MODELS, body.len()).await.unwrap();
            // A server that rejects the body does not read it to its end.
            let _ = sender.send(body.as_bytes()).await;
            sender.status().await
        });
    }
    let mut created = 0;
    // Storing one takes seconds next to other tests.
    while let Some(status) = tokio::time::timeout(TIME_LIMIT * 4, senders.join_next()).await.unwrap() {
        match status.unwrap() {
            Some(201) => created += 1,
            Some(503) | None => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(created > 0);
    server.check("bodies of 15 MiB");
    assert_eq!(server.client.get("registered_models?pageSize=1").await.status, 200);
}

#[tokio::test]
async fn a_body_of_many_small_values_is_bounded() {
    let server = Server::start().await;
    let mut senders = JoinSet::new();
    for element in ["1,", "[],", "{},", r#"{"":1},"#, r#""","#, "[[[[1]]]],"] {
        let address = server.address();
        senders.spawn(async move {
            let count = 15 * MEBIBYTE / element.len();
            let elements = element.repeat(count);
            let body = format!(r#"{{"name":"m","customProperties":{{"p":[{}]}}}}"#, elements.trim_end_matches(','));
            let mut sender = SlowBody::start(address, MODELS, body.len()).await.unwrap();
            let _ = sender.send(body.as_bytes()).await;
            (element, sender.status().await)
        });
    }
    while let Some(sent) = tokio::time::timeout(TIME_LIMIT, senders.join_next()).await.unwrap() {
        let (element, status) = sent.unwrap();
        assert!(matches!(status, Some(400 | 503) | None), "{element}: {status:?}");
    }
    server.check("bodies of many values");
}

#[tokio::test]
async fn lists_and_reads_of_large_entities_share_the_memory() {
    let server = Server::start().await;
    server.add_large_models().await;
    let page = server.client.read("registered_models?pageSize=100").await;
    assert_eq!(page["size"], 1, "the small one, before a large one that does not fit");
    let mut readers = JoinSet::new();
    for number in 0..48 {
        let client = server.client.clone();
        readers.spawn(async move {
            let path = match number % 4 {
                0 => "registered_models?pageSize=100&sortOrder=DESC".to_owned(),
                1 => "registered_models?pageSize=100&orderBy=CREATE_TIME&sortOrder=DESC".to_owned(),
                2 => format!("registered_models/{}", 2 + number / 4),
                _ => format!("registered_model?name=m{}", 1 + number / 4),
            };
            (client.try_get(&path).await.map(|response| response.status), path)
        });
    }
    let mut served = 0;
    while let Some(read) = tokio::time::timeout(TIME_LIMIT, readers.join_next()).await.unwrap() {
        match read.unwrap() {
            (Ok(200), _) => served += 1,
            (Ok(503), _) => {}
            (other, path) => panic!("{path}: {other:?}"),
        }
    }
    assert!(served > 4, "{served}");
    server.check("lists of entities of 15 MiB");
    let all = server.client.list_all("registered_models?pageSize=100").await;
    assert_eq!(all.len(), 13);
    server.check("all pages");
}

#[tokio::test]
async fn responses_that_are_not_read_share_the_memory_and_small_requests_are_served() {
    let server = Server::start().await;
    server.add_large_models().await;
    let (mut http2, mut http1) = (Vec::new(), Vec::new());
    for number in 0..20 {
        let path = format!("{MODELS}/{}", 2 + number % 2);
        http2.push(UnreadStreams::open(server.address(), &path, 50).await.unwrap());
        http1.push(unread_response(server.address(), &path).await.unwrap());
    }
    for _ in 0..20 {
        assert_eq!(server.client.read("registered_models/1").await["name"], "seed");
        assert_eq!(server.client.get("/livez").await.status, 200);
    }
    server.check("responses that are not read");
    drop((http1, http2));
    // The memory goes back to the system.
    let is_released = async || server.executable.resident_memory().unwrap() < LIMIT / 2;
    eventually("the memory is released", is_released).await;
}

#[tokio::test]
async fn more_slow_bodies_than_places_do_not_keep_others_out() {
    let server = Server::start().await;
    let mut slow = Vec::new();
    for _ in 0..1_100 {
        let mut body = SlowBody::start(server.address(), MODELS, 100).await.unwrap();
        body.send(b"{").await.unwrap();
        slow.push(body);
    }
    for _ in 0..20 {
        let read = tokio::time::timeout(Duration::from_secs(10), server.client.get("registered_models")).await;
        assert_eq!(read.expect("in time").status, 200);
    }
    server.check("slow bodies");
    drop(slow);
}
