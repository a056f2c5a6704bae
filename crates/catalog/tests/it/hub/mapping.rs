//! Mapping of a hub's metadata to models.

use model_registry_testkit::hub::HubServer;
use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use super::{api, custom, error, state};

on_each_database!(strings_that_a_database_rejects_do_not_fail_a_sync);

#[tokio::test]
async fn all_forms_of_a_model_card_are_mapped() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/a", 1);
    hub.edit("org/a", |info| {
        info["tags"] = json!(["transformers", "license:other", "region:us"]);
        info["cardData"] = json!({
            "description": "Reads", "language": "en", "license": "other", "license_name": "own",
            "license_link": "https://x.example/license",
        });
        info["pipeline_tag"] = json!("fill-mask");
        info["gated"] = json!("auto");
    });
    hub.publish("org/bare", 1);
    hub.edit("org/bare", |info| {
        *info = json!({"modelId": "org/bare", "author": "org", "cardData": null, "tags": null});
    });
    let (_files, api) = api(Backend::Sqlite, &hub, "['org/*']", None).await;
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(state(&api).await["status"], "available", "{}", state(&api).await);
    let model = api.get("sources/hub/models/org/a").await.json();
    for (field, expected) in [
        ("description", json!("Reads")),
        ("language", json!(["en"])),
        ("licenseLink", json!("https://x.example/license")),
        ("tasks", json!(["fill-mask"])),
        ("libraryName", json!("transformers")),
    ] {
        assert_eq!(model[field], expected, "{field}");
    }
    for (property, expected) in [
        ("model_type", "predictive"),
        ("hf_gated", "auto"),
        ("hf_private", "false"),
        ("hf_tags", "[\"transformers\",\"region:us\"]"),
        ("hf_architectures", "[\"LlamaForCausalLM\"]"),
        ("hf_model_type", "llama"),
    ] {
        assert_eq!(custom(&api, "org/a", property).await, expected, "{property}");
    }
    // Without a revision it is read at each sync.
    let bare = api.get("sources/hub/models/org/bare").await.json();
    assert_eq!((&bare["name"], bare.get("description"), bare.get("license")), (&json!("org/bare"), None, None));
    assert_eq!(custom(&api, "org/bare", "model_type").await, "unknown");
    hub.requests();
    api.catalog.sync("hub").await.unwrap();
    assert!(hub.requests().contains(&"/api/models/org/bare".to_owned()));
}

#[tokio::test]
async fn a_model_with_gated_files_is_published_without_its_card() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/a", 1);
    hub.gate_files("org/a");
    let (_files, api) = api(Backend::Sqlite, &hub, "['org/a']", None).await;
    api.catalog.sync("hub").await.unwrap();
    assert_eq!(state(&api).await["status"], "available");
    let model = api.get("sources/hub/models/org/a").await.json();
    assert_eq!((&model["description"], model.get("readme")), (&json!("revision 1"), None));
    assert_eq!(custom(&api, "org/a", "hf_gated").await, "auto");
}

async fn strings_that_a_database_rejects_do_not_fail_a_sync(backend: Backend) {
    let hub = HubServer::start().await.unwrap();
    let long = format!("org/{}", "x".repeat(260));
    for name in ["org/a", "org/b", long.as_str()] {
        hub.publish(name, 1);
    }
    hub.edit("org/a", |info| {
        info["cardData"]["description"] = json!("nul\0 \u{fffd} \u{1f600}");
        info["tags"] = json!(["a\0b"]);
        info["library_name"] = json!("\0");
    });
    hub.edit("org/b", |info| info["id"] = json!("org/\0"));
    hub.set_card("org/a", "# a\0b".to_owned());
    let (_files, api) = api(backend, &hub, "['org/*', 'org/b']", None).await;
    for _ in 0..2 {
        api.catalog.sync("hub").await.unwrap();
        assert_eq!(api.names("models").await, ["org/a", "org/\u{fffd}"]);
    }
    for _ in ["without an index", "with an index"] {
        let tagged = api.names("models?filterQuery=hf_tags.array_value='a%EF%BF%BDb'").await;
        assert_eq!(tagged, ["org/a"]);
        api.catalog.index().await.unwrap();
    }
    let model = api.get("sources/hub/models/org/a").await.json();
    assert_eq!(model["description"], "nul\u{fffd} \u{fffd} \u{1f600}");
    assert_eq!((&model["readme"], &model["libraryName"]), (&json!("# a\u{fffd}b"), &json!("\u{fffd}")),);
    assert!(error(&api).await.ends_with("the name is longer than 255 characters"), "{}", error(&api).await);
}

#[tokio::test]
async fn a_model_with_an_oversized_card_is_published_without_it_and_reported() {
    let hub = HubServer::start().await.unwrap();
    for name in ["org/a", "org/b"] {
        hub.publish(name, 1);
    }
    hub.set_card("org/a", "x".repeat(1024 * 1024 + 1));
    hub.set_card("org/b", "x".repeat(1024 * 1024));
    let (_files, api) = api(Backend::Sqlite, &hub, "['org/*']", None).await;
    api.catalog.sync("hub").await.unwrap();
    let readme = async |name: &str| {
        let model = api.get(&format!("sources/hub/models/{name}")).await.json();
        model["readme"].as_str().map(str::len)
    };
    assert_eq!((readme("org/a").await, readme("org/b").await), (None, Some(1024 * 1024)));
    assert_eq!(error(&api).await, "org/a: published without its card, which is longer than 1024 KiB");
    let stored = api.catalog.store();
    assert!(stored.find_next_sync("hub").await.unwrap().is_some(), "an early retry would not help");
}
