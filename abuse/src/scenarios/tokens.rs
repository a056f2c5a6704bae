//! Tokens that were not issued by the identity provider, or not for this server.

use anyhow::{Result, ensure};
use model_registry_testkit::issuer::AUDIENCE;
use model_registry_testkit::{IssuerServer, SigningKey};
use serde_json::{Value, json};

use crate::abused::Abused;
use crate::scenario::{EVERY, Group, Limits, Measured, SQLITE, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "tokens",
    about: "forged tokens: `alg: none`, HS256 with the public key, an unknown `crit`, expired, for others: each is 401",
    group: Group::Abuse,
    databases: EVERY,
    short: SQLITE,
    limits: Limits::unserved(5),
    run: |stage| Box::pin(run(stage)),
};

/// An identity provider with one key.
pub(super) struct Provider {
    key: SigningKey,
    issuer: IssuerServer,
}

impl Provider {
    pub(super) async fn start() -> Result<Self> {
        let key = SigningKey::new("k1");
        let issuer = IssuerServer::start(&[&key]).await?;
        Ok(Self { key, issuer })
    }

    /// Starts a server that accepts only tokens of this provider; the other clients have one.
    pub(super) async fn abused(&self, stage: &Stage, role: &str) -> Result<Abused> {
        let database = stage.database().await?;
        let authentication =
            ["--auth-mode", "oidc", "--auth-oidc-issuer", self.issuer.url(), "--auth-oidc-audience", AUDIENCE];
        let launch = stage.launch(role, database.url()).arguments(authentication);
        let token = self.key.sign(&self.issuer.claims());
        Abused::start_with(database, launch, |api| Ok(api.with_token(token))).await
    }
}

async fn run(stage: Stage) -> Result<Measured> {
    let provider = Provider::start().await?;
    let mut abused = provider.abused(&stage, "server").await?;
    abused.begin();
    let accepted = abused.api.get("registered_models").await?.status;
    ensure!(accepted == 200, "a valid token is {accepted}");
    for (what, token) in forged(&provider) {
        for _ in 0..stage.amount(1, 20) {
            let response = abused.api.with_token(token.clone()).get("registered_models").await?;
            abused.expect(response.status == 401, || format!("{what}: {} instead of 401", response.status));
        }
    }
    abused.finish().await
}

fn forged(provider: &Provider) -> Vec<(&'static str, String)> {
    let Provider { key, issuer } = provider;
    let valid = key.sign(&issuer.claims());
    let parts: Vec<&str> = valid.split('.').collect();
    let (head, payload, signature) = (parts[0], parts[1], parts[2]);
    let other = key.sign(&issuer.claims_with("sub", json!("root")));
    let other_payload = other.split('.').nth(1).unwrap_or_default();
    vec![
        ("`alg: none`", format!("{NONE}.{payload}.")),
        ("`alg: none` with a signature", format!("{NONE}.{payload}.{signature}")),
        ("no signature", format!("{head}.{payload}.")),
        ("the signature of another content", format!("{head}.{other_payload}.{signature}")),
        ("HS256 with the public key", key.sign_by_confusion(&issuer.claims())),
        ("an unknown `crit`", key.sign_with_extensions(&issuer.claims(), &["unknown-extension"])),
        ("expired", key.sign(&issuer.claims_with("exp", json!(1_700_000_000)))),
        ("not valid yet", key.sign(&issuer.claims_with("nbf", json!(9_999_999_999_u64)))),
        ("no expiry", key.sign(&issuer.claims_with("exp", Value::Null))),
        ("another audience", key.sign(&issuer.claims_with("aud", json!("another")))),
        ("another issuer", key.sign(&issuer.claims_with("iss", json!("https://login.example.org")))),
        ("another key with the same id", SigningKey::new("k1").sign(&issuer.claims())),
        ("a key that is not published", SigningKey::new("k2").sign(&issuer.claims())),
        ("60 KiB", "a".repeat(60 << 10)),
        ("dots", ".".repeat(1_000)),
    ]
}

/// `{"alg":"none","typ":"JWT"}`
const NONE: &str = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
