//! Incremental syncs: only changed models are read again.

use std::time::Duration;

use model_registry_testkit::hub::{HubServer, Planned, TOKEN};
use model_registry_testkit::{Backend, on_each_database};

use super::{api, custom, error, source, state};
use crate::support::eventually;

on_each_database!(
    a_model_with_a_full_name_is_read_again_only_if_it_changed,
    gated_and_private_models_are_marked_at_the_next_sync,
    a_renamed_model_is_published_once_and_stays,
    models_stored_before_a_sync_was_interrupted_are_published_and_not_read_again
);

async fn a_model_with_a_full_name_is_read_again_only_if_it_changed(backend: Backend) {
    let hub = HubServer::start().await.unwrap();
    for name in ["org/a", "org/b"] {
        hub.publish(name, 1);
    }
    let (_files, api) = api(backend, &hub, "['org/a', 'org/b']", None).await;
    api.catalog.sync("hub").await.unwrap();
    hub.requests();
    hub.publish("org/b", 2);
    let report = api.catalog.sync("hub").await.unwrap();
    assert_eq!((report.written, report.removed, report.unchanged), (1, 0, 1));
    let mut requests = hub.requests();
    requests.sort();
    assert_eq!(requests, ["/api/models/org/a", "/api/models/org/b", "/org/b/README.md"]);
    assert_eq!(api.get("sources/hub/models/org/b").await.json()["description"], "revision 2");
}

// Access to a model changes without a new revision.
async fn gated_and_private_models_are_marked_at_the_next_sync(backend: Backend) {
    let hub = HubServer::start().await.unwrap();
    for name in ["org/a", "org/b", "org/c"] {
        hub.publish(name, 1);
    }
    for patterns in ["['org/*']", "['org/a', 'org/b', 'org/c']"] {
        let (_files, api) = api(backend, &hub, patterns, Some(TOKEN)).await;
        api.catalog.sync("hub").await.unwrap();
        for (name, gated, private) in [("org/a", "false", "false"), ("org/b", "false", "false")] {
            assert_eq!(custom(&api, name, "hf_gated").await, gated);
            assert_eq!(custom(&api, name, "hf_private").await, private);
        }
        hub.gate("org/a");
        hub.hide("org/b");
        let report = api.catalog.sync("hub").await.unwrap();
        assert_eq!((report.written, report.unchanged), (2, 1));
        assert_eq!(custom(&api, "org/a", "hf_gated").await, "manual");
        assert_eq!(custom(&api, "org/b", "hf_private").await, "true");
        assert_eq!(api.names("models?filterQuery=hf_private='true'").await, ["org/b"]);
        hub.open("org/a");
        hub.open("org/b");
    }
}

async fn a_renamed_model_is_published_once_and_stays(backend: Backend) {
    let renamed = || Planned::Redirect("/api/models/org/a".to_owned());
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/a", 1);
    for patterns in ["['org/*', 'old/a']", "['old/a', 'older/a']"] {
        let (_files, api) = api(backend, &hub, patterns, None).await;
        for revision in [1, 1, 2, 2] {
            hub.publish("org/a", revision);
            hub.plan("/api/models/old/a", vec![renamed()]);
            hub.plan("/api/models/older/a", vec![renamed()]);
            api.catalog.sync("hub").await.unwrap();
            assert_eq!(api.names("models").await, ["org/a"], "{patterns}");
            assert_eq!(state(&api).await["status"], "available", "{}", state(&api).await);
        }
        // The requested name differs from the stored one.
        for name in ["old/a", "older/a"] {
            let broken = std::iter::repeat_with(|| Planned::Broken).take(5);
            hub.plan(&format!("/api/models/{name}"), broken.collect());
        }
        api.catalog.sync("hub").await.unwrap();
        assert_eq!(api.names("models").await, ["org/a"], "{patterns}");
    }
}

#[tokio::test]
async fn a_sync_of_a_source_that_was_disabled_meanwhile_writes_nothing() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/a", 1);
    let (files, api) = api(Backend::Sqlite, &hub, "['org/a']", None).await;
    hub.slow_down(Duration::from_millis(200));
    let text = source(&hub, "['org/a']", "");
    let switching_off = async {
        eventually("the sync has begun", async || !hub.requests().is_empty()).await;
        files.write("sources.yaml", &text.replace("id: hub,", "id: hub, enabled: false,"));
        api.catalog.load().await.unwrap();
    };
    let (report, ()) = tokio::join!(api.catalog.sync("hub"), switching_off);
    assert_eq!(report.unwrap().written, 0);
    assert_eq!(api.names("models").await, [""; 0]);
    assert_eq!(state(&api).await["status"], "disabled");
}

async fn models_stored_before_a_sync_was_interrupted_are_published_and_not_read_again(backend: Backend) {
    const COUNT: usize = 520;
    let hub = HubServer::start().await.unwrap();
    hub.set_page_size(100);
    let name = |number: usize| format!("org/m{number:03}");
    (0..COUNT).for_each(|number| hub.publish(&name(number), 1));
    // The last request hangs.
    hub.plan(&format!("/api/models/{}", name(COUNT - 1)), vec![Planned::Slow(Duration::from_hours(1))]);
    let (_files, api) = api(backend, &hub, "['org/*']", None).await;
    let count = async || api.get("models?pageSize=1000").await.json()["size"].as_u64().unwrap();
    tokio::select! {
        ended = api.catalog.sync("hub") => panic!("{ended:?}"),
        () = eventually("a part is stored", async || count().await > 0) => {}
    }
    assert_eq!(count().await, 500);
    assert_eq!(state(&api).await["status"], "partially-available");
    assert_eq!(error(&api).await, "sync with the hub in progress: 500 of 520 models so far");
    let stored = api.catalog.store();
    assert_eq!(stored.find_next_sync("hub").await.unwrap(), None, "it is due at once");

    hub.requests();
    let report = api.catalog.sync("hub").await.unwrap();
    assert_eq!((report.written, report.removed, report.unchanged), (20, 0, 500));
    let read = hub.requests().into_iter().filter(|path| path.starts_with("/api/models/")).count();
    assert_eq!((read, count().await), (20, 520));
    assert_eq!(state(&api).await["status"], "available");

    // The report of a complete sync counts all batches.
    (0..COUNT).for_each(|number| hub.publish(&name(number), 2));
    hub.withdraw(&name(0));
    let report = api.catalog.sync("hub").await.unwrap();
    assert_eq!((report.written, report.removed, count().await), (519, 1, 519));
    assert!(stored.find_next_sync("hub").await.unwrap().is_some());
}
