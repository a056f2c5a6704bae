//! Authentication with a fake identity provider.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::get_current_timestamp;
use model_registry_testkit::issuer::AUDIENCE;
use model_registry_testkit::{IssuerServer, SigningKey};
use serde_json::json;

use super::*;

fn options(issuer: &IssuerServer) -> OidcOptions {
    OidcOptions { refresh_floor: Duration::ZERO, ..OidcOptions::new(issuer.url(), vec![AUDIENCE.to_owned()]) }
}

async fn rejected(oidc: &Oidc, token: &str) -> String {
    match oidc.identify(token).await {
        Err(Rejection::Token(reason)) => reason,
        other => panic!("not rejected: {other:?}"),
    }
}

#[tokio::test]
async fn a_valid_token_identifies_user_and_groups() {
    let key = SigningKey::new("k1");
    let issuer = IssuerServer::start(&[&key]).await.unwrap();
    let oidc = Oidc::new(options(&issuer)).unwrap();
    let caller = oidc.identify(&key.sign(&issuer.claims())).await.unwrap();
    assert_eq!(caller, Caller { user: "ann".to_owned(), groups: vec!["science".to_owned()] });
    oidc.identify(&key.sign(&issuer.claims())).await.unwrap();
    assert_eq!(issuer.fetches(), 1);

    let options = OidcOptions { groups_claim: "realm_access.roles".to_owned(), ..options(&issuer) };
    let caller = Oidc::new(options).unwrap().identify(&key.sign(&issuer.claims())).await.unwrap();
    assert_eq!(caller.groups, ["r1"]);
}

#[tokio::test]
async fn a_token_that_requires_extensions_is_rejected() {
    let key = SigningKey::new("k1");
    let issuer = IssuerServer::start(&[&key]).await.unwrap();
    let oidc = Oidc::new(options(&issuer)).unwrap();
    for names in [&["exp"][..], &["b64"], &["urn:example:unknown"], &[]] {
        let reason = rejected(&oidc, &key.sign_with_extensions(&issuer.claims(), names)).await;
        assert_eq!(reason, "the token requires extensions (`crit`) that are not supported");
    }
}

#[tokio::test]
async fn invalid_tokens_are_rejected() {
    let key = SigningKey::new("k1");
    let issuer = IssuerServer::start(&[&key]).await.unwrap();
    let oidc = Oidc::new(options(&issuer)).unwrap();
    let now = get_current_timestamp();
    for (name, value) in [
        ("exp", json!(now - 3600)),
        ("nbf", json!(now + 3600)),
        ("aud", json!("another")),
        ("iss", json!("https://another")),
        ("sub", json!("")),
        ("sub", json!(["ann"])),
        ("sub", json!("a\nb")),
        ("exp", json!("never")),
    ] {
        rejected(&oidc, &key.sign(&issuer.claims_with(name, value))).await;
    }
    for missing in ["exp", "aud", "iss", "sub"] {
        let mut claims = issuer.claims();
        claims.as_object_mut().unwrap().remove(missing);
        rejected(&oidc, &key.sign(&claims)).await;
    }
    rejected(&oidc, "not-a-token").await;
    rejected(&oidc, "a.b.c").await;

    // Signed with another key of the same id.
    rejected(&oidc, &SigningKey::new("k1").sign(&issuer.claims())).await;
    // Changed after signing.
    let token = key.sign(&issuer.claims());
    let (head, rest) = token.split_once('.').unwrap();
    let signature = rest.split_once('.').unwrap().1;
    let admin = BASE64_URL_SAFE_NO_PAD.encode(issuer.claims_with("sub", json!("root")).to_string());
    rejected(&oidc, &format!("{head}.{admin}.{signature}")).await;
}

#[tokio::test]
async fn unsigned_tokens_and_shared_secrets_are_rejected() {
    let key = SigningKey::new("k1");
    let issuer = IssuerServer::start(&[&key]).await.unwrap();
    let oidc = Oidc::new(options(&issuer)).unwrap();
    let payload = BASE64_URL_SAFE_NO_PAD.encode(issuer.claims().to_string());
    for algorithm in ["none", "None", "NONE"] {
        let head = BASE64_URL_SAFE_NO_PAD.encode(json!({"alg": algorithm, "kid": "k1"}).to_string());
        rejected(&oidc, &format!("{head}.{payload}.")).await;
    }
    let token = key.sign_by_confusion(&issuer.claims());
    assert_eq!(rejected(&oidc, &token).await, "the signature algorithm is not accepted");
}

#[tokio::test]
async fn rotated_keys_are_fetched() {
    let (old, new) = (SigningKey::new("old"), SigningKey::new("new"));
    let issuer = IssuerServer::start(&[&old]).await.unwrap();
    let oidc = Oidc::new(options(&issuer)).unwrap();
    oidc.identify(&old.sign(&issuer.claims())).await.unwrap();

    issuer.rotate(&[&new]);
    oidc.identify(&new.sign(&issuer.claims())).await.unwrap();
    assert_eq!(rejected(&oidc, &old.sign(&issuer.claims())).await, "unknown signing key");
}

#[tokio::test]
async fn a_revoked_key_stops_working_after_the_maximum_age() {
    let (old, new) = (SigningKey::new("old"), SigningKey::new("new"));
    let issuer = IssuerServer::start(&[&old]).await.unwrap();
    let oidc = Oidc::new(OidcOptions { max_age: Duration::ZERO, ..options(&issuer) }).unwrap();
    oidc.identify(&old.sign(&issuer.claims())).await.unwrap();
    issuer.rotate(&[&new]);
    assert_eq!(rejected(&oidc, &old.sign(&issuer.claims())).await, "unknown signing key");
}

#[tokio::test]
async fn invented_key_ids_do_not_cause_requests_to_the_provider() {
    let key = SigningKey::new("k1");
    let issuer = IssuerServer::start(&[&key]).await.unwrap();
    let oidc = Oidc::new(OidcOptions { refresh_floor: Duration::from_mins(1), ..options(&issuer) }).unwrap();
    oidc.identify(&key.sign(&issuer.claims())).await.unwrap();
    for number in 0..20 {
        rejected(&oidc, &SigningKey::new(&format!("invented-{number}")).sign(&issuer.claims())).await;
    }
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn an_unreachable_provider_is_unavailable_rather_than_unauthorized() {
    let key = SigningKey::new("k1");
    let issuer = IssuerServer::start(&[&key]).await.unwrap();
    let token = key.sign(&issuer.claims());
    let options = OidcOptions::new("http://127.0.0.1:1", vec!["registry".to_owned()]);
    let result = Oidc::new(options).unwrap().identify(&token).await;
    assert!(matches!(result, Err(Rejection::Unavailable(_))), "{result:?}");
}

#[tokio::test]
async fn the_reason_of_an_unavailable_provider_has_its_cause_and_a_remedy() {
    let key = SigningKey::new("k1");
    let issuer = IssuerServer::start(&[&key]).await.unwrap();
    let token = key.sign(&issuer.claims());
    let files = tempfile::tempdir().unwrap();
    let generated = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, private) = (files.path().join("tls.crt"), files.path().join("tls.key"));
    std::fs::write(&certificate, generated.cert.pem()).unwrap();
    std::fs::write(&private, generated.signing_key.serialize_pem()).unwrap();
    let socket = crate::listener::bind("127.0.0.1", 0).await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let tls = Some(crate::tls::server_config(&certificate, &private).unwrap());
    let options = crate::listener::Options { tls, ..crate::listener::Options::default() };
    tokio::spawn(crate::listener::serve(socket, axum::Router::new(), options, std::future::pending()));
    for (url, remedy) in [
        ("http://127.0.0.1:1".to_owned(), "nothing listens on this address"),
        (issuer.url().replace("http://", "https://"), "the port does not use TLS"),
        (format!("https://localhost:{port}"), "signed by an authority that is not trusted"),
        ("https://no-such-host.invalid".to_owned(), "the host name is unknown"),
    ] {
        let options = OidcOptions::new(url.clone(), vec!["registry".to_owned()]);
        match Oidc::new(options).unwrap().identify(&token).await {
            Err(Rejection::Unavailable(reason)) => assert!(reason.contains(remedy), "{url}: {reason}"),
            other => panic!("{url}: {other:?}"),
        }
    }
}

#[test]
fn an_audience_and_a_url_are_required() {
    assert!(matches!(Oidc::new(OidcOptions::new("https://x", Vec::new())), Err(OidcError::NoAudience)));
    let options = OidcOptions::new("example.org", vec!["a".to_owned()]);
    assert!(matches!(Oidc::new(options), Err(OidcError::Issuer(_))));
}
