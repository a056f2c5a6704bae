//! One request of the API, before it is sent.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde::Serialize;

use crate::error::{Error, Result};

/// Escapes all but the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(crate) struct Call {
    pub(crate) method: Method,
    /// Percent-encoded; relative to the base path of the registry API or, with a leading slash, to the address of the server.
    pub(crate) path: String,
    pub(crate) query: Query,
    pub(crate) body: Option<Body>,
    /// The entity tag that the entity must have.
    pub(crate) if_match: Option<String>,
    /// Identifies a creation, so that its repetition gets the first response; a new one for each call if absent.
    pub(crate) idempotency_key: Option<String>,
    /// Whether it changes nothing, so that it can always be retried.
    pub(crate) is_read: bool,
    /// Added to the time limit of an attempt, for long polling.
    pub(crate) more_time: Duration,
}

/// Query parameters in their order.
pub(crate) type Query = Vec<(&'static str, String)>;

pub(crate) struct Body {
    pub(crate) content_type: String,
    pub(crate) bytes: Vec<u8>,
}

impl Call {
    pub(crate) fn get(path: String, query: Query) -> Self {
        Self::new(Method::GET, path, query, None)
    }

    pub(crate) fn post(path: String, body: &impl Serialize) -> Result<Self> {
        Ok(Self { is_read: false, ..Self::new(Method::POST, path, Vec::new(), Some(json(body)?)) })
    }

    /// A read whose parameters do not fit into a URL.
    pub(crate) fn read_by_post(path: String, query: Query, body: Body) -> Self {
        Self::new(Method::POST, path, query, Some(body))
    }

    pub(crate) fn patch(path: String, body: &impl Serialize, if_match: Option<&str>) -> Result<Self> {
        let call = Self::new(Method::PATCH, path, Vec::new(), Some(json(body)?));
        Ok(Self { if_match: if_match.map(str::to_owned), is_read: false, ..call })
    }

    fn new(method: Method, path: String, query: Query, body: Option<Body>) -> Self {
        Self {
            method,
            path,
            query,
            body,
            if_match: None,
            idempotency_key: None,
            is_read: true,
            more_time: Duration::ZERO,
        }
    }
}

fn json(body: &impl Serialize) -> Result<Body> {
    let bytes = serde_json::to_vec(body)
        .map_err(|error| Error::Usage(format!("the entity cannot be serialized as JSON: {error}")))?;
    Ok(Body { content_type: "application/json".to_owned(), bytes })
}

/// The path of an entity: `collection/id`.
pub(crate) fn entity_path(collection: &str, id: &str) -> Result<String> {
    if is_lost(id) {
        return Err(Error::Usage(format!("`{id}` is not an id")));
    }
    Ok(format!("{collection}/{}", utf8_percent_encode(id, SEGMENT)))
}

/// The path of an item whose name may contain slashes: `collection/organization/model`.
pub(crate) fn named_path(collection: &str, name: &str) -> Result<String> {
    // If one segment would be lost, all slashes are escaped.
    if name.split('/').any(is_lost) {
        return entity_path(collection, name);
    }
    let segments: Vec<_> = name.split('/').map(|segment| utf8_percent_encode(segment, SEGMENT).to_string()).collect();
    Ok(format!("{collection}/{}", segments.join("/")))
}

/// Whether URL normalisation removes the segment, so that the path would mean something else.
fn is_lost(segment: &str) -> bool {
    matches!(segment, "" | "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_escaped_into_one_segment() {
        assert_eq!(entity_path("artifacts", "7").unwrap(), "artifacts/7");
        assert_eq!(entity_path("artifacts", "../a?b#c%/é").unwrap(), "artifacts/..%2Fa%3Fb%23c%25%2F%C3%A9");
        for id in ["", ".", ".."] {
            assert!(matches!(entity_path("artifacts", id), Err(Error::Usage(_))), "{id}");
            assert!(matches!(named_path("artifacts", id), Err(Error::Usage(_))), "{id}");
        }
    }

    #[test]
    fn a_name_keeps_its_slashes_unless_a_segment_would_be_lost() {
        assert_eq!(named_path("models", "acme/heron 8b").unwrap(), "models/acme/heron%208b");
        assert_eq!(named_path("models", "acme/../x").unwrap(), "models/acme%2F..%2Fx");
        assert_eq!(named_path("models", "acme//x").unwrap(), "models/acme%2F%2Fx");
    }
}
