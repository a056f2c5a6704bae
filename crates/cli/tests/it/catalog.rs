//! The catalog server: kills during a sync or load, and replicas that take over the lease.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use model_registry_base::Clock;
use model_registry_testkit::executable::Launch;
use model_registry_testkit::hub::{Planned, TOKEN};
use model_registry_testkit::{Backend, Executable, HubServer, Ready, TestDatabase, on_each_database};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Client, eventually, role_on};

on_each_database!(
    a_killed_sync_loses_and_duplicates_nothing,
    a_killed_load_leaves_the_old_or_the_new_models,
    a_replica_takes_over_the_lease_of_a_killed_one,
    a_catalog_is_ready_after_its_first_sync_and_at_once_after_a_restart
);

const MODELS: &str = "/api/model_catalog/v1alpha1/models?pageSize=100";
const OF_HUB: usize = 30;
const OF_FILE: usize = 1_500;
const EXPIRE_TIME: &str = "SELECT expire_time FROM lease WHERE name = 'catalog'";
/// Duration of the lease in milliseconds. Another replica notices its expiry within three seconds.
const LEASE: i64 = 10_000;
const TOKEN_VARIABLE: &str = "HUB_TOKEN";

fn catalog_on(database: &TestDatabase, sources: &Path) -> Launch {
    let sources = sources.join("sources.yaml");
    role_on("catalog", database.url())
        .arguments(["--log-level", "info,access=off", "--catalogs-path", &sources.to_string_lossy()])
        .arguments(["--hub-hosts", "127.0.0.1", "--allow-private-hubs"])
}

/// A directory with one source.
fn source(entry: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    write_source(directory.path(), entry);
    directory
}

fn write_source(directory: &Path, entry: &str) {
    std::fs::write(directory.join("sources.yaml"), format!("model_catalogs:\n- {entry}\n")).unwrap();
}

fn write_models(directory: &Path, count: usize, round: usize) {
    let mut text = String::from("models:\n");
    for number in 0..count {
        let _ = writeln!(
            text,
            "- {{name: m{number:04}, description: round {round}, artifacts: [{{uri: 'oci://x/{number}'}}], customProperties: {{n: {{metadataType: MetadataIntValue, int_value: '{number}'}}}}}}"
        );
    }
    std::fs::write(directory.join("new"), text).unwrap();
    std::fs::rename(directory.join("new"), directory.join("models.yaml")).unwrap();
}

/// The ids and descriptions of all models by name; a duplicate name fails the test.
async fn models(client: &Client) -> BTreeMap<String, (String, String)> {
    let mut all = BTreeMap::new();
    for model in client.list_all(MODELS).await {
        let text = |field: &str| model[field].as_str().unwrap_or_default().to_owned();
        let twice = all.insert(text("name"), (text("id"), text("description")));
        assert!(twice.is_none(), "duplicate: {model}");
    }
    all
}

fn is_of(models: &BTreeMap<String, (String, String)>, count: usize, description: &str) -> bool {
    models.len() == count && models.values().all(|(_, found)| found == description)
}

async fn a_killed_sync_loses_and_duplicates_nothing(backend: Backend) {
    let hub = HubServer::start().await.unwrap();
    let url = hub.base_url();
    // A new exclusion per round, because a restart does not repeat a completed sync with the same configuration.
    let entry = |round: usize| {
        format!(
            "{{id: hub, name: Hub, type: hf, includedModels: ['org/*'], excludedModels: ['*-draft-{round}'], properties: {{url: '{url}'}}}}"
        )
    };
    let directory = source(&entry(0));
    let database = TestDatabase::create(backend).await.unwrap();
    let name = |number: usize| format!("org/m{number:02}");
    (0..OF_HUB).for_each(|number| hub.publish(&name(number), 1));
    let mut server = catalog_on(&database, directory.path()).start().await.unwrap();
    let client = Client::of(&server);
    eventually("the first sync", async || models(&client).await.len() == OF_HUB).await;
    let before = models(&client).await;

    // The kill hits the reading of lists, descriptions and cards, and last the writing.
    for (round, requests) in [5, 20, 45, OF_HUB / 2 + 2 * OF_HUB].into_iter().enumerate() {
        let revision = u32::try_from(round).unwrap() + 2;
        server.kill().await.unwrap();
        (0..OF_HUB).for_each(|number| hub.publish(&name(number), revision));
        write_source(directory.path(), &entry(round + 1));
        hub.slow_down(Duration::from_millis(5));
        hub.requests();
        server.start_again().await.unwrap();
        let mut seen = 0;
        eventually("requests", async || {
            seen += hub.requests().len();
            seen >= requests
        })
        .await;
        server.kill().await.unwrap();
        hub.slow_down(Duration::ZERO);
        server.start_again().await.unwrap();
        // All models are still listed, and the next sync updates all of them.
        assert_eq!(models(&client).await.len(), OF_HUB, "round {round}");
        let newest = format!("revision {revision}");
        eventually("the next sync", async || is_of(&models(&client).await, OF_HUB, &newest)).await;
        let ids = |models: BTreeMap<String, (String, String)>| -> Vec<String> {
            models.into_values().map(|(id, _)| id).collect()
        };
        assert_eq!(ids(models(&client).await), ids(before.clone()), "round {round}");
    }
}

async fn a_killed_load_leaves_the_old_or_the_new_models(backend: Backend) {
    let directory = source("{id: file, name: File, type: yaml, properties: {yamlCatalogPath: models.yaml}}");
    let database = TestDatabase::create(backend).await.unwrap();
    write_models(directory.path(), OF_FILE, 0);
    let mut server = catalog_on(&database, directory.path()).start().await.unwrap();
    let client = Client::of(&server);
    for round in 1..=5 {
        let (old, new) = (format!("round {}", round - 1), format!("round {round}"));
        eventually("the load before", async || is_of(&models(&client).await, OF_FILE, &old)).await;
        write_models(directory.path(), OF_FILE, round);
        // A change is noticed after 300 ms; then the load reads, writes and commits. The kills hit different phases.
        tokio::time::sleep(Duration::from_millis(250 + u64::try_from(round).unwrap() * 100)).await;
        server.kill().await.unwrap();
        server.start_again().await.unwrap();
        let left = models(&client).await;
        assert!(is_of(&left, OF_FILE, &old) || is_of(&left, OF_FILE, &new), "round {round}: {left:?}");
        eventually("the load after", async || is_of(&models(&client).await, OF_FILE, &new)).await;
    }
}

/// Whether the replica holds the lease, according to its last log line about it.
fn leads(server: &Executable) -> Option<bool> {
    let log = server.log();
    let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.rfind(|line| line["message"] == "catalog lease")?["leads"].as_bool()
}

async fn a_replica_takes_over_the_lease_of_a_killed_one(backend: Backend) {
    // Replicas do not share a SQLite file.
    if backend == Backend::Sqlite {
        return;
    }
    let directory = source("{id: file, name: File, type: yaml, properties: {yamlCatalogPath: models.yaml}}");
    let database = TestDatabase::create(backend).await.unwrap();
    write_models(directory.path(), 3, 0);
    let mut first = catalog_on(&database, directory.path()).start().await.unwrap();
    eventually("the first one holds the lease", async || leads(&first) == Some(true)).await;
    let second = catalog_on(&database, directory.path()).start().await.unwrap();
    let client = Client::of(&second);
    eventually("the second one does not", async || leads(&second) == Some(false)).await;
    eventually("the second one serves", async || is_of(&models(&client).await, 3, "round 0")).await;

    first.kill().await.unwrap();
    let killed = Clock::system().now();
    let expired = database.fetch_number(EXPIRE_TIME).await.unwrap();
    assert!(expired - killed <= LEASE, "{} ms are left", expired - killed);
    write_models(directory.path(), 4, 1);
    eventually("the second one takes over", async || is_of(&models(&client).await, 4, "round 1")).await;
    assert_eq!(leads(&second), Some(true));
    // The lease was not taken before it expired.
    let taken = database.fetch_number(EXPIRE_TIME).await.unwrap() - LEASE;
    assert!(taken >= expired, "taken {} ms too early", expired - taken);

    // The restarted first one does not take the lease back.
    first.start_again().await.unwrap();
    write_models(directory.path(), 5, 2);
    let of_first = Client::of(&first);
    eventually("both serve", async || {
        is_of(&models(&client).await, 5, "round 2") && is_of(&models(&of_first).await, 5, "round 2")
    })
    .await;
    assert_eq!((leads(&first), leads(&second)), (Some(false), Some(true)));
}

async fn a_catalog_is_ready_after_its_first_sync_and_at_once_after_a_restart(backend: Backend) {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/a", 1);
    hub.slow_down(Duration::from_millis(500));
    let url = hub.base_url();
    let entry = format!("{{id: hub, name: Hub, type: hf, includedModels: ['org/*'], properties: {{url: '{url}'}}}}");
    let directory = source(&entry);
    let database = TestDatabase::create(backend).await.unwrap();
    let launch = catalog_on(&database, directory.path()).ready(Ready::Listening);
    let mut server = launch.start().await.unwrap();
    let client = Client::of(&server);
    eventually("the hub gets a request", async || !hub.requests().is_empty()).await;
    let response = client.get("/readyz/health?format=json").await;
    assert_eq!(response.status, 503, "{response:?}");
    assert!(response.body.to_string().contains("no hub or repository has been read yet"), "{response:?}");
    eventually("it is ready", async || client.get("/readyz/health").await.status == 200).await;
    assert_eq!(models(&client).await.len(), 1);

    // The last snapshot is served while the hub is unavailable.
    server.kill().await.unwrap();
    hub.slow_down(Duration::from_hours(1));
    server.start_again().await.unwrap();
    eventually("it is ready again", async || client.get("/readyz/health").await.status == 200).await;
    assert_eq!(models(&client).await.len(), 1);

    // A shutdown does not wait for the hub.
    write_source(directory.path(), &entry.replace("'org/*'", "'org/*', 'other/*'"));
    hub.requests();
    eventually("the hub gets another request", async || !hub.requests().is_empty()).await;
    assert!(server.terminate().await.unwrap().success(), "{}", server.log());
}

#[tokio::test]
async fn the_token_of_a_hub_is_never_exposed() {
    let hub = HubServer::start().await.unwrap();
    for name in ["org/a", "org/b"] {
        hub.publish(name, 1);
    }
    hub.hide("org/a");
    hub.plan("/api/models/org/b", vec![Planned::Redirect("https://elsewhere.example/?signed=1".to_owned())]);
    let (url, directory) = (hub.base_url(), tempfile::tempdir().unwrap());
    let properties = format!("properties: {{url: '{url}', apiKeyEnvVar: {TOKEN_VARIABLE}}}");
    let entries = [
        format!("{{id: hub, name: Hub, type: hf, includedModels: ['org/a', 'org/b', 'org/absent'], {properties}}}"),
        // The error about the invalid URL must not contain the token.
        format!(
            "{{id: odd, name: Odd, type: hf, includedModels: ['org/a'], properties: {{url: 'x y', apiKeyEnvVar: {TOKEN_VARIABLE}}}}}"
        ),
    ];
    write_source(directory.path(), &entries.join("\n- "));
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let launch = catalog_on(&database, directory.path()).variable(TOKEN_VARIABLE, TOKEN);
    let mut server = launch.arguments(["--log-level", "trace"]).start().await.unwrap();
    let client = Client::of(&server);
    eventually("both are read", async || {
        let sources = client.read("/api/model_catalog/v1alpha1/sources").await;
        sources["items"].as_array().unwrap().iter().all(|source| source["status"].is_string())
    })
    .await;
    assert!(hub.authorizations().iter().all(|sent| sent.as_deref() == Some("Bearer hf_test")));
    let mut exposed = String::new();
    for path in ["sources", "models", "models/filter_options", "sources/hub/models/org/a"] {
        exposed.push_str(&client.read(&format!("/api/model_catalog/v1alpha1/{path}")).await.to_string());
    }
    assert!(exposed.contains("org/absent: not found") && exposed.contains("\"org/a\""), "{exposed}");
    for path in ["/metrics", "/readyz/health?format=json", "/openapi.json"] {
        let response = client.get(path).await;
        assert_eq!(response.status, 200, "{path}");
        exposed.push_str(&response.body.to_string());
    }
    assert!(server.terminate().await.unwrap().success());
    let log = server.log();
    assert!(log.contains("source synced") && log.contains("\"DEBUG\""), "{log}");
    for text in [exposed, log] {
        assert!(!text.contains(TOKEN), "{text}");
    }
}
