//! Tokens signed by an identity provider (`OpenID` Connect).
//!
//! The provider's keys are found by discovery and kept. They are fetched again when they are old, so that a withdrawn
//! key stops working, and when a token names one that is unknown, but never more often than a floor allows: made-up key
//! ids must not become requests to the provider.

use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::{Caller, Refusal};

/// Signatures with a key pair only: with a shared secret, whoever can check a token can make one.
const ALGORITHMS: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// How long a provider may take to answer.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// A provider's document is a few kilobytes.
const LARGEST_DOCUMENT: usize = 1024 * 1024;
/// A user name longer than this is not one.
const LONGEST_USER: usize = 256;

/// What is expected of tokens.
#[derive(Clone, Debug)]
pub struct OidcOptions {
    /// The provider's URL, exactly as tokens name it.
    pub issuer: String,
    /// A token must be made out to one of these.
    pub audiences: Vec<String>,
    /// The claim with the user's name; dots lead into objects.
    pub user_claim: String,
    /// The claim with the list of groups; dots lead into objects.
    pub groups_claim: String,
    /// Keys older than this are fetched again.
    pub max_age: Duration,
    /// Keys are never fetched more often than this.
    pub refresh_floor: Duration,
    /// How far the provider's clock may be off.
    pub leeway: Duration,
}

impl OidcOptions {
    /// Starts with what suits most providers.
    pub fn new(issuer: impl Into<String>, audiences: Vec<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audiences,
            user_claim: "sub".to_owned(),
            groups_claim: "groups".to_owned(),
            max_age: Duration::from_mins(5),
            refresh_floor: Duration::from_secs(10),
            leeway: Duration::from_secs(30),
        }
    }
}

/// The options cannot work.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// Tokens for anybody would be accepted.
    #[error("an audience is required: without it, tokens made for other services would be accepted")]
    NoAudience,
    /// The issuer is no URL a provider can be found under.
    #[error("`{0}` is not an http or https URL")]
    Issuer(String),
    /// No HTTP client.
    #[error("cannot make an HTTP client: {0}")]
    Client(#[source] reqwest::Error),
}

/// An identity provider.
pub struct Oidc {
    options: OidcOptions,
    client: reqwest::Client,
    keys: RwLock<Option<Keys>>,
    /// When fetching was last tried; held while fetching, so that one request does it for all.
    last_try: Mutex<Option<Instant>>,
}

#[derive(Clone)]
struct Keys {
    set: Arc<JwkSet>,
    fetched: Instant,
}

impl Oidc {
    /// Prepares to check tokens. The provider is asked when the first token comes: it may start later than we do.
    pub fn new(options: OidcOptions) -> Result<Self, OidcError> {
        if options.audiences.iter().all(String::is_empty) {
            return Err(OidcError::NoAudience);
        }
        let is_url = reqwest::Url::parse(&options.issuer).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !is_url {
            return Err(OidcError::Issuer(options.issuer));
        }
        let client = reqwest::Client::builder()
            .timeout(FETCH_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(OidcError::Client)?;
        Ok(Self { options, client, keys: RwLock::default(), last_try: Mutex::default() })
    }

    pub(super) async fn identify(&self, token: &str) -> Result<Caller, Refusal> {
        // Fails for `none` and other names that are no algorithm.
        let header = jsonwebtoken::decode_header(token)?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(Refusal::token("the algorithm is not accepted"));
        }
        let key = self.key(header.kid.as_deref(), header.alg).await?;
        let key = DecodingKey::from_jwk(&key)?;
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.options.issuer]);
        validation.set_audience(&self.options.audiences);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.validate_nbf = true;
        validation.leeway = self.options.leeway.as_secs();
        let claims = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation)?.claims;
        self.caller(&claims)
    }

    fn caller(&self, claims: &Map<String, Value>) -> Result<Caller, Refusal> {
        let user = claim(claims, &self.options.user_claim).and_then(Value::as_str).unwrap_or_default();
        if user.is_empty() || user.len() > LONGEST_USER || user.chars().any(char::is_control) {
            return Err(Refusal::token("the token names no user"));
        }
        let groups = match claim(claims, &self.options.groups_claim) {
            Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::String(group)) => vec![group.clone()],
            _ => Vec::new(),
        };
        Ok(Caller { user: user.to_owned(), groups })
    }

    /// Finds the key a token names.
    async fn key(&self, id: Option<&str>, algorithm: Algorithm) -> Result<Jwk, Refusal> {
        let known = self.known();
        let is_fresh = known.as_ref().is_some_and(|keys| keys.fetched.elapsed() < self.options.max_age);
        let found = known.as_ref().and_then(|keys| find_key(&keys.set, id, algorithm));
        if let Some(key) = found.clone()
            && is_fresh
        {
            return Ok(key);
        }
        match self.refresh(known.as_ref().map(|keys| keys.fetched)).await {
            Ok(keys) => find_key(&keys.set, id, algorithm).ok_or_else(|| Refusal::token("the key is unknown")),
            // The provider being away must not lock everybody out at once.
            Err(reason) if known.is_some() => {
                tracing::warn!(reason, "the identity provider's keys are not fresh");
                found.ok_or_else(|| Refusal::token("the key is unknown"))
            }
            Err(reason) => Err(Refusal::Unavailable(reason)),
        }
    }

    fn known(&self) -> Option<Keys> {
        self.keys.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Fetches the keys, unless that was done since `seen` or tried a moment ago.
    async fn refresh(&self, seen: Option<Instant>) -> Result<Keys, String> {
        let mut last_try = self.last_try.lock().await;
        let known = self.known();
        if let Some(keys) = known.clone().filter(|keys| Some(keys.fetched) != seen) {
            return Ok(keys);
        }
        if last_try.is_some_and(|time| time.elapsed() < self.options.refresh_floor) {
            return known.ok_or_else(|| "fetching the keys failed a moment ago".to_owned());
        }
        *last_try = Some(Instant::now());
        let keys = Keys { set: Arc::new(self.fetch().await?), fetched: Instant::now() };
        *self.keys.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(keys.clone());
        Ok(keys)
    }

    async fn fetch(&self) -> Result<JwkSet, String> {
        #[derive(Deserialize)]
        struct Discovery {
            issuer: String,
            jwks_uri: String,
        }
        let issuer = &self.options.issuer;
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let discovery: Discovery = self.document(&url).await?;
        if discovery.issuer != *issuer {
            return Err(format!("{url} is about another issuer: {}", discovery.issuer));
        }
        self.document(&discovery.jwks_uri).await
    }

    async fn document<T: DeserializeOwned>(&self, url: &str) -> Result<T, String> {
        let failed = |error: reqwest::Error| format!("cannot fetch {url}: {error}");
        let response = self.client.get(url).send().await.and_then(reqwest::Response::error_for_status);
        let mut response = response.map_err(failed)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_DOCUMENT {
                return Err(format!("{url} is too large"));
            }
        }
        serde_json::from_slice(&body).map_err(|error| format!("{url} is not what it should be: {error}"))
    }
}

impl From<jsonwebtoken::errors::Error> for Refusal {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        Self::Token(error.to_string())
    }
}

/// Finds a key by its id; a token without one can only mean the only key there is.
fn find_key(set: &JwkSet, id: Option<&str>, algorithm: Algorithm) -> Option<Jwk> {
    let is_usable = |key: &&Jwk| {
        let is_for_signatures = !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption));
        let named = key.common.key_algorithm.map(|named| named.to_string());
        is_for_signatures && named.is_none_or(|named| named == format!("{algorithm:?}"))
    };
    let mut usable = set.keys.iter().filter(is_usable);
    let key = match id {
        Some(id) => usable.find(|key| key.common.key_id.as_deref() == Some(id)),
        None => usable.next().filter(|_| usable.next().is_none()),
    };
    key.cloned()
}

/// Finds a claim by its name, or else by the path its dots make.
fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let mut parts = name.split('.');
    let first = claims.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

#[cfg(test)]
mod tests;
