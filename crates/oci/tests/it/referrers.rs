//! Signatures and the like that are attached to images.

use model_registry_oci::{AttachedBlob, Attachment, Digest, ImageOptions};

use crate::fake_registry::FakeRegistry;
use crate::support::{anonymous, files, push, reference};

fn signature(text: &str) -> Attachment {
    let blob = AttachedBlob { media_type: "text/plain".to_owned(), bytes: text.into(), annotations: [].into() };
    let annotations = [("signed-by".to_owned(), text.to_owned())].into();
    Attachment { artifact_type: "application/vnd.example.signature".to_owned(), blobs: vec![blob], annotations }
}

#[tokio::test]
async fn attached_manifests_are_listed_by_the_registry_or_under_a_tag() {
    for has_referrers in [true, false] {
        let registry = FakeRegistry::start().await;
        registry.content().has_referrers = has_referrers;
        let target = reference(&registry, "org/m:1");
        let image = push(&anonymous(), &target, &files(&[("a", 10)]), ImageOptions::default()).await.unwrap();
        let repository = anonymous().repository(&target).await.unwrap();
        assert!(repository.referrers(&image.digest, None).await.unwrap().is_empty());

        let subject = repository.manifest("1").await.unwrap();
        let first = repository.attach(&subject, &signature("one")).await.unwrap();
        let again = repository.attach(&subject, &signature("one")).await.unwrap();
        assert_eq!(first.digest, again.digest, "the same attachment is the same manifest");
        let second = repository.attach(&subject, &signature("two")).await.unwrap();
        let mut sbom = signature("three");
        sbom.artifact_type = "application/vnd.example.sbom".to_owned();
        repository.attach(&subject, &sbom).await.unwrap();

        assert_eq!(repository.referrers(&image.digest, None).await.unwrap().len(), 3);
        let kind = Some("application/vnd.example.signature");
        let mut found: Vec<Digest> =
            repository.referrers(&image.digest, kind).await.unwrap().into_iter().map(|one| one.digest).collect();
        found.sort();
        let mut expected = vec![first.digest, second.digest];
        expected.sort();
        assert_eq!(found, expected);

        let tag = image.digest.to_string().replace(':', "-");
        assert_eq!(registry.content().manifests.contains_key(&("org/m".to_owned(), tag)), !has_referrers);
    }
}
