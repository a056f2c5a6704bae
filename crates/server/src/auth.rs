//! Who is calling, and whether they may.
//!
//! * `identify`: a request's bearer token becomes a [`Caller`], which handlers find in the request's extensions.
//! * [`Rules`]: which right a method and path need, in one table.
//! * [`Policy`]: which right a caller has, decided by [`Policy::authorize`] and nowhere else.
//!
//! A refused token is 401 without a reason (the log has it); a missing right is 403 and named. What has a route but no
//! rule is refused.
//!
//! To add a way to authenticate: one variant of [`Authenticator`] and one file beside `oidc.rs`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::ApiError;

mod oidc;
mod policy;
mod rules;
mod tokens;

pub use oidc::{Oidc, OidcError, OidcOptions};
pub use policy::{Action, Policy, Right, Role};
pub use rules::{Access, DEFAULT_RULES, Rule, Rules, Walked};
pub use tokens::{TokenFile, hash_token};

/// Until there are several, everything is in this workspace.
pub const DEFAULT_WORKSPACE: &str = "default";

/// A longer token is refused unread.
const LONGEST_TOKEN: usize = 8 * 1024;

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user's name; `anonymous` when nobody is asked.
    pub user: String,
    /// The groups the user is in.
    pub groups: Vec<String>,
}

impl Caller {
    /// Returns the caller of a server that asks nobody.
    pub fn anonymous() -> Self {
        Self { user: "anonymous".to_owned(), groups: Vec::new() }
    }
}

/// How callers are known.
#[derive(Clone)]
pub enum Authenticator {
    /// Nobody is asked.
    Anonymous,
    /// By tokens whose hashes are in a file.
    Tokens(TokenFile),
    /// By tokens an identity provider signs.
    Oidc(Arc<Oidc>),
}

impl Authenticator {
    /// Finds out who sends a request with these headers.
    pub async fn identify(&self, headers: &HeaderMap) -> Result<Caller, ApiError> {
        let result = match self {
            Self::Anonymous => return Ok(Caller::anonymous()),
            Self::Tokens(tokens) => bearer(headers).and_then(|token| tokens.identify(token)),
            Self::Oidc(oidc) => match bearer(headers) {
                Ok(token) => oidc.identify(token).await,
                Err(refusal) => Err(refusal),
            },
        };
        result.map_err(|refusal| match refusal {
            Refusal::Token(reason) => {
                tracing::info!(reason, "caller refused");
                ApiError::Unauthorized
            }
            Refusal::Unavailable(reason) => {
                tracing::error!(reason, "callers cannot be identified");
                ApiError::Unavailable("the identity provider cannot be reached: try again later".into())
            }
        })
    }
}

/// Why nobody was identified; for the log only, and never with any part of the token.
#[derive(Debug)]
enum Refusal {
    Token(String),
    Unavailable(String),
}

impl Refusal {
    fn token(reason: impl Into<String>) -> Self {
        Self::Token(reason.into())
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| Refusal::token("no token"))?;
    if values.next().is_some() {
        return Err(Refusal::token("several Authorization headers"));
    }
    let value = value.to_str().map_err(|_| Refusal::token("the Authorization header is not text"))?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(Refusal::token("not a bearer token"));
    }
    if token.len() > LONGEST_TOKEN {
        return Err(Refusal::token("the token is too long"));
    }
    Ok(token)
}

/// Everything that decides about a request.
#[derive(Clone)]
pub struct Auth {
    /// How callers are known.
    pub authenticator: Authenticator,
    /// What they may do.
    pub policy: Policy,
    /// What a request needs.
    pub rules: Rules,
}

/// Lets only those requests through to `router` that `auth` allows.
pub fn protect(router: Router, auth: Auth) -> Router {
    router.layer(middleware::from_fn_with_state(Arc::new(auth), check))
}

async fn check(State(auth): State<Arc<Auth>>, mut request: Request, next: Next) -> Response {
    let access = auth.rules.find(request.method(), request.uri().path());
    let right = match access {
        Some(Access::Public) => return next.run(request).await,
        Some(Access::Needs(right)) => right,
        // Nothing is there, or a file of a web page: nothing to protect.
        None if request.extensions().get::<MatchedPath>().is_none() => return next.run(request).await,
        None => {
            tracing::error!(path = request.uri().path(), "refused: the route has no authorization rule");
            return ApiError::Forbidden("nobody has access to this path".into()).into_response();
        }
    };
    let caller = match auth.authenticator.identify(request.headers()).await {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    if let Err(error) = auth.policy.authorize(&caller, Action { right, workspace: DEFAULT_WORKSPACE }) {
        return error.into_response();
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Refuses to serve everybody on an address other machines can reach, unless that was asked for.
pub fn check_exposure(
    authenticator: &Authenticator,
    address: SocketAddr,
    allow_anonymous: bool,
) -> Result<(), ExposureError> {
    let is_anonymous = matches!(authenticator, Authenticator::Anonymous);
    if is_anonymous && !address.ip().to_canonical().is_loopback() && !allow_anonymous {
        return Err(ExposureError { address });
    }
    Ok(())
}

/// Anybody could change everything.
#[derive(Debug, thiserror::Error)]
#[error(
    "refusing to let everybody who reaches {address} change everything: set --auth-mode, listen on 127.0.0.1, or pass \
     --allow-anonymous if something in front checks callers"
)]
pub struct ExposureError {
    address: SocketAddr,
}

#[cfg(test)]
mod tests;
