//! The memory of a server whose clients use as much of it as they can.

use std::net::SocketAddr;
use std::time::Duration;

use model_registry_testkit::abuse::{SlowBody, UnreadStreams, unread_response};
use model_registry_testkit::{Backend, Executable, TestDatabase};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Client, TIME_LIMIT, eventually, role_on, start_on};

const MODELS: &str = "/api/model_registry/v1alpha3/registered_models";
const CATALOG: &str = "/api/model_catalog/v1alpha1";
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

    /// A catalog of a small model, and twelve of 15 MiB.
    async fn start_catalog() -> Self {
        let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
        let launch = role_on("catalog", database.url()).arguments(["--catalogs-path", "sources.yaml"]);
        let sources = "model_catalogs: [{id: a, name: A, type: yaml, properties: {yamlCatalogPath: models.yaml}}]";
        let launch = launch.file("sources.yaml", sources).file("models.yaml", "models: [{name: seed, readme: SEED}]");
        let executable = launch.start().await.unwrap();
        let client = Client::of(&executable);
        let is_loaded = async || client.get(&format!("{CATALOG}/models")).await.body["size"] == 1;
        eventually("the source is loaded", is_loaded).await;
        let statement = "INSERT INTO catalog_item (id, workspace_id, kind, source_id, parent_id, item_key, name, name_folded, \
             sort_name, create_time, update_time, digest, search_text, document) \
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 12) \
             SELECT id + n, workspace_id, kind, source_id, parent_id, 'm' || n, 'm' || n, 'm' || n, 'm' || n, create_time, \
             update_time, digest, search_text, \
             REPLACE(REPLACE(document, '\"seed\"', '\"m' || n || '\"'), 'SEED', hex(zeroblob(7864320))) \
             FROM catalog_item, numbers WHERE name = 'seed'";
        database.execute(statement).await.unwrap();
        Self { executable, client, database }
    }

    /// Runs requests at the same time, of which some may be rejected for lack of memory; returns how many succeeded.
    async fn served(&self, method: &str, requests: Vec<(String, Option<Value>)>) -> usize {
        let mut clients = JoinSet::new();
        for (path, body) in requests {
            let (client, method) = (self.client.clone(), method.to_owned());
            clients.spawn(async move {
                let response = client.call(&method, &path, &[], body.as_ref()).await;
                (response.map(|response| response.status), path)
            });
        }
        let mut served = 0;
        // Each takes seconds next to other tests.
        while let Some(response) = tokio::time::timeout(TIME_LIMIT * 4, clients.join_next()).await.unwrap() {
            match response.unwrap() {
                (Ok(200), _) => served += 1,
                (Ok(503 | 504), _) => {}
                // It waited for its turn for too long.
                (Err(error), _) if error.is_timeout() => {}
                (other, path) => panic!("{path}: {other:?}"),
            }
        }
        served
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
            // A server that rejects the body discards the rest of it, for ten seconds: it may be slower next to other tests.
            match sender.send(body.as_bytes()).await {
                Ok(()) => sender.status().await,
                Err(_) => None,
            }
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
            sender.send(body.as_bytes()).await.unwrap();
            (element, sender.status().await)
        });
    }
    while let Some(sent) = tokio::time::timeout(TIME_LIMIT, senders.join_next()).await.unwrap() {
        let (element, status) = sent.unwrap();
        assert!(matches!(status, Some(400 | 503)), "{element}: {status:?}");
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
async fn updates_of_large_entities_share_the_memory() {
    let server = Server::start().await;
    server.add_large_models().await;
    let patch = |number: usize| {
        (format!("registered_models/{}", 2 + number % 12), Some(json!({"owner": format!("owner-{number}")})))
    };
    let updated = server.served("PATCH", (0..16).map(patch).collect()).await;
    assert!(updated > 0);
    server.check("updates of entities of 15 MiB");
    let small = server.client.call("PATCH", "registered_models/1", &[], Some(&json!({"owner": "ada"}))).await.unwrap();
    assert_eq!((small.status, &small.body["owner"]), (200, &json!("ada")));
}

#[tokio::test]
async fn lists_and_reads_of_large_items_of_the_catalog_share_the_memory() {
    let server = Server::start_catalog().await;
    let lists = [
        "pageSize=100",
        "pageSize=10000&orderBy=NAME&sortOrder=DESC",
        "pageSize=100&orderBy=readme.string_value",
        "pageSize=3&q=m",
    ];
    let requests = (0..48).map(|number| {
        let path = match number % 5 {
            4 => format!("{CATALOG}/sources/a/models/m{}", 1 + number % 12),
            list => format!("{CATALOG}/models?{}", lists[list]),
        };
        (path, None)
    });
    let served = server.served("GET", requests.collect()).await;
    assert!(served > 4, "{served}");
    server.check("lists of items of 15 MiB");
    let all = server.client.list_all(&format!("{CATALOG}/models?pageSize=100")).await;
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
