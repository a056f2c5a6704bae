//! Prometheus metrics of a source and its hub.

use std::time::Duration;

use model_registry_server::telemetry::{Metrics, MetricsFormat};
use model_registry_testkit::Backend;
use model_registry_testkit::hub::{HubServer, Planned};

use super::{api, settings, source};
use crate::support::{Api, Files, eventually};

/// The value of a metric of the source `hub`, if it has one.
fn value(metrics: &Metrics, name: &str) -> Option<f64> {
    let text = metrics.encode(MetricsFormat::Prometheus).unwrap();
    let start = format!("model_registry_catalog_{name}{{source=\"hub\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&start)?.parse().ok())
}

#[tokio::test]
async fn the_metrics_of_a_source_show_progress_and_result_of_a_sync() {
    let hub = HubServer::start().await.unwrap();
    for name in ["org/a", "org/b", "org/gated"] {
        hub.publish(name, 1);
    }
    hub.gate("org/gated");
    let (_files, api) = api(Backend::Sqlite, &hub, "['org/*']", None).await;
    let metrics = Metrics::new(&[]);
    api.catalog.register_metrics(&metrics);
    hub.slow_down(Duration::from_millis(500));
    let watching = async {
        eventually("the list is read", async || value(&metrics, "hub_sync_models") == Some(3.0)).await;
        assert_eq!(value(&metrics, "hub_sync_running"), Some(1.0));
        assert!(value(&metrics, "hub_sync_models_done").unwrap() < 3.0);
        assert!(value(&metrics, "hub_requests_total").unwrap() >= 2.0);
        assert_eq!(value(&metrics, "source_items"), None, "nothing is loaded yet");
    };
    let (report, ()) = tokio::join!(api.catalog.sync("hub"), watching);
    assert_eq!(report.unwrap().written, 2);
    #[expect(clippy::cast_precision_loss, reason = "a few requests")]
    let requests = hub.requests().len() as f64;
    for (name, expected) in [
        ("hub_requests_total", requests),
        ("hub_sync_running", 0.0),
        ("hub_sync_models", 3.0),
        ("hub_sync_models_done", 3.0),
        ("source_items", 2.0),
        ("source_skipped", 1.0),
    ] {
        assert_eq!(value(&metrics, name), Some(expected), "{name}");
    }
    assert!(value(&metrics, "source_load_seconds").unwrap() >= 1.5);
    #[expect(clippy::cast_precision_loss, reason = "seconds of this century")]
    let now = (api.store.clock().now() / 1000) as f64;
    let last_success = value(&metrics, "source_last_success_timestamp_seconds").unwrap();
    assert!((now - 60.0..=now).contains(&last_success), "{last_success}");

    // The list cannot be read: the models stay, and are counted.
    hub.withdraw("org/a");
    hub.withdraw("org/b");
    hub.slow_down(Duration::ZERO);
    hub.plan("/api/models", vec![Planned::Redirect("https://elsewhere.example".to_owned())]);
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(value(&metrics, "source_items"), Some(2.0));
    assert_eq!(value(&metrics, "source_skipped"), Some(1.0));
    assert_eq!(value(&metrics, "hub_requests_total"), Some(requests + 1.0));
}

#[tokio::test]
async fn a_removed_source_has_no_metrics() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/a", 1);
    let other = "- {id: a, type: yaml, properties: {yamlCatalogPath: a.yaml}}\n";
    let both = source(&hub, "['org/*']", "") + other;
    let files = Files::new(&[("sources.yaml", &both), ("a.yaml", "models: [{name: m}]\n")]);
    let api = Api::on(Backend::Sqlite, settings(&files, None)).await;
    let metrics = Metrics::new(&[]);
    api.catalog.register_metrics(&metrics);
    api.catalog.sync("hub").await.unwrap();
    let lines_of = |source: &str| {
        let text = metrics.encode(MetricsFormat::Prometheus).unwrap();
        text.lines().filter(|line| line.contains(&format!("source=\"{source}\""))).count()
    };
    assert_eq!((lines_of("hub"), lines_of("a")), (10, 6));

    // It is removed during a sync.
    hub.slow_down(Duration::from_millis(500));
    hub.publish("org/b", 1);
    files.write("sources.yaml", &format!("model_catalogs:\n{other}"));
    let removed = async {
        eventually("the sync starts", async || value(&metrics, "hub_sync_running") == Some(1.0)).await;
        api.catalog.load().await.unwrap();
        assert_eq!((lines_of("hub"), lines_of("a")), (0, 6));
    };
    let (synced, ()) = tokio::join!(api.catalog.sync("hub"), removed);
    assert_eq!(synced.unwrap().written, 0);
    assert_eq!((lines_of("hub"), lines_of("a")), (0, 6));

    files.write("sources.yaml", &both);
    hub.slow_down(Duration::ZERO);
    api.catalog.load().await.unwrap();
    api.catalog.sync("hub").await.unwrap();
    assert_eq!((value(&metrics, "source_items"), lines_of("hub"), lines_of("a")), (Some(2.0), 10, 6));
}
