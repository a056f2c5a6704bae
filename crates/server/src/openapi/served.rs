//! The document as it is sent: generated once, with a tag.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{ETAG, HeaderMap, HeaderValue};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{Preconditions, response};

/// A document, written down.
pub struct ServedDocument {
    text: String,
    etag: HeaderValue,
}

impl ServedDocument {
    /// Writes a document down.
    pub fn new(document: &Value) -> Arc<Self> {
        let text = document.to_string();
        let digest = Sha256::digest(text.as_bytes());
        let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let etag = HeaderValue::try_from(format!("\"{number:016x}\"")).expect("hexadecimal digits are plain ASCII");
        Arc::new(Self { text, etag })
    }

    /// Sends the document, unless the client has it already.
    pub fn answer(&self, headers: &HeaderMap) -> Response {
        let etag = self.etag.to_str().unwrap_or_default();
        let mut response = if Preconditions::of(headers).is_known(etag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            response::json(StatusCode::OK, self.text.clone())
        };
        response.headers_mut().insert(ETAG, self.etag.clone());
        response
    }
}
