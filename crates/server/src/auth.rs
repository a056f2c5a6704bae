//! Authentication and authorization.
//!
//! * [`Authenticator`]: identifies the [`Caller`] of a request by its bearer token; handlers find it in the extensions.
//! * [`Rules`]: a table of the rights that methods and paths require.
//! * [`Policy`]: the rights of a caller, decided by [`Policy::authorize`] only.
//!
//! An invalid token is 401 without a reason, which is logged; a missing right is 403 and named in the message. A route
//! without a rule is closed to all callers.
//!
//! To add a way to authenticate: a variant of [`Authenticator`] and a file next to `oidc.rs`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::ApiError;
use crate::request::RequestContext;

mod oidc;
mod policy;
mod rules;
mod tokens;

pub use oidc::{Oidc, OidcError, OidcOptions};
pub use policy::{Action, Policy, Right, Role};
pub use rules::{Access, DEFAULT_RULES, Rule, Rules};
pub use tokens::{NoRandomness, TokenFile, generate_token, hash_token, token_entry};

/// The only workspace until tenancy is supported.
pub const DEFAULT_WORKSPACE: &str = "default";

/// Maximum length of a token, in bytes.
const LONGEST_TOKEN: usize = 8 * 1024;

/// The sender of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user name; `anonymous` without authentication.
    pub user: String,
    /// The groups of the user.
    pub groups: Vec<String>,
}

impl Caller {
    /// The caller of a server without authentication.
    pub fn anonymous() -> Self {
        Self { user: "anonymous".to_owned(), groups: Vec::new() }
    }
}

/// A way to authenticate callers.
#[derive(Clone)]
pub enum Authenticator {
    /// No authentication.
    Anonymous,
    /// Static tokens, whose hashes are in a file.
    Tokens(TokenFile),
    /// Tokens that an identity provider signs.
    Oidc(Arc<Oidc>),
}

impl Authenticator {
    /// Whether callers are not authenticated.
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous)
    }

    /// Identifies the sender of a request with these headers. Errors: `Unauthorized`, or `Unavailable` if the identity
    /// provider cannot be reached.
    pub async fn identify(&self, headers: &HeaderMap) -> Result<Caller, ApiError> {
        let result = match self {
            Self::Anonymous => return Ok(Caller::anonymous()),
            Self::Tokens(tokens) => bearer(headers).and_then(|token| tokens.identify(token)),
            Self::Oidc(oidc) => match bearer(headers) {
                Ok(token) => oidc.identify(token).await,
                Err(rejection) => Err(rejection),
            },
        };
        result.map_err(|rejection| match rejection {
            Rejection::Token(reason) => {
                tracing::info!(reason, "authentication failed");
                ApiError::Unauthorized
            }
            Rejection::Unavailable(reason) => {
                tracing::error!(reason, "authentication is not available");
                ApiError::Unavailable("the identity provider cannot be reached: try again later".into())
            }
        })
    }
}

/// Why a caller was not identified; for the log only, and without any part of the token.
#[derive(Debug)]
enum Rejection {
    Token(String),
    Unavailable(String),
}

impl Rejection {
    fn token(reason: impl Into<String>) -> Self {
        Self::Token(reason.into())
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Rejection> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| Rejection::token("no token"))?;
    if values.next().is_some() {
        return Err(Rejection::token("several Authorization headers"));
    }
    let value = value.to_str().map_err(|_| Rejection::token("the Authorization header is not ASCII"))?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(Rejection::token("not a bearer token"));
    }
    if token.len() > LONGEST_TOKEN {
        return Err(Rejection::token("the token is too long"));
    }
    Ok(token)
}

/// Authentication and authorization of a server.
#[derive(Clone)]
pub struct Auth {
    pub authenticator: Authenticator,
    pub policy: Policy,
    pub rules: Rules,
}

/// The rights of the caller of a request, for those that depend on more than the path; handlers find it in the extensions.
#[derive(Clone)]
pub struct CallerRights {
    auth: Arc<Auth>,
    caller: Caller,
}

impl CallerRights {
    /// Fails with `Forbidden` if the caller lacks a right.
    pub fn require(&self, right: Right) -> Result<(), ApiError> {
        self.auth.policy.authorize(&self.caller, Action { right, workspace: DEFAULT_WORKSPACE })
    }
}

/// Adds authentication and authorization to a router.
pub fn protect(router: Router, auth: Auth) -> Router {
    router.layer(middleware::from_fn_with_state(Arc::new(auth), check))
}

async fn check(State(auth): State<Arc<Auth>>, mut request: Request, next: Next) -> Response {
    let access = auth.rules.find(request.method(), request.uri().path());
    let right = match access {
        Some(Access::Public) => return next.run(request).await,
        Some(Access::Requires(right)) => right,
        // Without a route, the response is 404.
        None if request.extensions().get::<MatchedPath>().is_none() => return next.run(request).await,
        None => {
            tracing::error!(path = request.uri().path(), "rejected: the route has no authorization rule");
            return ApiError::Forbidden("access to this path is not allowed".into()).into_response();
        }
    };
    let caller = match auth.authenticator.identify(request.headers()).await {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    if let Some(context) = request.extensions().get::<RequestContext>()
        && !auth.authenticator.is_anonymous()
    {
        context.set_user(&caller.user);
    }
    if let Err(error) = auth.policy.authorize(&caller, Action { right, workspace: DEFAULT_WORKSPACE }) {
        return error.into_response();
    }
    request.extensions_mut().insert(CallerRights { auth: Arc::clone(&auth), caller: caller.clone() });
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Fails if unauthenticated access would be open to other machines, unless it is allowed explicitly.
pub fn check_exposure(
    authenticator: &Authenticator,
    address: SocketAddr,
    allow_anonymous: bool,
) -> Result<(), ExposureError> {
    if authenticator.is_anonymous() && !address.ip().to_canonical().is_loopback() && !allow_anonymous {
        return Err(ExposureError { address });
    }
    Ok(())
}

/// Unauthenticated callers on other machines could change all data.
#[derive(Debug, thiserror::Error)]
#[error(
    "not listening on {address} without authentication, since anyone who reaches it could change all data: set \
     --auth-mode, listen on 127.0.0.1, or pass --allow-anonymous if a proxy authenticates callers"
)]
pub struct ExposureError {
    address: SocketAddr,
}

#[cfg(test)]
mod tests;
