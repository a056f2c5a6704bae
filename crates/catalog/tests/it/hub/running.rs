//! Hub sources of a running catalog: times of the syncs, and readiness.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use model_registry_base::Clock;
use model_registry_catalog::{Catalog, Settings};
use model_registry_testkit::hub::{HubServer, Planned};
use model_registry_testkit::{Backend, on_each_database};

use super::settings;
use crate::support::{Api, Files, eventually};

on_each_database!(
    a_restart_syncs_only_sources_that_are_due,
    an_unresponsive_hub_delays_neither_other_hubs_nor_readiness,
    replicas_of_a_catalog_without_sources_are_ready,
    one_replica_syncs_and_all_serve
);

/// The source of an organisation, whose id is the name of the organisation.
fn entry(hub: &HubServer, organization: &str, more: &str) -> String {
    format!(
        "- {{id: {organization}, name: Hub, type: hf, includedModels: ['{organization}/*']{more}, properties: {{url: '{}'}}}}\n",
        hub.base_url()
    )
}

fn sources(entries: &[String]) -> String {
    format!("model_catalogs:\n{}", entries.concat())
}

async fn hub_with(model: &str) -> HubServer {
    let hub = HubServer::start().await.unwrap();
    hub.publish(model, 1);
    hub
}

/// A new catalog over the same database, like another process.
fn restarted(api: &Api, settings: Settings) -> Catalog {
    Catalog::new(api.store.clone(), settings)
}

async fn is_ready(catalog: &Catalog) -> bool {
    catalog.clone().check().await.is_healthy()
}

async fn a_restart_syncs_only_sources_that_are_due(backend: Backend) {
    let (read, fresh, failed) = (hub_with("read/a").await, hub_with("fresh/a").await, hub_with("failed/a").await);
    let all =
        |more: &str| sources(&[entry(&read, "read", more), entry(&fresh, "fresh", ""), entry(&failed, "failed", "")]);
    let files = Files::new(&[("sources.yaml", &all(""))]);
    let api = Api::on(backend, settings(&files, None)).await;
    failed.plan("/api/models", std::iter::repeat_with(|| Planned::Broken).take(5).collect());
    api.catalog.sync("read").await.unwrap();
    api.catalog.sync("failed").await.unwrap();
    for hub in [&read, &failed] {
        hub.requests();
    }
    // Slower than the others: a sync that is not due would happen before this one ends.
    fresh.slow_down(Duration::from_millis(300));
    let running = tokio::spawn(restarted(&api, settings(&files, None)).run());
    eventually("both are synced", async || api.names("models").await == ["failed/a", "fresh/a", "read/a"]).await;
    assert_eq!(read.requests(), [""; 0]);

    files.write("sources.yaml", &all(", excludedModels: ['*-draft']"));
    eventually("a changed source is synced", async || !read.requests().is_empty()).await;
    running.abort();
}

#[tokio::test]
async fn a_source_is_synced_after_its_interval_even_across_a_restart() {
    let hub = hub_with("org/a").await;
    let files = Files::new(&[("sources.yaml", &sources(&[entry(&hub, "org", "")]))]);
    let hours = Arc::new(AtomicI64::new(0));
    let read = Arc::clone(&hours);
    let system = Clock::system();
    let clock = Clock::new(move || system.now() + read.load(Ordering::Relaxed) * 3_600_000);
    let api = Api::with_clock(Backend::Sqlite, settings(&files, None), clock).await;
    api.catalog.sync("org").await.unwrap();
    let next = api.catalog.store().find_next_sync("org").await.unwrap().unwrap().next_time;
    let seconds_left = (next - api.store.clock().now()) / 1000;
    assert!((24 * 3600 - 60..=24 * 3600).contains(&seconds_left), "{seconds_left}");

    hub.publish("org/a", 2);
    hours.store(25, Ordering::Relaxed);
    let running = tokio::spawn(restarted(&api, settings(&files, None)).run());
    let description = async || api.get("sources/org/models/org/a").await.json()["description"].clone();
    eventually("it is synced again", async || description().await == "revision 2").await;
    running.abort();
}

async fn an_unresponsive_hub_delays_neither_other_hubs_nor_readiness(backend: Backend) {
    let (silent, other) = (hub_with("silent/a").await, hub_with("other/a").await);
    silent.slow_down(Duration::from_hours(1));
    let text = sources(&[entry(&silent, "silent", ""), entry(&other, "other", "")]);
    let files = Files::new(&[("sources.yaml", &text)]);
    let api = Api::on(backend, settings(&files, None)).await;
    let catalog = restarted(&api, settings(&files, None));
    assert!(!is_ready(&catalog).await, "nothing is loaded");
    let running = tokio::spawn(catalog.clone().run());
    eventually("the other hub is synced", async || api.names("models").await == ["other/a"]).await;
    eventually("it is ready", async || is_ready(&catalog).await).await;
    other.publish("other/a", 2);
    files.write("sources.yaml", &text.replace("id: other,", "id: other, excludedModels: ['*-draft'],"));
    let description = async || api.get("sources/other/models/other/a").await.json()["description"].clone();
    eventually("it is synced again", async || description().await == "revision 2").await;
    assert!(silent.requests().len() < 3);
    running.abort();
}

#[tokio::test]
async fn a_catalog_of_hubs_alone_is_ready_after_the_first_sync_or_if_all_have_failed() {
    let hub = hub_with("org/a").await;
    let only_hub = sources(&[entry(&hub, "org", "")]);
    let files = Files::new(&[("sources.yaml", &only_hub), ("a.yaml", "models: [{name: a}]\n")]);
    let api = Api::on(Backend::Sqlite, settings(&files, None)).await;
    assert!(!is_ready(&api.catalog).await, "lists would be empty");
    api.catalog.sync("org").await.unwrap();
    assert!(is_ready(&api.catalog).await);
    let again = restarted(&api, settings(&files, None));
    assert!(!is_ready(&again).await);
    again.load().await.unwrap();
    assert!(is_ready(&again).await, "stored models are served");

    // It fails; the catalog has to be reachable, because its source shows the error.
    let broken = Api::on(Backend::Sqlite, settings(&files, None)).await;
    hub.plan("/api/models", std::iter::repeat_with(|| Planned::Broken).take(5).collect());
    assert!(!is_ready(&broken.catalog).await);
    broken.catalog.sync("org").await.unwrap();
    assert!(is_ready(&broken.catalog).await);

    // A file source makes it ready.
    let file = "- {id: file, name: File, type: yaml, properties: {yamlCatalogPath: a.yaml}}\n".to_owned();
    files.write("sources.yaml", &sources(&[entry(&hub, "org", ""), file]));
    assert!(is_ready(&Api::on(Backend::Sqlite, settings(&files, None)).await.catalog).await);
}

// The manifests of the Kubeflow Model Registry have an empty list of sources.
async fn replicas_of_a_catalog_without_sources_are_ready(backend: Backend) {
    // A SQLite database has one process.
    if backend == Backend::Sqlite {
        return;
    }
    let files = Files::new(&[("sources.yaml", "catalogs: []\n")]);
    let api = Api::on(backend, files.settings()).await;
    let (first, second) = (restarted(&api, files.settings()), restarted(&api, files.settings()));
    let running = tokio::spawn(first.clone().run());
    eventually("the first one is ready", async || is_ready(&first).await).await;
    let following = tokio::spawn(second.clone().run());
    eventually("the second one is ready", async || is_ready(&second).await).await;
    running.abort();
    following.abort();
}

async fn one_replica_syncs_and_all_serve(backend: Backend) {
    // A SQLite database has one process.
    if backend == Backend::Sqlite {
        return;
    }
    let hub = hub_with("org/a").await;
    let files = Files::new(&[("sources.yaml", &sources(&[entry(&hub, "org", "")]))]);
    let database = Api::on(backend, Settings::default()).await;
    let first = restarted(&database, settings(&files, None));
    let leading = tokio::spawn(first.clone().run());
    eventually("the first one is ready", async || is_ready(&first).await).await;
    assert_eq!(hub.requests(), ["/api/models", "/api/models/org/a", "/org/a/README.md"]);

    let second = restarted(&database, settings(&files, None));
    let following = tokio::spawn(second.clone().run());
    eventually("the second one is ready", async || is_ready(&second).await).await;
    assert_eq!(database.names("models").await, ["org/a"]);

    // It takes over: the source is due because its configuration changed, and only the new model is read.
    leading.abort();
    hub.publish("org/b", 1);
    files.write("sources.yaml", &sources(&[entry(&hub, "org", ", excludedModels: ['*-draft']")]));
    eventually("the second one syncs", async || database.names("models").await == ["org/a", "org/b"]).await;
    assert_eq!(hub.requests(), ["/api/models", "/api/models/org/b", "/org/b/README.md"]);
    following.abort();
}
