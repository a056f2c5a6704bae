//! Sources of a running catalog: when each is read, and when the catalog is ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use model_registry_base::Clock;
use model_registry_catalog::{Catalog, Settings};
use model_registry_testkit::hub::{HubServer, Planned};
use model_registry_testkit::{Backend, backends};

use super::{eventually, settings};
use crate::support::{Api, Files};

/// A source of an organisation, by the name of which it is called.
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

/// As another process would.
fn restarted(api: &Api, settings: Settings) -> Catalog {
    Catalog::new(api.store.clone(), settings)
}

async fn is_ready(catalog: &Catalog) -> bool {
    catalog.clone().check().await.is_healthy()
}

#[tokio::test]
async fn a_restart_reads_only_what_is_due() {
    for backend in backends() {
        let (read, fresh, failed) = (hub_with("read/a").await, hub_with("fresh/a").await, hub_with("failed/a").await);
        let all = |more: &str| {
            sources(&[entry(&read, "read", more), entry(&fresh, "fresh", ""), entry(&failed, "failed", "")])
        };
        let files = Files::new(&[("sources.yaml", &all(""))]);
        let api = Api::on(backend, settings(&files, None)).await;
        failed.plan("/api/models", std::iter::repeat_with(|| Planned::Broken).take(5).collect());
        api.catalog.sync_hub("read").await.unwrap();
        api.catalog.sync_hub("failed").await.unwrap();
        for hub in [&read, &failed] {
            hub.requests();
        }
        // What is not due would have been asked for long before this one is read.
        fresh.slow_down(Duration::from_millis(300));
        let running = tokio::spawn(restarted(&api, settings(&files, None)).run());
        eventually("both are read", async || api.names("models").await == ["failed/a", "fresh/a", "read/a"]).await;
        assert_eq!(read.requests(), [""; 0], "{backend}");

        files.write("sources.yaml", &all(", excludedModels: ['*-draft']"));
        eventually("a changed source is read", async || !read.requests().is_empty()).await;
        running.abort();
    }
}

#[tokio::test]
async fn a_source_is_read_again_after_its_interval_even_if_a_restart_lies_between() {
    let hub = hub_with("org/a").await;
    let files = Files::new(&[("sources.yaml", &sources(&[entry(&hub, "org", "")]))]);
    let hours = Arc::new(AtomicI64::new(0));
    let read = Arc::clone(&hours);
    let system = Clock::system();
    let clock = Clock::new(move || system.now() + read.load(Ordering::Relaxed) * 3_600_000);
    let api = Api::with_clock(Backend::Sqlite, settings(&files, None), clock).await;
    api.catalog.sync_hub("org").await.unwrap();
    let next = api.catalog.store().find_next_sync("org").await.unwrap().unwrap().next_time;
    let seconds_left = (next - api.store.clock().now()) / 1000;
    assert!((24 * 3600 - 60..=24 * 3600).contains(&seconds_left), "{seconds_left}");

    hub.publish("org/a", 2);
    hours.store(25, Ordering::Relaxed);
    let running = tokio::spawn(restarted(&api, settings(&files, None)).run());
    let description = async || api.get("sources/org/models/org/a").await.json()["description"].clone();
    eventually("it is read again", async || description().await == "revision 2").await;
    running.abort();
}

#[tokio::test]
async fn a_hub_that_does_not_answer_delays_no_other_and_the_catalog_is_ready_without_it() {
    for backend in backends() {
        let (silent, other) = (hub_with("silent/a").await, hub_with("other/a").await);
        silent.slow_down(Duration::from_hours(1));
        let text = sources(&[entry(&silent, "silent", ""), entry(&other, "other", "")]);
        let files = Files::new(&[("sources.yaml", &text)]);
        let api = Api::on(backend, settings(&files, None)).await;
        let catalog = restarted(&api, settings(&files, None));
        assert!(!is_ready(&catalog).await, "nothing is loaded");
        let running = tokio::spawn(catalog.clone().run());
        eventually("the other hub is read", async || api.names("models").await == ["other/a"]).await;
        eventually("it is ready", async || is_ready(&catalog).await).await;
        other.publish("other/a", 2);
        files.write("sources.yaml", &text.replace("id: other,", "id: other, excludedModels: ['*-draft'],"));
        let description = async || api.get("sources/other/models/other/a").await.json()["description"].clone();
        eventually("it is read again", async || description().await == "revision 2").await;
        assert!(silent.requests().len() < 3, "{backend}");
        running.abort();
    }
}

#[tokio::test]
async fn a_catalog_of_hubs_alone_is_ready_after_the_first_was_read_or_all_have_failed() {
    let hub = hub_with("org/a").await;
    let only_hub = sources(&[entry(&hub, "org", "")]);
    let files = Files::new(&[("sources.yaml", &only_hub), ("a.yaml", "models: [{name: a}]\n")]);
    let api = Api::on(Backend::Sqlite, settings(&files, None)).await;
    assert!(!is_ready(&api.catalog).await, "lists would be empty");
    api.catalog.sync_hub("org").await.unwrap();
    assert!(is_ready(&api.catalog).await);
    let again = restarted(&api, settings(&files, None));
    assert!(!is_ready(&again).await);
    again.load().await.unwrap();
    assert!(is_ready(&again).await, "what was read before is served");

    // It fails, and its source tells why: nobody would see that of a catalog that is not ready.
    let broken = Api::on(Backend::Sqlite, settings(&files, None)).await;
    hub.plan("/api/models", std::iter::repeat_with(|| Planned::Broken).take(5).collect());
    assert!(!is_ready(&broken.catalog).await);
    broken.catalog.sync_hub("org").await.unwrap();
    assert!(is_ready(&broken.catalog).await);

    // Files are there to be served.
    let file = "- {id: file, name: File, type: yaml, properties: {yamlCatalogPath: a.yaml}}\n".to_owned();
    files.write("sources.yaml", &sources(&[entry(&hub, "org", ""), file]));
    assert!(is_ready(&Api::on(Backend::Sqlite, settings(&files, None)).await.catalog).await);
}

// The manifests of the reference ship an empty list of sources.
#[tokio::test]
async fn replicas_of_a_catalog_without_sources_are_ready() {
    for backend in backends().into_iter().filter(|backend| *backend != Backend::Sqlite) {
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
}

#[tokio::test]
async fn one_replica_reads_a_hub_and_all_serve_what_it_has_read() {
    for backend in backends().into_iter().filter(|backend| *backend != Backend::Sqlite) {
        let hub = hub_with("org/a").await;
        let files = Files::new(&[("sources.yaml", &sources(&[entry(&hub, "org", "")]))]);
        let database = Api::on(backend, Settings::default()).await;
        let first = restarted(&database, settings(&files, None));
        let leading = tokio::spawn(first.clone().run());
        eventually("the first one is ready", async || is_ready(&first).await).await;
        assert_eq!(hub.requests(), ["/api/models", "/api/models/org/a", "/org/a/README.md"], "{backend}");

        let second = restarted(&database, settings(&files, None));
        let following = tokio::spawn(second.clone().run());
        eventually("the second one is ready", async || is_ready(&second).await).await;
        assert_eq!(database.names("models").await, ["org/a"], "{backend}");

        // It takes over: what was read is not due, and what is new is read.
        leading.abort();
        hub.publish("org/b", 1);
        files.write("sources.yaml", &sources(&[entry(&hub, "org", ", excludedModels: ['*-draft']")]));
        eventually("the second one reads", async || database.names("models").await == ["org/a", "org/b"]).await;
        assert_eq!(hub.requests(), ["/api/models", "/api/models/org/b", "/org/b/README.md"], "{backend}");
        following.abort();
    }
}
