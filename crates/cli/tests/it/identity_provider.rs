//! `--auth-mode oidc` of the running executable, with a fake identity provider that rotates its keys.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use model_registry_testkit::issuer::AUDIENCE;
use model_registry_testkit::{Executable, IssuerServer, SigningKey};
use serde_json::{Value, json};

use crate::support::{Client, Response, eventually, role_on};

const POLICY: &str = "[[grants]]\nrole = \"reader\"\nusers = [\"*\"]\n\
                      [[grants]]\nrole = \"writer\"\ngroups = [\"science\"]\n";

async fn start(issuer: &str) -> Executable {
    let provider = ["--auth-mode", "oidc", "--auth-oidc-issuer", issuer, "--auth-oidc-audience", AUDIENCE];
    let launch = role_on("server", "sqlite:x.db").arguments(["--log-level", "trace"]).arguments(provider);
    let launch = launch.file("policy.toml", POLICY).arguments(["--auth-policy-file", "policy.toml"]);
    launch.start().await.unwrap()
}

async fn create(server: &Executable, name: &str, token: &str) -> Response {
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str())];
    Client::of(server).call("POST", "registered_models", &headers, Some(&json!({"name": name}))).await.unwrap()
}

fn encoded(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn only_tokens_signed_by_the_provider_for_our_audience_are_accepted() {
    let key = SigningKey::new("k1");
    let issuer = IssuerServer::start(&[&key]).await.unwrap();
    let server = start(issuer.url()).await;
    let good = key.sign(&issuer.claims());
    let accepted = create(&server, "by ann", &good).await;
    assert_eq!(accepted.status, 201, "{accepted:?}\n{}", server.log());

    let (head, rest) = good.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let root = encoded(&issuer.claims_with("sub", json!("root")));
    let unsigned = |algorithm: &str| encoded(&json!({"alg": algorithm, "kid": "k1", "typ": "JWT"}));
    let refused = [
        ("another audience", key.sign(&issuer.claims_with("aud", json!("another")))),
        ("another issuer", key.sign(&issuer.claims_with("iss", json!("https://login.example.org")))),
        ("expired", key.sign(&issuer.claims_with("exp", json!(1_700_000_000)))),
        ("not yet valid", key.sign(&issuer.claims_with("nbf", json!(9_999_999_999_u64)))),
        ("no audience", key.sign(&issuer.claims_with("aud", Value::Null))),
        ("alg: none", format!("{}.{payload}.", unsigned("none"))),
        ("alg: None, with a signature", format!("{}.{payload}.{signature}", unsigned("None"))),
        ("no signature", format!("{head}.{payload}.")),
        ("another content", format!("{head}.{root}.{signature}")),
        ("another key with the same id", SigningKey::new("k1").sign(&issuer.claims())),
        ("an unknown key", SigningKey::new("k2").sign(&issuer.claims())),
        ("the public key as HMAC secret", key.sign_by_confusion(&issuer.claims())),
        ("oversized", key.sign(&issuer.claims_with("padding", json!("x".repeat(16 * 1024))))),
        ("nonsense", "nonsense".to_owned()),
    ];
    for (what, token) in refused {
        let response = create(&server, "unauthenticated", &token).await;
        assert_eq!(response.status, 401, "{what}: {response:?}");
        let body = json!({"code": "Unauthorized", "message": "authentication required"});
        assert_eq!(response.body, body, "{what}");
        // The log does not contain the token.
        assert!(!server.log().contains(&token) || what == "nonsense", "{what}: {}", server.log());
    }
    let none = Client::of(&server).post("registered_models", &json!({"name": "unauthenticated"})).await;
    assert_eq!(none.status, 401, "{none:?}");

    let reader = key.sign(&issuer.claims_with("groups", json!(["sales"])));
    let forbidden = create(&server, "by a reader", &reader).await;
    assert_eq!(forbidden.status, 403, "{forbidden:?}");
    assert_eq!(forbidden.body["message"], "`ann` lacks the right `write` in workspace `default`");

    let authorization = format!("Bearer {reader}");
    let headers = [("authorization", authorization.as_str())];
    let models = Client::of(&server).call("GET", "registered_models", &headers, None).await.unwrap();
    assert_eq!(models.items().iter().map(|model| &model["name"]).collect::<Vec<_>>(), ["by ann"]);
}

#[tokio::test]
async fn rotated_signing_keys_are_reloaded() {
    let (old, new) = (SigningKey::new("old"), SigningKey::new("new"));
    let issuer = IssuerServer::start(&[&old]).await.unwrap();
    let server = start(issuer.url()).await;
    assert_eq!(create(&server, "old", &old.sign(&issuer.claims())).await.status, 201, "{}", server.log());

    issuer.rotate(&[&new]);
    let token = new.sign(&issuer.claims());
    eventually("the new key is known", async || match create(&server, "new", &token).await.status {
        201 => true,
        401 => false,
        status => panic!("{status}\n{}", server.log()),
    })
    .await;
    assert_eq!(create(&server, "withdrawn", &old.sign(&issuer.claims())).await.status, 401, "{}", server.log());
}

#[tokio::test]
async fn an_unreachable_provider_yields_503() {
    let key = SigningKey::new("k1");
    let issuer = IssuerServer::start(&[&key]).await.unwrap();
    // No server listens on port 1.
    let server = start("http://127.0.0.1:1").await;
    let response = create(&server, "m", &key.sign(&issuer.claims())).await;
    assert_eq!(response.status, 503, "{response:?}");
    assert_eq!(response.body["message"], "the identity provider cannot be reached: try again later");
    // A malformed token is rejected without the provider.
    assert_eq!(create(&server, "m", "nonsense").await.status, 401);
    assert_eq!(Client::of(&server).get("/readyz/health").await.status, 200);
}
