//! Tokens signed by an identity provider (`OpenID` Connect).
//!
//! The provider's keys are located by discovery and cached. They are refreshed after `max_age`, so that a revoked key
//! stops working, and when a token has an unknown key id. `refresh_floor` limits the rate: invented key ids must not
//! cause requests to the provider.

use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use model_registry_base::{ConnectionProblem, error_chain};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::{Caller, Rejection};

/// Asymmetric signatures only: with a shared secret, a service that verifies tokens can forge them.
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
/// Timeout of requests to the provider.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum size of a document of the provider, in bytes; typical ones are a few kilobytes.
const LARGEST_DOCUMENT: usize = 1024 * 1024;
/// Maximum length of a user name, in bytes.
const LONGEST_USER: usize = 256;

/// Requirements on tokens, and caching of keys.
#[derive(Clone, Debug)]
pub struct OidcOptions {
    /// URL of the provider, exactly as the `iss` claim.
    pub issuer: String,
    /// Accepted values of the `aud` claim.
    pub audiences: Vec<String>,
    /// Claim with the user name; dots separate the keys of nested objects.
    pub user_claim: String,
    /// Claim with the list of groups; dots separate the keys of nested objects.
    pub groups_claim: String,
    /// Age after which keys are refreshed.
    pub max_age: Duration,
    /// Minimum time between two requests for keys.
    pub refresh_floor: Duration,
    /// Tolerated difference of the clocks.
    pub leeway: Duration,
}

impl OidcOptions {
    /// Defaults that suit most providers.
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

/// Why the options are unusable.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    #[error("an audience is required: without it, tokens made for other services would be accepted")]
    NoAudience,
    #[error("`{0}` is not an http or https URL")]
    Issuer(String),
    #[error("cannot create an HTTP client: {0}")]
    Client(#[source] reqwest::Error),
}

/// An identity provider.
pub struct Oidc {
    options: OidcOptions,
    client: reqwest::Client,
    keys: RwLock<Option<Keys>>,
    /// Time of the last attempt to fetch keys; locked while fetching, so that concurrent requests share one fetch.
    last_try: Mutex<Option<Instant>>,
}

#[derive(Clone)]
struct Keys {
    set: Arc<JwkSet>,
    fetched: Instant,
}

impl Oidc {
    /// Validates the options. The provider is contacted with the first token, so it may start after this process.
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

    pub(super) async fn identify(&self, token: &str) -> Result<Caller, Rejection> {
        // Fails for `none` and unknown algorithms.
        let header = jsonwebtoken::decode_header(token)?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(Rejection::token("the signature algorithm is not accepted"));
        }
        // RFC 7515, 4.1.11: a token with an extension that is not understood is invalid, and none is understood here.
        if header.crit.is_some() {
            return Err(Rejection::token("the token requires extensions (`crit`) that are not supported"));
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

    fn caller(&self, claims: &Map<String, Value>) -> Result<Caller, Rejection> {
        let user = claim(claims, &self.options.user_claim).and_then(Value::as_str).unwrap_or_default();
        if user.is_empty() || user.len() > LONGEST_USER || user.chars().any(char::is_control) {
            return Err(Rejection::token("the token has no valid user name"));
        }
        let groups = match claim(claims, &self.options.groups_claim) {
            Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::String(group)) => vec![group.clone()],
            _ => Vec::new(),
        };
        Ok(Caller { user: user.to_owned(), groups })
    }

    /// Finds the key of a token.
    async fn key(&self, id: Option<&str>, algorithm: Algorithm) -> Result<Jwk, Rejection> {
        let known = self.known();
        let is_fresh = known.as_ref().is_some_and(|keys| keys.fetched.elapsed() < self.options.max_age);
        let found = known.as_ref().and_then(|keys| find_key(&keys.set, id, algorithm));
        if let Some(key) = found.clone()
            && is_fresh
        {
            return Ok(key);
        }
        match self.refresh(known.as_ref().map(|keys| keys.fetched)).await {
            Ok(keys) => find_key(&keys.set, id, algorithm).ok_or_else(|| Rejection::token("unknown signing key")),
            // If the provider is unreachable, the cached keys remain valid.
            Err(reason) if known.is_some() => {
                tracing::warn!(reason, "cannot refresh the keys of the identity provider; using the cached ones");
                found.ok_or_else(|| Rejection::token("unknown signing key"))
            }
            Err(reason) => Err(Rejection::Unavailable(reason)),
        }
    }

    fn known(&self) -> Option<Keys> {
        self.keys.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Fetches the keys, unless another request did since `seen` or tried within `refresh_floor`.
    async fn refresh(&self, seen: Option<Instant>) -> Result<Keys, String> {
        let mut last_try = self.last_try.lock().await;
        let known = self.known();
        if let Some(keys) = known.clone().filter(|keys| Some(keys.fetched) != seen) {
            return Ok(keys);
        }
        if last_try.is_some_and(|time| time.elapsed() < self.options.refresh_floor) {
            return known.ok_or_else(|| "fetching the keys failed within the last seconds".to_owned());
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
            return Err(format!("{url} has another issuer: {}", discovery.issuer));
        }
        self.document(&discovery.jwks_uri).await
    }

    async fn document<T: DeserializeOwned>(&self, url: &str) -> Result<T, String> {
        let failed = |error: reqwest::Error| {
            let remedy = ConnectionProblem::of(&error).map(|problem| format!("; {}", problem.remedy()));
            format!("cannot fetch {url}: {}{}", error_chain(&error.without_url()), remedy.unwrap_or_default())
        };
        let response = self.client.get(url).send().await.and_then(reqwest::Response::error_for_status);
        let mut response = response.map_err(failed)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_DOCUMENT {
                return Err(format!("{url} exceeds {LARGEST_DOCUMENT} bytes"));
            }
        }
        serde_json::from_slice(&body).map_err(|error| format!("{url} is not a valid document: {error}"))
    }
}

impl From<jsonwebtoken::errors::Error> for Rejection {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        Self::Token(error.to_string())
    }
}

/// Finds a key by its id; without an id, the only usable key.
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

/// Finds a claim by its name, or else by its dotted path.
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
