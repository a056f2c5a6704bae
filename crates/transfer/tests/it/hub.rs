//! The stand-in of the Hugging Face hub.

use model_registry_testkit::HubServer;
use model_registry_testkit::hub::{Planned, TOKEN};
use model_registry_transfer::{Context, Sha256, TransferError};

use crate::support::{PART, content, context, path_of, read, run};

fn hub_context(hub: &HubServer, token: Option<&str>) -> Context {
    let variables = [("HF_ENDPOINT", hub.base_url()), ("HF_TOKEN", token.unwrap_or_default().to_owned())];
    Context { environment: variables.into_iter().collect(), ..context() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_is_copied_at_one_commit_and_its_digests_are_verified() {
    let (hub, home) = (HubServer::start().await.unwrap(), tempfile::tempdir().unwrap());
    hub.publish("org/model", 1);
    let weights = content(1, PART + 10);
    hub.publish_file("org/model", "config.json", "{}", None);
    hub.publish_file("org/model", "weights/w.safetensors", weights.clone(), Some(Sha256::of(&weights).to_string()));
    hub.plan("/org/model/weights/w.safetensors", vec![Planned::Broken]);
    let report = run("hf://org/model", &path_of(home.path()), &hub_context(&hub, Some(TOKEN))).await.unwrap();
    let expected = [("config.json".to_owned(), b"{}".to_vec()), ("weights/w.safetensors".to_owned(), weights)].into();
    assert_eq!(read(home.path()), expected);
    assert_eq!(report.copied_files(), 2);
    let commit = format!("{:040x}", 1);
    assert!(hub.requests().iter().any(|path| *path == format!("/api/models/org/model/tree/{commit}")));
    assert!(hub.authorizations().iter().all(|header| header.as_deref() == Some(&format!("Bearer {TOKEN}"))));

    // The large file is there with its digest: only the other one is read again.
    let again = run("hf://org/model", &path_of(home.path()), &hub_context(&hub, None)).await.unwrap();
    assert_eq!(again.copied_files(), 1);
}

#[tokio::test]
async fn a_file_with_another_digest_than_the_hub_says_does_not_appear() {
    let (hub, home) = (HubServer::start().await.unwrap(), tempfile::tempdir().unwrap());
    hub.publish("org/model", 1);
    hub.publish_file("org/model", "w.bin", "damaged", Some(Sha256::of(b"whole!!").to_string()));
    let error = run("hf://org/model", &path_of(home.path()), &hub_context(&hub, None)).await.unwrap_err();
    assert!(matches!(error, TransferError::Mismatch { .. }), "{error}");
    assert!(!home.path().join("w.bin").exists());
}

#[tokio::test]
async fn a_missing_model_revision_or_right_is_explained() {
    let (hub, home) = (HubServer::start().await.unwrap(), tempfile::tempdir().unwrap());
    hub.publish("org/gated", 1);
    hub.publish_file("org/gated", "w.bin", "1", None);
    hub.gate("org/gated");
    let error = async |location: &str, token| {
        run(location, &path_of(home.path()), &hub_context(&hub, token)).await.unwrap_err().to_string()
    };
    assert!(error("hf://org/gated", None).await.contains("set HF_TOKEN"));
    assert!(error("hf://org/nothing", Some(TOKEN)).await.contains("no such repository or revision"));
    assert!(error("hf://org/gated:v9", Some(TOKEN)).await.contains("`v9`"));
    assert!(read(home.path()).is_empty());
}

#[tokio::test]
async fn hostile_names_of_a_repository_are_refused_before_any_file_is_read() {
    for name in ["../evil", "/etc/evil", "a\\b", "a//b"] {
        let (hub, home) = (HubServer::start().await.unwrap(), tempfile::tempdir().unwrap());
        hub.publish("org/model", 1);
        hub.publish_file("org/model", "good", "1", None);
        hub.publish_file("org/model", name, "2", None);
        let error = run("hf://org/model", &path_of(home.path()), &hub_context(&hub, None)).await.unwrap_err();
        assert!(matches!(error, TransferError::UnsafeName { .. }), "{name}: {error}");
        assert!(read(home.path()).is_empty());
    }
}
