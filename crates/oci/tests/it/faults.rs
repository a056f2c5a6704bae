//! Registries that are busy, fail, cut connections, or send something else.

use model_registry_oci::{
    CredentialStore, Digest, Error, ImageOptions, ImageWriter, Registries, RegistrySettings, RetryPolicy,
};

use crate::fake_registry::{FakeRegistry, Fault};
use crate::support::{anonymous, files, model_files, plain, pull, push, reference};

#[tokio::test]
async fn busy_and_failing_registries_get_the_request_again() {
    let registry = FakeRegistry::start().await;
    let target = reference(&registry, "m:1");
    let model = files(&[("a", 3500), ("b", 10)]);
    for (method, path) in [
        ("POST", "/uploads/"),
        ("PATCH", "/uploads/"),
        ("PUT", "/uploads/"),
        ("PUT", "/manifests/"),
        ("HEAD", "/blobs/"),
    ] {
        registry.plan(method, path, Fault::Busy("0"));
        registry.plan(method, path, Fault::Status(500));
        registry.plan(method, path, Fault::Status(503));
    }
    push(&anonymous(), &target, &model, ImageOptions::default()).await.unwrap();
    for path in ["/manifests/", "/blobs/"] {
        registry.plan("GET", path, Fault::Busy("0"));
        registry.plan("GET", path, Fault::Status(502));
    }
    assert_eq!(pull(&anonymous(), &target).await.unwrap(), model);
    assert!(registry.content().uploads.is_empty(), "failed uploads are cancelled");
}

#[tokio::test]
async fn a_registry_that_never_recovers_or_wants_too_long_a_pause_is_an_error() {
    let registry = FakeRegistry::start().await;
    let target = reference(&registry, "m:1");
    for _ in 0..10 {
        registry.plan("GET", "/manifests/", Fault::Status(503));
    }
    let error = pull(&anonymous(), &target).await.unwrap_err();
    assert!(error.is_temporary() && error.to_string().contains("status 503"), "{error}");
    assert_eq!(registry.requests().len(), 5, "one attempt and four retries");
    let registry = FakeRegistry::start().await;
    registry.plan("GET", "/manifests/", Fault::Busy("86400"));
    let error = pull(&anonymous(), &reference(&registry, "m:1")).await.unwrap_err().to_string();
    assert!(error.contains("status 429"), "{error}");
    assert_eq!(registry.requests().len(), 1);
}

#[tokio::test]
async fn an_upload_whose_connection_breaks_continues_with_what_is_missing() {
    let registry = FakeRegistry::start().await;
    let target = reference(&registry, "m:1");
    let model = files(&[("a", 100_000)]);
    let registries = Registries::new(RegistrySettings { part_size: 40_000, ..plain() }, CredentialStore::none());
    registry.plan("PATCH", "/uploads/", Fault::Cut(25_000));
    registry.plan("PATCH", "/uploads/", Fault::Cut(5_000));
    push(&registries, &target, &model, ImageOptions::default()).await.unwrap();
    assert_eq!(pull(&registries, &target).await.unwrap(), model);
    let layer = registry.manifest("m", "1")["layers"][0]["size"].as_u64().unwrap();
    let config = registry.manifest("m", "1")["config"]["size"].as_u64().unwrap();
    assert_eq!(registry.content().received as u64, layer + config, "no byte is sent twice");
}

#[tokio::test]
async fn a_lost_upload_is_an_error_that_says_so_and_a_small_blob_is_sent_again() {
    let registry = FakeRegistry::start().await;
    let target = reference(&registry, "m:1");
    let model = files(&[("a", 100_000)]);
    registry.plan("PATCH", "/uploads/", Fault::CutAndLost(500));
    let error = push(&anonymous(), &target, &model, ImageOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::UploadLost { .. }) && error.is_temporary(), "{error}");
    assert!(registry.content().manifests.is_empty());

    registry.plan("PUT", "/uploads/", Fault::CutAndLost(2));
    push(&anonymous(), &reference(&registry, "small:1"), &files(&[("a", 5)]), ImageOptions::default()).await.unwrap();
}

#[tokio::test]
async fn a_push_that_fails_leaves_neither_an_image_nor_an_upload() {
    let registry = FakeRegistry::start().await;
    let target = reference(&registry, "m:1");
    let model = files(&[("a", 100_000)]);
    registry.plan("PATCH", "/uploads/", Fault::Refused(413, "too large".to_owned()));
    let error = push(&anonymous(), &target, &model, ImageOptions::default()).await.unwrap_err().to_string();
    assert!(error.contains("status 413: REFUSED: too large"), "{error}");
    // The upload is cancelled by a task of its own.
    while !registry.content().uploads.is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(registry.content().manifests.is_empty());

    let image = ImageWriter::begin(&anonymous(), &target, model_files(&model), ImageOptions::default()).await.unwrap();
    let mut file = image.file(0).await.unwrap();
    file.write(vec![model["a"][..5000].to_vec().into()]).await.unwrap();
    assert_eq!(registry.content().uploads.len(), 1);
    file.abandon(false).await;
    assert!(registry.content().uploads.is_empty());
}

#[tokio::test]
async fn a_download_whose_connection_breaks_continues_where_it_stopped() {
    for ignores_ranges in [false, true] {
        let registry = FakeRegistry::start().await;
        let target = reference(&registry, "m:1");
        let model = files(&[("a", 100_000)]);
        push(&anonymous(), &target, &model, ImageOptions::default()).await.unwrap();
        registry.content().ignores_ranges = ignores_ranges;
        registry.plan("GET", "/blobs/", Fault::Cut(60_000));
        registry.plan("GET", "/blobs/", Fault::Cut(if ignores_ranges { 80_000 } else { 1 }));
        assert!(pull(&anonymous(), &target).await.unwrap() == model);
    }
}

#[tokio::test]
async fn content_with_another_digest_is_refused_wherever_it_comes_from() {
    let registry = FakeRegistry::start().await;
    let target = reference(&registry, "m:1");
    let model = files(&[("a", 3000)]);
    let image = push(&anonymous(), &target, &model, ImageOptions::default()).await.unwrap();
    for by_digest in [false, true] {
        registry.plan("GET", "/manifests/", Fault::Damaged);
        let reference = if by_digest { target.with_digest(image.digest.clone()) } else { target.clone() };
        let error = pull(&anonymous(), &reference).await.unwrap_err();
        assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
    }
    registry.plan("GET", "/blobs/", Fault::Damaged);
    registry.plan("GET", "/blobs/", Fault::Damaged);
    registry.plan("GET", "/blobs/", Fault::Damaged);
    let error = pull(&anonymous(), &target).await;
    assert!(error.is_err());
    registry.plan("PUT", "/uploads/", Fault::OtherDigest(Digest::of(b"other").to_string()));
    let other = reference_to_other(&registry);
    let error = push(&anonymous(), &other, &model, ImageOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
}

fn reference_to_other(registry: &FakeRegistry) -> model_registry_oci::ImageReference {
    reference(registry, "other:1")
}

#[tokio::test]
async fn sizes_of_manifests_are_limited_and_unknown_ones_are_named() {
    let registry = FakeRegistry::start().await;
    let large = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [],
        "annotations": {"x": "y".repeat(5 << 20)},
    });
    registry.put_manifest("m", "large", &large);
    let error = pull(&anonymous(), &reference(&registry, "m:large")).await.unwrap_err().to_string();
    assert!(error.contains("is larger than 4194304 bytes"), "{error}");
    registry.put_manifest("m", "odd", &serde_json::json!({"mediaType": "application/x-odd"}));
    let error = pull(&anonymous(), &reference(&registry, "m:odd")).await.unwrap_err().to_string();
    assert!(error.contains("`application/x-odd`"), "{error}");
    let error = pull(&anonymous(), &reference(&registry, "m:missing")).await.unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("m:missing"), "{error}");
}

#[tokio::test]
async fn nothing_listens_is_said_after_the_attempts() {
    let retries = RetryPolicy { retries: 0, ..RetryPolicy::default() };
    let registries = Registries::new(RegistrySettings { retries, ..plain() }, CredentialStore::none());
    let port = model_registry_testkit::free_port().unwrap();
    let image = format!("127.0.0.1:{port}/m:1").parse().unwrap();
    let error = pull(&registries, &image).await.unwrap_err();
    assert!(error.is_temporary() && error.to_string().contains("nothing listens"), "{error}");
}
