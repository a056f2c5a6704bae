//! Serves an OpenAPI document: serialized once, with an entity tag.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{ETAG, HeaderMap, HeaderValue};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{Preconditions, response};

/// Handler of an OpenAPI document.
pub struct DocumentHandler {
    json: String,
    etag: HeaderValue,
}

impl DocumentHandler {
    /// Serializes a document.
    pub fn new(document: &Value) -> Arc<Self> {
        let json = document.to_string();
        let digest = Sha256::digest(json.as_bytes());
        let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let etag = HeaderValue::try_from(format!("\"{number:016x}\"")).expect("hexadecimal digits are plain ASCII");
        Arc::new(Self { json, etag })
    }

    /// The document, or 304 if the client already has it.
    pub fn respond(&self, headers: &HeaderMap) -> Response {
        let etag = self.etag.to_str().unwrap_or_default();
        let mut response = if Preconditions::of(headers).is_known(etag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            response::json(StatusCode::OK, self.json.clone())
        };
        response.headers_mut().insert(ETAG, self.etag.clone());
        response
    }
}
