//! One call of the API, before it is sent.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde::Serialize;

use crate::error::{Error, Result};

/// What may stand in a path segment as it is (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(crate) struct Call {
    pub(crate) method: Method,
    /// Encoded; below the registry API's base path, or, with a slash in front, below the server's address.
    pub(crate) path: String,
    pub(crate) query: Query,
    pub(crate) body: Option<Body>,
    /// The tag that the entity has to have.
    pub(crate) if_match: Option<String>,
    /// Whether it changes anything; what does not is sent again without further ado.
    pub(crate) is_read: bool,
    /// What the server may take beyond the time an attempt has.
    pub(crate) more_time: Duration,
}

/// Parameters of a query, in their order.
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

    /// A question that is too long for a URL.
    pub(crate) fn ask(path: String, query: Query, body: Body) -> Self {
        Self::new(Method::POST, path, query, Some(body))
    }

    pub(crate) fn patch(path: String, body: &impl Serialize, if_match: Option<&str>) -> Result<Self> {
        let call = Self::new(Method::PATCH, path, Vec::new(), Some(json(body)?));
        Ok(Self { if_match: if_match.map(str::to_owned), is_read: false, ..call })
    }

    fn new(method: Method, path: String, query: Query, body: Option<Body>) -> Self {
        Self { method, path, query, body, if_match: None, is_read: true, more_time: Duration::ZERO }
    }
}

fn json(body: &impl Serialize) -> Result<Body> {
    let bytes = serde_json::to_vec(body)
        .map_err(|error| Error::Usage(format!("the entity cannot be written as JSON: {error}")))?;
    Ok(Body { content_type: "application/json".to_owned(), bytes })
}

/// The path of an entity: `collection/id`.
pub(crate) fn entity_path(collection: &str, id: &str) -> Result<String> {
    if is_lost(id) {
        return Err(Error::Usage(format!("`{id}` is no id")));
    }
    Ok(format!("{collection}/{}", utf8_percent_encode(id, SEGMENT)))
}

/// The path of something whose name may have slashes: `collection/organization/model`.
pub(crate) fn named_path(collection: &str, name: &str) -> Result<String> {
    // Slashes that cannot stay as they are have to be escaped, and then all of them.
    if name.split('/').any(is_lost) {
        return entity_path(collection, name);
    }
    let segments: Vec<_> = name.split('/').map(|segment| utf8_percent_encode(segment, SEGMENT).to_string()).collect();
    Ok(format!("{collection}/{}", segments.join("/")))
}

/// A URL would lose such segments and name something else.
fn is_lost(segment: &str) -> bool {
    matches!(segment, "" | "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_segment() {
        assert_eq!(entity_path("artifacts", "7").unwrap(), "artifacts/7");
        assert_eq!(entity_path("artifacts", "../a?b#c%/é").unwrap(), "artifacts/..%2Fa%3Fb%23c%25%2F%C3%A9");
        for id in ["", ".", ".."] {
            assert!(matches!(entity_path("artifacts", id), Err(Error::Usage(_))), "{id}");
            assert!(matches!(named_path("artifacts", id), Err(Error::Usage(_))), "{id}");
        }
    }

    #[test]
    fn a_name_keeps_the_slashes_that_a_url_keeps() {
        assert_eq!(named_path("models", "acme/heron 8b").unwrap(), "models/acme/heron%208b");
        assert_eq!(named_path("models", "acme/../x").unwrap(), "models/acme%2F..%2Fx");
        assert_eq!(named_path("models", "acme//x").unwrap(), "models/acme%2F%2Fx");
    }
}
