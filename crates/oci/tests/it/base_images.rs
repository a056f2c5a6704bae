//! Layers of a model on top of a base image.

use model_registry_oci::{Error, ImageFormat, ImageOptions};
use serde_json::{Value, json};

use crate::fake_registry::FakeRegistry;
use crate::hostile_layers::archive;
use crate::support::{anonymous, files, pull, push, reference};

/// Publishes a base image for a platform in Docker's format, and returns its entry in an index.
fn publish(registry: &FakeRegistry, repository: &str, tag: &str, architecture: &str) -> Value {
    let layer = archive(&[("bin/sh", architecture.as_bytes())]);
    let size = layer.len();
    let layer = registry.put_blob(repository, layer);
    let config = json!({
        "architecture": architecture, "os": "linux", "config": {"Cmd": ["sh"], "Labels": null},
        "rootfs": {"type": "layers", "diff_ids": [layer]}, "history": [{"created_by": "base"}], "future": [1],
    })
    .to_string();
    let config_size = config.len();
    let config = registry.put_blob(repository, config);
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": config, "size": config_size},
        "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar", "digest": layer, "size": size}],
    });
    let size = manifest.to_string().len();
    let digest = registry.put_manifest(repository, tag, &manifest);
    json!({
        "mediaType": manifest["mediaType"], "digest": digest, "size": size,
        "platform": {"architecture": architecture, "os": "linux"},
    })
}

fn publish_index(registry: &FakeRegistry) {
    let images = ["amd64", "arm64"].map(|architecture| publish(registry, "base/box", architecture, architecture));
    let mut attestation = images[0].clone();
    attestation["platform"] = json!({"architecture": "unknown", "os": "unknown"});
    registry.put_manifest(
        "base/box",
        "1",
        &json!({
            "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
            "manifests": [images[0], images[1], attestation],
        }),
    );
}

fn options(registry: &FakeRegistry) -> ImageOptions {
    ImageOptions { base: Some(reference(registry, "base/box:1")), ..ImageOptions::default() }
}

#[tokio::test]
async fn every_platform_of_the_base_gets_the_layers_and_its_blobs_are_mounted() {
    let registry = FakeRegistry::start().await;
    publish_index(&registry);
    let target = reference(&registry, "org/m:1");
    let model = files(&[("a", 3000), ("b", 1)]);
    push(&anonymous(), &target, &model, options(&registry)).await.unwrap();
    let requests = registry.requests();
    assert_eq!(requests.iter().filter(|request| request.contains("mount=sha256")).count(), 2);
    assert!(
        !requests.iter().any(|request| request.starts_with("GET /v2/base/box/blobs/") && request.contains("layer"))
    );

    let index = registry.manifest("org/m", "1");
    assert_eq!(index["mediaType"], "application/vnd.oci.image.index.v1+json");
    let entries = index["manifests"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "attestations of the base image are not about this image");
    for (entry, architecture) in entries.iter().zip(["amd64", "arm64"]) {
        assert_eq!(entry["platform"]["architecture"], architecture);
        let manifest = registry.manifest("org/m", entry["digest"].as_str().unwrap());
        let types: Vec<&str> =
            manifest["layers"].as_array().unwrap().iter().map(|layer| layer["mediaType"].as_str().unwrap()).collect();
        assert_eq!(types, ["application/vnd.oci.image.layer.v1.tar"; 3]);
        let config = manifest["config"]["digest"].as_str().unwrap().to_owned();
        let config = registry.content().blobs[&("org/m".to_owned(), config)].clone();
        let config: Value = serde_json::from_slice(&config).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"].as_array().unwrap().len(), 3);
        assert_eq!(config["history"].as_array().unwrap().len(), 3);
        assert_eq!((&config["future"], &config["config"]["Cmd"]), (&json!([1]), &json!(["sh"])));
    }
    assert_eq!(pull(&anonymous(), &target).await.unwrap(), model);
}

#[tokio::test]
async fn blobs_of_the_base_are_copied_where_they_cannot_be_mounted() {
    let (registry, other) = (FakeRegistry::start().await, FakeRegistry::start().await);
    publish_index(&registry);
    registry.content().cannot_mount = true;
    let model = files(&[("a", 10)]);
    for target in [reference(&registry, "org/m:1"), reference(&other, "org/m:1")] {
        push(&anonymous(), &target, &model, options(&registry)).await.unwrap();
        assert_eq!(pull(&anonymous(), &target).await.unwrap(), model);
    }
    assert!(
        registry.content().uploads.is_empty(),
        "the uploads that registries begin instead of mounting are cancelled"
    );
}

#[tokio::test]
async fn a_base_of_one_platform_makes_an_image_without_an_index() {
    let registry = FakeRegistry::start().await;
    publish(&registry, "base/box", "1", "arm64");
    let target = reference(&registry, "org/m:1");
    push(&anonymous(), &target, &files(&[("a", 10)]), options(&registry)).await.unwrap();
    assert_eq!(registry.manifest("org/m", "1")["mediaType"], "application/vnd.oci.image.manifest.v1+json");
}

#[tokio::test]
async fn a_base_that_cannot_be_used_is_an_error_before_any_byte_is_sent() {
    let registry = FakeRegistry::start().await;
    let target = reference(&registry, "org/m:1");
    let model = files(&[("a", 10)]);
    let error = push(&anonymous(), &target, &model, options(&registry)).await.unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("base/box:1"), "{error}");
    push(
        &anonymous(),
        &reference(&registry, "base/box:1"),
        &model,
        ImageOptions { format: ImageFormat::ModelPack, ..ImageOptions::default() },
    )
    .await
    .unwrap();
    registry.content().received = 0;
    let error = push(&anonymous(), &target, &model, options(&registry)).await.unwrap_err().to_string();
    assert!(error.contains("is not a container image"), "{error}");
    let pack = ImageOptions { format: ImageFormat::ModelPack, ..options(&registry) };
    let error = push(&anonymous(), &target, &model, pack).await.unwrap_err();
    assert!(matches!(error, Error::Usage(_)), "{error}");
    assert_eq!(registry.content().received, 0);
}
