//! A stand-in for an identity provider (`OpenID` Connect): discovery, the public keys, and tokens signed with them.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::error::Result;

/// Whom the tokens of [`IssuerServer::claims`] are made out to.
pub const AUDIENCE: &str = "registry";

/// An identity provider on a port of its own.
pub struct IssuerServer {
    url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    keys: Mutex<Vec<Jwk>>,
    fetches: AtomicUsize,
}

/// A key pair that tokens are signed with (ES256).
pub struct SigningKey {
    id: String,
    key: EncodingKey,
}

impl SigningKey {
    pub fn new(id: &str) -> Self {
        let pair = rcgen::KeyPair::generate().expect("a key pair is made");
        let key = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).expect("what was made is a key");
        Self { id: id.to_owned(), key }
    }

    /// As it is published.
    pub fn public(&self) -> Jwk {
        let mut key = Jwk::from_encoding_key(&self.key, Algorithm::ES256).expect("it is a key for this algorithm");
        key.common.key_id = Some(self.id.clone());
        key
    }

    pub fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, claims, &self.key).expect("claims can be signed")
    }

    /// Signs with the public key taken for a shared secret: the classic confusion.
    pub fn sign_by_confusion(&self, claims: &Value) -> String {
        let secret = serde_json::to_vec(&self.public()).expect("a key is JSON");
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(&secret)).expect("claims can be signed")
    }
}

impl IssuerServer {
    /// Starts one that publishes these keys.
    pub async fn start(keys: &[&SigningKey]) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(State::default());
        let discovery = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
        let shared = Arc::clone(&state);
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(async move || Json(discovery)))
            .route("/keys", get(async move || Json(shared.answer())));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let issuer = Self { url, state };
        issuer.rotate(keys);
        Ok(issuer)
    }

    /// As tokens name it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Publishes these keys instead.
    pub fn rotate(&self, keys: &[&SigningKey]) {
        *self.state.keys() = keys.iter().map(|key| key.public()).collect();
    }

    /// How often the keys were fetched.
    pub fn fetches(&self) -> usize {
        self.state.fetches.load(Ordering::SeqCst)
    }

    /// What a good token says: `ann` of the group `science`, for five minutes.
    pub fn claims(&self) -> Value {
        json!({
            "iss": self.url, "aud": AUDIENCE, "sub": "ann", "exp": get_current_timestamp() + 300,
            "groups": ["science"], "realm_access": {"roles": ["r1"]},
        })
    }

    pub fn claims_with(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims();
        claims[name] = value;
        claims
    }
}

impl State {
    fn keys(&self) -> std::sync::MutexGuard<'_, Vec<Jwk>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self) -> JwkSet {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        JwkSet { keys: self.keys().clone() }
    }
}
