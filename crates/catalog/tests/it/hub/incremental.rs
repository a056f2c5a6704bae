//! What is read again, and what is not.

use std::time::Duration;

use model_registry_testkit::hub::{HubServer, Planned, TOKEN};
use model_registry_testkit::{Backend, backends};

use super::{api, custom, error, eventually, source, state};

#[tokio::test]
async fn a_model_that_is_named_in_full_is_read_again_only_when_it_changed() {
    for backend in backends() {
        let hub = HubServer::start().await.unwrap();
        for name in ["org/a", "org/b"] {
            hub.publish(name, 1);
        }
        let (_files, api) = api(backend, &hub, "['org/a', 'org/b']", None).await;
        api.catalog.sync_hub("hub").await.unwrap();
        hub.requests();
        hub.publish("org/b", 2);
        let report = api.catalog.sync_hub("hub").await.unwrap();
        assert_eq!((report.written, report.removed, report.unchanged), (1, 0, 1), "{backend}");
        let mut requests = hub.requests();
        requests.sort();
        assert_eq!(requests, ["/api/models/org/a", "/api/models/org/b", "/org/b/README.md"], "{backend}");
        assert_eq!(api.get("sources/hub/models/org/b").await.json()["description"], "revision 2");
    }
}

// Who may see a model changes without a new revision of it.
#[tokio::test]
async fn gated_and_private_models_are_marked_from_the_next_sync_on() {
    for backend in backends() {
        let hub = HubServer::start().await.unwrap();
        for name in ["org/a", "org/b", "org/c"] {
            hub.publish(name, 1);
        }
        for patterns in ["['org/*']", "['org/a', 'org/b', 'org/c']"] {
            let (_files, api) = api(backend, &hub, patterns, Some(TOKEN)).await;
            api.catalog.sync_hub("hub").await.unwrap();
            for (name, gated, private) in [("org/a", "false", "false"), ("org/b", "false", "false")] {
                assert_eq!(custom(&api, name, "hf_gated").await, gated, "{backend}");
                assert_eq!(custom(&api, name, "hf_private").await, private, "{backend}");
            }
            hub.gate("org/a");
            hub.hide("org/b");
            let report = api.catalog.sync_hub("hub").await.unwrap();
            assert_eq!((report.written, report.unchanged), (2, 1), "{backend}");
            assert_eq!(custom(&api, "org/a", "hf_gated").await, "manual", "{backend}");
            assert_eq!(custom(&api, "org/b", "hf_private").await, "true", "{backend}");
            assert_eq!(api.names("models?filterQuery=hf_private='true'").await, ["org/b"], "{backend}");
            hub.open("org/a");
            hub.open("org/b");
        }
    }
}

#[tokio::test]
async fn a_model_with_two_names_is_there_once_and_stays() {
    let renamed = || Planned::Redirect("/api/models/org/a".to_owned());
    for backend in backends() {
        let hub = HubServer::start().await.unwrap();
        hub.publish("org/a", 1);
        for patterns in ["['org/*', 'old/a']", "['old/a', 'older/a']"] {
            let (_files, api) = api(backend, &hub, patterns, None).await;
            for revision in [1, 1, 2, 2] {
                hub.publish("org/a", revision);
                hub.plan("/api/models/old/a", vec![renamed()]);
                hub.plan("/api/models/older/a", vec![renamed()]);
                api.catalog.sync_hub("hub").await.unwrap();
                assert_eq!(api.names("models").await, ["org/a"], "{backend} {patterns}");
                assert_eq!(state(&api).await["status"], "available", "{}", state(&api).await);
            }
            // The name that is asked for now is not the one it is stored under.
            for name in ["old/a", "older/a"] {
                let broken = std::iter::repeat_with(|| Planned::Broken).take(5);
                hub.plan(&format!("/api/models/{name}"), broken.collect());
            }
            api.catalog.sync_hub("hub").await.unwrap();
            assert_eq!(api.names("models").await, ["org/a"], "{backend} {patterns}");
        }
    }
}

#[tokio::test]
async fn a_sync_that_ends_after_its_source_was_switched_off_brings_nothing_back() {
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
    let (report, ()) = tokio::join!(api.catalog.sync_hub("hub"), switching_off);
    assert_eq!(report.unwrap().written, 0);
    assert_eq!(api.names("models").await, [""; 0]);
    assert_eq!(state(&api).await["status"], "disabled");
}

// Reading a large organisation takes hours, and a hub's limits make it longer.
#[tokio::test]
async fn what_was_read_before_a_sync_was_cut_off_is_served_and_not_read_again() {
    const COUNT: usize = 520;
    for backend in backends() {
        let hub = HubServer::start().await.unwrap();
        hub.set_page_size(100);
        let name = |number: usize| format!("org/m{number:03}");
        (0..COUNT).for_each(|number| hub.publish(&name(number), 1));
        // The last one does not come.
        hub.plan(&format!("/api/models/{}", name(COUNT - 1)), vec![Planned::Slow(Duration::from_hours(1))]);
        let (_files, api) = api(backend, &hub, "['org/*']", None).await;
        let count = async || api.get("models?pageSize=1000").await.json()["size"].as_u64().unwrap();
        tokio::select! {
            ended = api.catalog.sync_hub("hub") => panic!("{ended:?}"),
            () = eventually("a part is stored", async || count().await > 0) => {}
        }
        assert_eq!(count().await, 500, "{backend}");
        assert_eq!(state(&api).await["status"], "partially-available");
        assert_eq!(error(&api).await, "the hub is being read: 500 of 520 models so far");
        let stored = api.catalog.store();
        assert_eq!(stored.find_next_sync("hub").await.unwrap(), None, "it is due at once");

        hub.requests();
        let report = api.catalog.sync_hub("hub").await.unwrap();
        assert_eq!((report.written, report.removed, report.unchanged), (20, 0, 500), "{backend}");
        let read = hub.requests().into_iter().filter(|path| path.starts_with("/api/models/")).count();
        assert_eq!((read, count().await), (20, 520), "{backend}");
        assert_eq!(state(&api).await["status"], "available");

        // A sync that is not cut off tells of all that it has written.
        (0..COUNT).for_each(|number| hub.publish(&name(number), 2));
        hub.withdraw(&name(0));
        let report = api.catalog.sync_hub("hub").await.unwrap();
        assert_eq!((report.written, report.removed, count().await), (519, 1, 519), "{backend}");
        assert!(stored.find_next_sync("hub").await.unwrap().is_some());
    }
}
