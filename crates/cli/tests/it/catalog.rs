//! The catalog's server, killed while it reads a hub or a file, and replicas that take over from each other.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use model_registry_testkit::executable::Launch;
use model_registry_testkit::{Backend, Executable, HubServer, TestDatabase, backends};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Client, PROGRAM, eventually};

const MODELS: &str = "/api/model_catalog/v1alpha1/models?pageSize=100";
const OF_HUB: usize = 30;
const OF_FILE: usize = 1_500;

fn catalog_on(database: &TestDatabase, sources: &Path) -> Launch {
    let sources = sources.join("sources.yaml");
    Executable::launch(PROGRAM)
        .arguments(["catalog", "--listen", "127.0.0.1:{port}", "--log-level", "info,access=off"])
        .arguments(["--database", database.url(), "--catalogs-path", &sources.to_string_lossy()])
        .arguments(["--hub-hosts", "127.0.0.1", "--allow-private-hubs"])
}

/// A directory with one source.
fn source(entry: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("sources.yaml"), format!("model_catalogs:\n- {entry}\n")).unwrap();
    directory
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

/// The ids and descriptions of all models by name; a name that is there twice fails the test.
async fn models(client: &Client) -> BTreeMap<String, (String, String)> {
    let mut all = BTreeMap::new();
    for model in client.list_all(MODELS).await {
        let text = |field: &str| model[field].as_str().unwrap_or_default().to_owned();
        let twice = all.insert(text("name"), (text("id"), text("description")));
        assert!(twice.is_none(), "{model} is there twice");
    }
    all
}

fn is_of(models: &BTreeMap<String, (String, String)>, count: usize, description: &str) -> bool {
    models.len() == count && models.values().all(|(_, found)| found == description)
}

#[tokio::test]
async fn a_sync_that_is_killed_loses_and_doubles_nothing() {
    for backend in backends() {
        let hub = HubServer::start().await.unwrap();
        let url = hub.base_url();
        let entry =
            format!("{{id: hub, name: Hub, type: hf, includedModels: ['org/*'], properties: {{url: '{url}'}}}}");
        let directory = source(&entry);
        let database = TestDatabase::create(backend).await.unwrap();
        let name = |number: usize| format!("org/m{number:02}");
        (0..OF_HUB).for_each(|number| hub.publish(&name(number), 1));
        let mut server = catalog_on(&database, directory.path()).start().await.unwrap();
        let client = Client::of(&server);
        eventually("the first sync", async || models(&client).await.len() == OF_HUB).await;
        let before = models(&client).await;

        // Lists, descriptions, cards: the kill falls among each of them, and last into or behind the writing.
        for (round, requests) in [5, 20, 45, OF_HUB / 2 + 2 * OF_HUB].into_iter().enumerate() {
            let revision = u32::try_from(round).unwrap() + 2;
            server.kill().await.unwrap();
            (0..OF_HUB).for_each(|number| hub.publish(&name(number), revision));
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
            // Whatever came of it, all models are there, and the next sync brings all of them up to date.
            assert_eq!(models(&client).await.len(), OF_HUB, "{backend} round {round}");
            let newest = format!("revision {revision}");
            eventually("the next sync", async || is_of(&models(&client).await, OF_HUB, &newest)).await;
            let ids = |models: BTreeMap<String, (String, String)>| -> Vec<String> {
                models.into_values().map(|(id, _)| id).collect()
            };
            assert_eq!(ids(models(&client).await), ids(before.clone()), "{backend} round {round}");
        }
    }
}

#[tokio::test]
async fn a_load_that_is_killed_leaves_the_old_or_the_new_models() {
    for backend in backends() {
        let directory = source("{id: file, name: File, type: yaml, properties: {yamlCatalogPath: models.yaml}}");
        let database = TestDatabase::create(backend).await.unwrap();
        write_models(directory.path(), OF_FILE, 0);
        let mut server = catalog_on(&database, directory.path()).start().await.unwrap();
        let client = Client::of(&server);
        for round in 1..=5 {
            let (old, new) = (format!("round {}", round - 1), format!("round {round}"));
            eventually("the load before", async || is_of(&models(&client).await, OF_FILE, &old)).await;
            write_models(directory.path(), OF_FILE, round);
            // A change is noticed after 300 ms; then the load reads, writes and commits.
            tokio::time::sleep(Duration::from_millis(250 + u64::try_from(round).unwrap() * 100)).await;
            server.kill().await.unwrap();
            server.start_again().await.unwrap();
            let left = models(&client).await;
            assert!(is_of(&left, OF_FILE, &old) || is_of(&left, OF_FILE, &new), "{backend} round {round}: {left:?}");
            eventually("the load after", async || is_of(&models(&client).await, OF_FILE, &new)).await;
        }
    }
}

/// Whether a replica said last that it loads.
fn leads(server: &Executable) -> Option<bool> {
    let log = server.log();
    let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.rfind(|line| line["message"] == "catalog lease")?["leads"].as_bool()
}

#[tokio::test]
async fn a_replica_takes_over_from_one_that_was_killed() {
    for backend in backends().into_iter().filter(|backend| *backend != Backend::Sqlite) {
        let directory = source("{id: file, name: File, type: yaml, properties: {yamlCatalogPath: models.yaml}}");
        let database = TestDatabase::create(backend).await.unwrap();
        write_models(directory.path(), 3, 0);
        let mut first = catalog_on(&database, directory.path()).start().await.unwrap();
        eventually("the first one loads", async || leads(&first) == Some(true)).await;
        let second = catalog_on(&database, directory.path()).start().await.unwrap();
        let client = Client::of(&second);
        eventually("the second one follows", async || leads(&second) == Some(false)).await;
        eventually("it serves", async || is_of(&models(&client).await, 3, "round 0")).await;

        first.kill().await.unwrap();
        write_models(directory.path(), 4, 1);
        eventually("the second one loads", async || is_of(&models(&client).await, 4, "round 1")).await;
        assert_eq!(leads(&second), Some(true), "{backend}");

        // One that comes back does not take it away again.
        first.start_again().await.unwrap();
        write_models(directory.path(), 5, 2);
        let of_first = Client::of(&first);
        eventually("both serve", async || {
            is_of(&models(&client).await, 5, "round 2") && is_of(&models(&of_first).await, 5, "round 2")
        })
        .await;
        assert_eq!((leads(&first), leads(&second)), (Some(false), Some(true)), "{backend}");
    }
}
