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
    /// Below the API's base path, encoded.
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Vec<u8>>,
    /// The tag that the entity has to have.
    pub(crate) if_match: Option<String>,
    /// What the server may take beyond the time an attempt has.
    pub(crate) more_time: Duration,
}

impl Call {
    pub(crate) fn get(path: String, query: Vec<(&'static str, String)>) -> Self {
        Self { method: Method::GET, path, query, body: None, if_match: None, more_time: Duration::ZERO }
    }

    pub(crate) fn post(path: String, body: &impl Serialize) -> Result<Self> {
        Ok(Self {
            method: Method::POST,
            path,
            query: Vec::new(),
            body: Some(json(body)?),
            if_match: None,
            more_time: Duration::ZERO,
        })
    }

    pub(crate) fn patch(path: String, body: &impl Serialize, if_match: Option<&str>) -> Result<Self> {
        let if_match = if_match.map(str::to_owned);
        Ok(Self {
            method: Method::PATCH,
            path,
            query: Vec::new(),
            body: Some(json(body)?),
            if_match,
            more_time: Duration::ZERO,
        })
    }
}

fn json(body: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(body).map_err(|error| Error::Usage(format!("the entity cannot be written as JSON: {error}")))
}

/// The path of an entity: `collection/id`.
pub(crate) fn entity_path(collection: &str, id: &str) -> Result<String> {
    // A URL would lose such segments and name something else.
    if matches!(id, "" | "." | "..") {
        return Err(Error::Usage(format!("`{id}` is no id")));
    }
    Ok(format!("{collection}/{}", utf8_percent_encode(id, SEGMENT)))
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
        }
    }
}
