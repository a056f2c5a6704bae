//! The context of a request in flight: its id, its matched route, its user, its time limit, and the shutdown of the process.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::watch;
use uuid::Uuid;

/// The header with the request id, in requests and responses.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Maximum length of a caller's request id; a longer one is replaced, since every log line contains it.
const LONGEST_ID: usize = 128;

/// The id, route and user of a request, stored in its extensions; cheap to clone.
#[derive(Clone, Debug)]
pub struct RequestContext(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    id: HeaderValue,
    route: OnceLock<Box<str>>,
    user: OnceLock<Box<str>>,
}

impl RequestContext {
    /// Uses the caller's id if it is short and plain ASCII, otherwise a new one.
    pub(crate) fn new(headers: &HeaderMap) -> Self {
        let id = headers.get(REQUEST_ID).filter(|id| is_plain(id)).cloned();
        let id =
            id.unwrap_or_else(|| HeaderValue::try_from(Uuid::now_v7().to_string()).expect("a UUID is plain ASCII"));
        Self(Arc::new(Inner { id, route: OnceLock::new(), user: OnceLock::new() }))
    }

    /// The request id.
    pub fn id(&self) -> &str {
        self.0.id.to_str().expect("validated when stored")
    }

    pub(crate) fn id_header(&self) -> HeaderValue {
        self.0.id.clone()
    }

    /// The pattern of the matched route, such as `/things/{id}`; `None` for an unknown path.
    pub fn route(&self) -> Option<&str> {
        self.0.route.get().map(AsRef::as_ref)
    }

    pub(crate) fn set_route(&self, route: &str) {
        // With nested routers, the outer route is set first and kept.
        let _ = self.0.route.set(route.into());
    }

    /// The user who sent the request; `None` if it was not authenticated.
    pub fn user(&self) -> Option<&str> {
        self.0.user.get().map(AsRef::as_ref)
    }

    pub(crate) fn set_user(&self, user: &str) {
        let _ = self.0.user.set(user.into());
    }
}

/// Extractor for handlers that wait or stream: notifies them of the shutdown of the process.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(Option<watch::Receiver<bool>>);

impl Shutdown {
    pub(crate) fn new(stopping: watch::Receiver<bool>) -> Self {
        Self(Some(stopping))
    }

    /// Completes when the process shuts down; never without a listener, as in tests.
    pub async fn requested(&mut self) {
        match &mut self.0 {
            Some(stopping) => {
                let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
            }
            None => std::future::pending().await,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Shutdown {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// Extractor for handlers that wait: the time limit for the head of the response.
#[derive(Clone, Copy, Debug)]
pub struct TimeLimit(pub Duration);

impl<S: Sync> FromRequestParts<S> for TimeLimit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(Self(Duration::MAX)))
    }
}

fn is_plain(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(byte);
    !bytes.is_empty() && bytes.len() <= LONGEST_ID && bytes.iter().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(incoming: &str) -> String {
        let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_str(incoming).unwrap())]);
        RequestContext::new(&headers).id().to_owned()
    }

    #[test]
    fn a_plain_id_of_the_caller_is_kept() {
        assert_eq!(id_for("a1-b2_c3"), "a1-b2_c3");
    }

    #[test]
    fn an_empty_long_or_unusual_id_is_replaced() {
        for id in ["", "a b", "a\"b", "{x}", &"x".repeat(129)] {
            let id = id_for(id);
            assert_eq!(Uuid::parse_str(&id).unwrap().get_version_num(), 7);
        }
    }
}
