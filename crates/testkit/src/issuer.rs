//! A fake identity provider (`OpenID` Connect): discovery, public keys, and signed tokens.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::error::Result;

/// The audience of the tokens of [`IssuerServer::claims`].
pub const AUDIENCE: &str = "registry";

/// A running identity provider, on its own port.
pub struct IssuerServer {
    url: String,
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    keys: Mutex<Vec<Jwk>>,
    fetches: AtomicUsize,
}

/// A key pair that signs tokens (ES256).
pub struct SigningKey {
    id: String,
    key: EncodingKey,
}

impl SigningKey {
    pub fn new(id: &str) -> Self {
        let pair = rcgen::KeyPair::generate().expect("key generation works");
        let key = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).expect("the generated key is valid");
        Self { id: id.to_owned(), key }
    }

    /// The public key as the provider publishes it.
    pub fn public(&self) -> Jwk {
        let mut key = Jwk::from_encoding_key(&self.key, Algorithm::ES256).expect("the key fits the algorithm");
        key.common.key_id = Some(self.id.clone());
        key
    }

    pub fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, claims, &self.key).expect("signing works")
    }

    /// Signs a token whose header names extensions that its reader has to understand.
    pub fn sign_with_extensions(&self, claims: &Value, names: &[&str]) -> String {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let header = Header { kid: Some(self.id.clone()), crit: Some(names), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, claims, &self.key).expect("signing works")
    }

    /// Signs with HS256 and the public key as the shared secret: the algorithm confusion attack.
    pub fn sign_by_confusion(&self, claims: &Value) -> String {
        let secret = serde_json::to_vec(&self.public()).expect("a key serializes to JSON");
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(&secret)).expect("signing works")
    }
}

impl IssuerServer {
    /// Starts a provider that publishes these keys.
    pub async fn start(keys: &[&SigningKey]) -> Result<Self> {
        Self::start_as(None, keys).await
    }

    /// Starts a provider that is known under another URL than its own, that of a server in front of it.
    pub async fn start_as(url: Option<&str>, keys: &[&SigningKey]) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let url = url.map_or_else(|| format!("http://{address}"), str::to_owned);
        let state = Arc::new(State::default());
        let discovery = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
        let shared = Arc::clone(&state);
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(async move || Json(discovery)))
            .route("/keys", get(async move || Json(shared.fetch())));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let issuer = Self { url, address, state };
        issuer.rotate(keys);
        Ok(issuer)
    }

    /// The issuer that tokens name (`iss`).
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Replaces the published keys.
    pub fn rotate(&self, keys: &[&SigningKey]) {
        *self.state.keys() = keys.iter().map(|key| key.public()).collect();
    }

    /// How many times the keys were fetched.
    pub fn fetches(&self) -> usize {
        self.state.fetches.load(Ordering::SeqCst)
    }

    /// Valid claims: user `ann` of group `science`, for five minutes.
    pub fn claims(&self) -> Value {
        json!({
            "iss": self.url, "aud": AUDIENCE, "sub": "ann", "exp": get_current_timestamp() + 300,
            "groups": ["science"], "realm_access": {"roles": ["r1"]},
        })
    }

    /// Valid claims with one of them replaced.
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

    fn fetch(&self) -> JwkSet {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        JwkSet { keys: self.keys().clone() }
    }
}
