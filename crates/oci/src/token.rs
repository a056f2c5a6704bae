//! Authentication of requests: basic, or with tokens of the registry's token service.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use serde::Deserialize;
use url::Url;

use crate::challenge::Challenge;
use crate::credentials::Credentials;
use crate::error::{Error, Result};
use crate::transport::{Transport, read_limited};

/// How long a token is used if the service does not say how long it is valid, as the token specification defines.
const DEFAULT_LIFETIME: u64 = 60;
/// A token is replaced this long before it expires, so that it does not expire on its way.
const MARGIN: Duration = Duration::from_secs(10);
const LARGEST_RESPONSE: u64 = 1 << 20;
const CLIENT_ID: &str = "model-registry";

/// Proves to one registry who the client is.
pub(crate) struct Authenticator {
    credentials: Credentials,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    challenge: Option<Challenge>,
    tokens: HashMap<String, Token>,
}

struct Token {
    value: HeaderValue,
    expires: Instant,
}

#[derive(Deserialize)]
struct TokenResponse {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

impl Authenticator {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self { credentials, state: Mutex::default() }
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The header for a request with this scope, as far as the registry's requirements are known.
    pub(crate) async fn header(&self, transport: &Transport, scope: &str) -> Result<Option<HeaderValue>> {
        if let Credentials::Token(token) = &self.credentials {
            return sensitive(&format!("Bearer {token}")).map(Some);
        }
        let challenge = {
            let state = self.state();
            match &state.challenge {
                None => return Ok(None),
                Some(Challenge::Basic) => return self.basic(),
                Some(bearer) => {
                    let now = Instant::now();
                    if let Some(token) = state.tokens.get(scope).filter(|token| token.expires > now) {
                        return Ok(Some(token.value.clone()));
                    }
                    bearer.clone()
                }
            }
        };
        let Challenge::Bearer { realm, service, .. } = challenge else { return Ok(None) };
        let token = self.fetch(transport, &realm, service.as_deref(), scope).await?;
        let value = token.value.clone();
        self.state().tokens.insert(scope.to_owned(), token);
        Ok(Some(value))
    }

    /// Remembers what a response with status 401 requires. Returns whether another attempt makes sense.
    pub(crate) fn learn(&self, headers: &HeaderMap, scope: &str) -> bool {
        let values = headers.get_all(WWW_AUTHENTICATE);
        let Some(challenge) = Challenge::choose(values.iter().filter_map(|value| value.to_str().ok())) else {
            return false;
        };
        let is_possible = match (&challenge, &self.credentials) {
            (_, Credentials::Token(_)) => false,
            (Challenge::Basic, credentials) => matches!(credentials, Credentials::Basic { .. }),
            // Public repositories require a token, too, which is issued to everybody.
            (Challenge::Bearer { .. }, _) => true,
        };
        let mut state = self.state();
        state.tokens.remove(scope);
        state.challenge = Some(challenge);
        is_possible
    }

    fn basic(&self) -> Result<Option<HeaderValue>> {
        self.credentials.basic().map(|value| sensitive(&value)).transpose()
    }

    async fn fetch(&self, transport: &Transport, realm: &str, service: Option<&str>, scope: &str) -> Result<Token> {
        let invalid =
            |reason: String| Error::Invalid { what: format!("the token service of {}", transport.registry()), reason };
        let realm = Url::parse(realm).map_err(|_| invalid("its address is not a URL".to_owned()))?;
        transport.check(&realm)?;
        let scopes = scope.split(' ').map(|scope| ("scope", scope));
        let service = service.map(|service| ("service", service));
        let what = "the request of a token";
        let response = if let Credentials::IdentityToken(token) = &self.credentials {
            let body = form(token, service, scope);
            let build = |http: &reqwest::Client| {
                http.post(realm.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body.clone())
            };
            transport.send_repeated(what, build).await?
        } else {
            let mut url = realm.clone();
            url.query_pairs_mut().extend_pairs(service).extend_pairs(scopes);
            let basic = self.basic()?;
            let build = |http: &reqwest::Client| match &basic {
                Some(basic) => http.get(url.clone()).header(AUTHORIZATION, basic.clone()),
                None => http.get(url.clone()),
            };
            transport.send_repeated(what, build).await?
        };
        let status = response.status().as_u16();
        if matches!(status, 400 | 401 | 403) {
            let what = format!("refused to issue a token for {scope}");
            let has_credentials = !self.credentials.is_anonymous();
            return Err(Error::Unauthorized { registry: transport.registry().to_owned(), what, has_credentials });
        }
        if !response.status().is_success() {
            return Err(transport.refused(what, response, &self.credentials).await);
        }
        let bytes = read_limited(transport, response, what, LARGEST_RESPONSE).await?;
        // Without the words of the parser, which may quote the token.
        let parsed: TokenResponse =
            serde_json::from_slice(&bytes).map_err(|_| invalid("its response is not JSON with a token".to_owned()))?;
        let token = parsed.token.or(parsed.access_token).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| invalid("its response has no token".to_owned()))?;
        let lifetime = Duration::from_secs(parsed.expires_in.unwrap_or(DEFAULT_LIFETIME).min(86_400));
        let expires = Instant::now() + lifetime.saturating_sub(MARGIN).max(lifetime / 2);
        Ok(Token { value: sensitive(&format!("Bearer {token}"))?, expires })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of a request that exchanges an identity token.
fn form(token: &str, service: Option<(&str, &str)>, scope: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token").append_pair("client_id", CLIENT_ID);
    form.append_pair("refresh_token", token).extend_pairs(service).append_pair("scope", scope);
    form.finish()
}

/// A value that is not printed by `Debug`.
fn sensitive(value: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| Error::Usage("the credentials contain characters that a header must not have".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}
