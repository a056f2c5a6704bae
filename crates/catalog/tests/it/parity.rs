//! Defects of the Kubeflow Model Registry that this catalog does not have.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use model_registry_base::Clock;
use model_registry_catalog::{Catalog, Settings};
use model_registry_catalog_store::{CatalogItems, CatalogLoad, SourceSnapshot};
use model_registry_store::{Lease, PoolOptions, Store};
use model_registry_testkit::{Backend, TestDatabase, on_each_database};
use serde_json::{Value, json};
use tracing::subscriber::DefaultGuard;

use crate::support::{Api, Files, eventually};

on_each_database!(
    all_fields_of_a_data_file_are_published,
    a_colon_in_an_id_or_name_does_not_confuse_sources,
    filter_options_follow_the_last_load,
    a_failed_first_load_is_retried,
    a_load_that_outlives_its_lease_writes_nothing
);

const SERVERS: &str = "/api/mcp_catalog/v1alpha1/mcp_servers";
const SOURCES: &str = "\
model_catalogs:
- {id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}
mcp_catalogs:
- {id: t, name: T, type: yaml, properties: {yamlCatalogPath: t.yaml}}
";

async fn all_fields_of_a_data_file_are_published(backend: Backend) {
    let models = "\
models:
- name: m
  externalId: ext-m
  licenseLink: https://l.example
  artifacts:
  - {uri: 'oci://x/y', name: weights, description: All of them, externalId: ext-a}
  - {artifactType: metrics-artifact, metricsType: accuracy-metrics, name: scores, description: Some, externalId: ext-s}
";
    let servers = "\
mcp_servers:
- name: s
  license_link: https://l.example
  publishedDate: '2025-03-01'
  lastUpdated: '2025-04-01T10:00:00Z'
  endpoints: {websocket: 'wss://w.example'}
- {name: camel, licenseLink: https://c.example}
";
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", models), ("t.yaml", servers)]);
    let api = Api::on(backend, files.settings()).await;
    let model = api.get("sources/a/models/m").await.json();
    assert_eq!((&model["externalId"], &model["licenseLink"]), (&json!("ext-m"), &json!("https://l.example")));
    let artifacts = api.get("sources/a/models/m/artifacts").await.json();
    let values = |field: &str| -> Vec<Value> {
        artifacts["items"].as_array().unwrap().iter().map(|artifact| artifact[field].clone()).collect()
    };
    assert_eq!(values("name"), ["weights", "scores"]);
    assert_eq!(values("description"), ["All of them", "Some"]);
    assert_eq!(values("externalId"), ["ext-a", "ext-s"]);
    let listed = api.get(SERVERS).await.json();
    let [first, second] = [0, 1].map(|index| listed["items"][index].clone());
    assert_eq!(first["license_link"], "https://l.example");
    assert_eq!(first["publishedDate"], "2025-03-01T00:00:00Z");
    assert_eq!(first["lastUpdated"], "2025-04-01T10:00:00Z");
    assert_eq!(first["endpoints"], json!({"websocket": "wss://w.example"}));
    assert_eq!(second["license_link"], "https://c.example");
}

async fn a_colon_in_an_id_or_name_does_not_confuse_sources(backend: Backend) {
    let sources = "\
model_catalogs:
- {id: 'a', type: yaml, properties: {yamlCatalogPath: first.yaml}}
- {id: 'a:b', type: yaml, properties: {yamlCatalogPath: second.yaml}}
";
    let first = "models: [{name: 'b:c', provider: first}, {name: c, provider: other}]";
    let second = "models: [{name: c, provider: second}]";
    let files = Files::new(&[("sources.yaml", sources), ("first.yaml", first), ("second.yaml", second)]);
    let api = Api::on(backend, files.settings()).await;
    for (path, provider) in
        [("a/models/b:c", "first"), ("a/models/c", "other"), ("a:b/models/c", "second"), ("a%3Ab/models/c", "second")]
    {
        let model = api.get(&format!("sources/{path}")).await.json();
        assert_eq!(model["provider"], provider, "{path}: {model}");
    }
    assert_eq!(api.names("models?source=a:b").await, ["c"]);
    files.write("second.yaml", "models: []");
    api.catalog.load().await.unwrap();
    assert_eq!(api.names("models").await, ["b:c", "c"]);
}

#[tokio::test]
async fn labels_and_named_queries_follow_their_files() {
    let own = "labels: [{name: own, displayName: first}]\nnamedQueries:\n  q: {provider: {operator: =, value: x}}\n  \
               s: {assetType: mcp_servers, filters: {provider: {operator: =, value: x}, version: {operator: =, value: '1'}}}\n";
    let files = Files::new(&[
        ("sources.yaml", &format!("{SOURCES}labels: [{{name: shared}}]\n")),
        ("own.yaml", own),
        ("a.yaml", "models: [{name: m, provider: x}]"),
        ("t.yaml", "mcp_servers: [{name: s, provider: x, version: '2'}]"),
    ]);
    let settings =
        Settings { sources: vec![files.path("sources.yaml"), files.path("own.yaml")], ..Settings::default() };
    let api = Api::on(Backend::Sqlite, settings).await;
    let labels = async || {
        let json = api.get("labels").await.json();
        let text = |label: &Value| format!("{} {}", label["name"], label["displayName"]).replace('"', "");
        json["items"].as_array().unwrap().iter().map(text).collect::<Vec<_>>()
    };
    let queries = async || api.get("models/filter_options").await.json()["namedQueries"].clone();
    assert_eq!(labels().await, ["shared null", "own first"]);
    assert_eq!(queries().await["q"]["provider"]["value"], "x");
    assert!(api.names(&format!("{SERVERS}?namedQuery=s")).await.is_empty());

    for round in ["second", "third"] {
        let changed =
            own.replace("first", round).replace(", version: {operator: =, value: '1'}", "").replace("  q:", "  r:");
        files.write("own.yaml", &changed);
        let summary = api.catalog.load().await.unwrap();
        assert_eq!(summary.problems, []);
        assert_eq!(labels().await, ["shared null".to_owned(), format!("own {round}")]);
        assert_eq!((queries().await.get("q").is_some(), queries().await.get("r").is_some()), (false, true));
        assert_eq!(api.names(&format!("{SERVERS}?namedQuery=s")).await, ["s"]);
    }
    files.write("own.yaml", "labels: []\n");
    api.catalog.load().await.unwrap();
    assert_eq!(labels().await, ["shared null"]);
    assert!(queries().await.is_null());
    let response = api.get(&format!("{SERVERS}?namedQuery=s")).await;
    assert_eq!((response.status, response.message().contains("unknown named query")), (400, true));
}

async fn filter_options_follow_the_last_load(backend: Backend) {
    let files = Files::new(&[
        ("sources.yaml", SOURCES),
        ("a.yaml", "models: [{name: m, provider: x}]"),
        ("t.yaml", "mcp_servers: [{name: s, provider: y}]"),
    ]);
    let api = Api::on(backend, files.settings()).await;
    // The options of the previous load are returned until the new ones are computed.
    let offers = async |path: &str, values: Value| {
        eventually("filter options", async || api.get(path).await.json()["filters"]["provider"]["values"] == values)
            .await;
    };
    let of_servers = format!("{SERVERS}/filter_options");
    offers("models/filter_options", json!(["x"])).await;
    offers(&of_servers, json!(["y"])).await;
    // A load of servers alone, and one that only deletes.
    files.write("t.yaml", "mcp_servers: [{name: s, provider: z}]");
    api.catalog.load().await.unwrap();
    offers(&of_servers, json!(["z"])).await;
    files.write("a.yaml", "models: []");
    files.write("t.yaml", "mcp_servers: []");
    api.catalog.load().await.unwrap();
    offers("models/filter_options", Value::Null).await;
    offers(&of_servers, Value::Null).await;
}

/// The log of the current thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn capture(&self) -> DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.clone()).finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn a_failed_first_load_is_retried(backend: Backend) {
    let database = TestDatabase::create(backend).await.unwrap();
    let store =
        Store::connect(&database.url().parse().unwrap(), PoolOptions::default(), Clock::system()).await.unwrap();
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", "models: [{name: m}]"), ("t.yaml", "")]);
    let catalog = Catalog::new(store, files.settings());
    database.execute("ALTER TABLE catalog_state RENAME TO catalog_state_away").await.unwrap();
    let log = Log::default();
    let _capturing = log.capture();
    let running = tokio::spawn(catalog.clone().run());
    eventually("a load fails", async || log.text().contains("catalog not loaded")).await;
    assert!(!catalog.is_loaded());
    database.execute("ALTER TABLE catalog_state_away RENAME TO catalog_state").await.unwrap();
    eventually("loaded", async || catalog.is_loaded()).await;
    running.abort();
}

#[tokio::test]
async fn changed_data_files_of_servers_and_performance_metrics_are_loaded() {
    let files = Files::new(&[
        ("sources.yaml", SOURCES),
        ("a.yaml", "models: [{name: m}]"),
        ("t.yaml", "mcp_servers: [{name: before}]"),
    ]);
    std::fs::create_dir(files.path("measured")).unwrap();
    let settings = Settings { performance_metrics: vec![files.path("measured")], ..files.settings() };
    let api = Api::on(Backend::Sqlite, settings).await;
    let working = async {
        files.write("t.yaml", "mcp_servers: [{name: after}]");
        eventually("the data file of the servers", async || api.names(SERVERS).await == ["after"]).await;
        std::fs::create_dir(files.path("measured/m")).unwrap();
        files.write("measured/m/metadata.json", r#"{"id": "m"}"#);
        let measured = async |count: usize| {
            let json = api.get("sources/a/models/m/artifacts").await.json();
            json["size"] == count
        };
        files.write("measured/m/performance.ndjson", "{\"rps\": 1}\n");
        eventually("a new directory", async || measured(1).await).await;
        files.write("measured/m/performance.ndjson", "{\"rps\": 1}\n{\"rps\": 2}\n");
        eventually("another record", async || measured(2).await).await;
        std::fs::remove_file(files.path("measured/m/performance.ndjson")).unwrap();
        eventually("removed records", async || measured(0).await).await;
    };
    tokio::select! {
        never = api.catalog.clone().run() => match never {},
        () = working => {}
    }
}

async fn a_load_that_outlives_its_lease_writes_nothing(backend: Backend) {
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", "models: [{name: m}]"), ("t.yaml", "")]);
    let api = Api::on(backend, files.settings()).await;
    let [old, new] = [(); 2].map(|()| Lease::new("catalog", Duration::from_mins(1)));
    assert!(api.store.acquire(&old).await.unwrap());
    api.store.release(&old).await.unwrap();
    assert!(api.store.acquire(&new).await.unwrap());
    let load = |lease: &Lease| {
        let snapshot = SourceSnapshot {
            source_id: "a".to_owned(),
            status: "error",
            error: Some("late".to_owned()),
            skipped: 0,
            ignored: 0,
            items: Some(CatalogItems::default()),
            kept: Vec::new(),
            is_part: false,
            next_sync: None,
        };
        let sources = Some(vec!["a".to_owned()]);
        CatalogLoad { snapshots: vec![snapshot], sources, clock: Clock::system(), lease: Some(lease.clone()) }
    };
    assert_eq!(api.store.write(&load(&old)).await.unwrap(), None);
    assert_eq!(api.names("models").await, ["m"]);
    assert_eq!(api.get("sources").await.json()["items"][0]["status"], "available");
    assert_eq!(api.store.write(&load(&new)).await.unwrap().unwrap().removed, 1);
    assert!(api.names("models").await.is_empty());
}

#[tokio::test]
async fn a_preview_that_is_too_large_is_rejected_with_and_without_a_content_length() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    let head = "--b\r\nContent-Disposition: form-data; name=\"catalogData\"; filename=\"f\"\r\n\r\nmodels: #";
    let body = format!("{head}{}\r\n--b--\r\n", "x".repeat(17 << 20));
    let pieces: Vec<Result<Vec<u8>, std::io::Error>> =
        body.as_bytes().chunks(1 << 16).map(|one| Ok(one.to_vec())).collect();
    for body in [axum::body::Body::from(body.clone()), axum::body::Body::from_stream(futures::stream::iter(pieces))] {
        let request = Request::post("/api/model_catalog/v1alpha1/sources/preview")
            .header("content-type", "multipart/form-data; boundary=b")
            .body(body)
            .unwrap();
        let response = api.send(request).await;
        assert_eq!(response.status, 413, "{}", String::from_utf8_lossy(&response.bytes));
        assert!(
            response.message().contains("16777216") || response.message().contains("16 MiB"),
            "{}",
            response.message()
        );
    }
}
