//! Passwords, tokens, configuration files and helpers.

use model_registry_oci::{CredentialStore, Credentials, DockerConfig, Error, ImageOptions, Registries};

use crate::fake_registry::{Authentication, FakeRegistry, Fault, IDENTITY_TOKEN, PASSWORD, USER};
use crate::support::{anonymous, files, plain, pull, push, reference, with_password};

#[tokio::test]
async fn a_model_is_pushed_and_pulled_with_a_password_and_with_tokens() {
    for authentication in [Authentication::Basic, Authentication::Token] {
        let registry = FakeRegistry::start().await;
        registry.content().authentication = authentication;
        let target = reference(&registry, "org/m:1");
        let model = files(&[("a", 3000)]);
        let registries = Registries::new(plain(), with_password(USER, PASSWORD));
        push(&registries, &target, &model, ImageOptions::default()).await.unwrap();
        assert_eq!(pull(&registries, &target).await.unwrap(), model);
        let tokens = registry.requests().iter().filter(|request| request.contains("/token")).count();
        assert!(tokens <= 2, "a token is used again until it expires: {tokens}");
    }
}

#[tokio::test]
async fn an_identity_token_is_exchanged() {
    let registry = FakeRegistry::start().await;
    registry.content().authentication = Authentication::Token;
    let store = CredentialStore::none().with(None, Credentials::IdentityToken(IDENTITY_TOKEN.to_owned()));
    let target = reference(&registry, "org/m:1");
    push(&Registries::new(plain(), store), &target, &files(&[("a", 10)]), ImageOptions::default()).await.unwrap();
}

#[tokio::test]
async fn wrong_and_missing_credentials_have_different_errors_before_any_byte_is_sent() {
    for authentication in [Authentication::Basic, Authentication::Token] {
        let registry = FakeRegistry::start().await;
        registry.content().authentication = authentication;
        let target = reference(&registry, "org/m:1");
        for (registries, hint) in [
            (anonymous(), "it requires credentials"),
            (Registries::new(plain(), with_password(USER, "wrong-hunter3")), "does not accept the credentials"),
        ] {
            let error = push(&registries, &target, &files(&[("a", 10)]), ImageOptions::default()).await.unwrap_err();
            let message = error.to_string();
            assert!(matches!(error, Error::Unauthorized { .. }) && message.contains(hint), "{message}");
            assert!(!format!("{error:?}{message}").contains("hunter"), "{message}");
            let error = pull(&registries, &target).await.unwrap_err().to_string();
            assert!(error.contains(hint), "{error}");
        }
        assert_eq!(registry.content().received, 0);
    }
}

#[tokio::test]
async fn a_registry_that_repeats_the_secrets_does_not_bring_them_into_the_error() {
    use base64::Engine;
    let registry = FakeRegistry::start().await;
    registry.content().authentication = Authentication::Basic;
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let message = format!("header Basic {encoded} for {PASSWORD} at https://x:{PASSWORD}@h/?token={PASSWORD}");
    registry.plan("GET", "/manifests/", Fault::Refused(403, message));
    let registries = Registries::new(plain(), with_password(USER, PASSWORD));
    let error = pull(&registries, &reference(&registry, "m:1")).await.unwrap_err();
    let shown = format!("{error} {error:?} {registries:?}");
    assert!(matches!(error, Error::Denied { .. }), "{shown}");
    assert!(!shown.contains(PASSWORD) && !shown.contains(&encoded), "{shown}");
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the path of this test, not a setting")]
async fn the_credentials_of_a_helper_are_used_and_a_failing_helper_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let install = |name: &str, script: &str| {
        let path = directory.path().join(format!("docker-credential-{name}"));
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    install(
        "test-good",
        &format!(
            r#"read server; echo "{{\"ServerURL\":\"$server\",\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}\"}}""#
        ),
    );
    install("test-none", "echo 'credentials not found in native keychain'; exit 1");
    install("test-bad", "echo hunter2; exit 3");
    install("test-odd", "echo hunter2");
    // Helpers are found in the path; the absolute one is given to a child, which is this test program again.
    let path = format!("{}:{}", directory.path().display(), std::env::var("PATH").unwrap_or_default());
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "authentication::helpers_in_the_path", "--nocapture"])
        .env("PATH", path)
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}

#[tokio::test]
#[ignore = "started by the test of the helpers, with them in the path"]
async fn helpers_in_the_path() {
    let registry = FakeRegistry::start().await;
    registry.content().authentication = Authentication::Basic;
    let target = reference(&registry, "org/m:1");
    let store = |name: &str| {
        let text = format!(r#"{{"credHelpers":{{"{}":"{name}"}}}}"#, registry.host());
        CredentialStore::from_config(DockerConfig::parse(&text, "test").unwrap())
    };
    let registries = Registries::new(plain(), store("test-good"));
    push(&registries, &target, &files(&[("a", 10)]), ImageOptions::default()).await.unwrap();
    for (name, expected) in [
        ("test-none", "it requires credentials"),
        ("test-bad", "`docker-credential-test-bad`: failed"),
        ("test-odd", "returned no JSON"),
    ] {
        let error = pull(&Registries::new(plain(), store(name)), &target).await.unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
    }
    let text = r#"{"credsStore":"test-good","auths":{}}"#;
    let all = CredentialStore::from_config(DockerConfig::parse(text, "test").unwrap());
    pull(&Registries::new(plain(), all), &target).await.unwrap();
}
