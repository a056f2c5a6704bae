//! Rate limits of a hub, and limits of a source.

use std::time::{Duration, Instant};

use model_registry_testkit::Backend;
use model_registry_testkit::hub::{HubServer, Planned};

use super::{api, error, settings, source, state};
use crate::support::{Api, Files};

#[tokio::test]
async fn a_rate_limited_request_is_retried_after_the_time_of_the_hub() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/a", 1);
    hub.plan("/api/models/org/a", vec![Planned::Busy(vec![("retry-after", "1".to_owned())]), Planned::Broken]);
    let (_files, api) = api(Backend::Sqlite, &hub, "['org/a']", None).await;
    let started = Instant::now();
    api.catalog.sync("hub").await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(api.names("models").await, ["org/a"]);
}

#[tokio::test]
async fn all_requests_wait_if_the_rate_limit_is_exhausted() {
    for (name, header) in [("ratelimit", "\"api\";r=0;t=1"), ("x-ratelimit-reset", "1")] {
        let hub = HubServer::start().await.unwrap();
        let names = ["org/a", "org/b", "org/c", "org/d", "org/e", "org/f"];
        for name in names {
            hub.publish(name, 1);
        }
        let headers = vec![(name, header.to_owned()), ("x-ratelimit-remaining", "0".to_owned())];
        // The third and last page of the list; the models are requested after it.
        let pages = [Planned::Slow(Duration::ZERO), Planned::Slow(Duration::ZERO), Planned::With(headers)];
        hub.plan("/api/models", pages.into());
        let (_files, api) = api(Backend::Sqlite, &hub, "['org/*']", None).await;
        let started = Instant::now();
        api.catalog.sync("hub").await.unwrap();
        assert!(started.elapsed() >= Duration::from_secs(1), "{name}");
        assert_eq!(api.names("models").await, names);
        let lists = hub.requests().into_iter().filter(|path| path == "/api/models").count();
        assert_eq!(lists, 3, "no request is repeated");
    }
}

#[tokio::test]
async fn a_sync_stops_if_the_rate_limit_lasts_an_hour() {
    let hub = HubServer::start().await.unwrap();
    let names: Vec<String> = (0..12).map(|number| format!("org/m{number:02}")).collect();
    for name in &names {
        hub.publish(name, 1);
        let busy = Planned::Busy(vec![("retry-after", "3600".to_owned())]);
        hub.plan(&format!("/api/models/{name}"), vec![busy]);
    }
    let (_files, api) = api(Backend::Sqlite, &hub, &serde_json::to_string(&names).unwrap(), None).await;
    api.catalog.sync("hub").await.unwrap();
    let requests = hub.requests().len();
    assert!((1..=4).contains(&requests), "requests in flight: {requests}");
    let reason = error(&api).await;
    assert!(
        reason.contains("429 Too Many Requests") && reason.contains("rate limited by the hub for another 35"),
        "{reason}"
    );
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(hub.requests(), [""; 0]);
}

// The Kubeflow Model Registry ignores the limit when it syncs.
#[tokio::test]
async fn max_models_limits_the_models_of_each_pattern_and_is_reported() {
    let hub = HubServer::start().await.unwrap();
    for name in ["one/a", "one/b", "one/c", "one/d-gguf", "two/a", "two/b", "three/a"] {
        hub.publish(name, 1);
    }
    let patterns = "['one/*', 'two/*', 'three/a']";
    let files = Files::new(&[("sources.yaml", &source(&hub, patterns, ", maxModels: 1"))]);
    let api = Api::on(Backend::Sqlite, settings(&files, None)).await;
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(api.names("models").await, ["one/a", "three/a", "two/a"]);
    let listed = state(&api).await;
    assert_eq!(listed["status"], "partially-available");
    let expected = "one/*: 1 of 3 models, limited by maxModels; two/*: 1 of 2 models, limited by maxModels";
    assert_eq!(listed["error"], expected);
    let stored = api.catalog.store();
    let states = stored.list_source_states().await.unwrap();
    assert_eq!((states[0].item_count, states[0].skipped_count), (3, 3));
    assert!(stored.find_next_sync("hub").await.unwrap().is_some(), "the sync is complete");

    files.write("sources.yaml", &source(&hub, patterns, ", maxModels: 0"));
    api.catalog.load().await.unwrap();
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(api.names("models").await.len(), 6, "0 means no limit");
    assert_eq!(state(&api).await["status"], "available");
}

#[tokio::test]
async fn at_most_four_requests_run_at_once_over_all_sources() {
    let hub = HubServer::start().await.unwrap();
    for organization in ["one", "two"] {
        (0..10).for_each(|number| hub.publish(&format!("{organization}/m{number}"), 1));
    }
    hub.slow_down(Duration::from_millis(20));
    let entry = |organization: &str| {
        format!(
            "- {{id: {organization}, name: Hub, type: hf, includedModels: ['{organization}/*'], properties: {{url: '{}'}}}}\n",
            hub.base_url()
        )
    };
    let files = Files::new(&[("sources.yaml", &format!("model_catalogs:\n{}{}", entry("one"), entry("two")))]);
    let api = Api::on(Backend::Sqlite, settings(&files, None)).await;
    let (one, two) = tokio::join!(api.catalog.sync("one"), api.catalog.sync("two"));
    assert_eq!((one.unwrap().written, two.unwrap().written), (10, 10));
    assert_eq!(hub.most_at_once(), 4);
}
