//! What is known about a request while it is being answered: its id, its route once routed, and whether the process is
//! about to stop.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::watch;
use uuid::Uuid;

/// The header that carries a request's id, in and out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A caller's id longer than this is replaced: it goes into every log line.
const LONGEST_ID: usize = 128;

/// Travels in the request's extensions; cheap to clone.
#[derive(Clone, Debug)]
pub struct RequestContext(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    id: HeaderValue,
    route: OnceLock<Box<str>>,
}

impl RequestContext {
    /// Takes the caller's id when it is short and plain, and makes one otherwise.
    pub(crate) fn new(headers: &HeaderMap) -> Self {
        let id = headers.get(REQUEST_ID).filter(|id| is_plain(id)).cloned();
        let id =
            id.unwrap_or_else(|| HeaderValue::try_from(Uuid::now_v7().to_string()).expect("a UUID is plain ASCII"));
        Self(Arc::new(Inner { id, route: OnceLock::new() }))
    }

    /// Returns the request id.
    pub fn id(&self) -> &str {
        self.0.id.to_str().expect("checked when it was taken")
    }

    pub(crate) fn id_header(&self) -> HeaderValue {
        self.0.id.clone()
    }

    /// Returns the pattern of the route taken, such as `/things/{id}`; none for an unknown path.
    pub fn route(&self) -> Option<&str> {
        self.0.route.get().map(AsRef::as_ref)
    }

    pub(crate) fn set_route(&self, route: &str) {
        // A second router inside the first keeps the outer, which is set first, from being replaced.
        let _ = self.0.route.set(route.into());
    }
}

/// Tells a handler that waits or streams that the process is about to stop: an extractor.
#[derive(Clone, Debug, Default)]
pub struct Stopping(Option<watch::Receiver<bool>>);

impl Stopping {
    pub(crate) fn new(stopping: watch::Receiver<bool>) -> Self {
        Self(Some(stopping))
    }

    /// Returns when the process is asked to stop; never where no server runs, as in tests.
    pub async fn stopped(&mut self) {
        match &mut self.0 {
            Some(stopping) => {
                let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
            }
            None => std::future::pending().await,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Stopping {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// The time a handler has until its answer's head: an extractor, for handlers that wait.
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
    fn keeps_a_plain_id_of_the_caller() {
        assert_eq!(id_for("a1-b2_c3"), "a1-b2_c3");
    }

    #[test]
    fn replaces_an_empty_long_or_odd_id() {
        for odd in ["", "a b", "a\"b", "{x}", &"x".repeat(129)] {
            let id = id_for(odd);
            assert_eq!(Uuid::parse_str(&id).unwrap().get_version_num(), 7);
        }
    }
}
