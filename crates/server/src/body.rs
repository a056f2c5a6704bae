//! Request bodies with a JSON document.
//!
//! The extractor yields bytes, because each kind decodes its document itself. The `Content-Type` is ignored (parity).

use std::error::Error;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::ApiError;

/// Maximum size of a body by default: 16 MiB.
pub const DEFAULT_LIMIT: usize = 16 * 1024 * 1024;

/// The limit that `layers.rs` applied to the body, for the message of a 413.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimit(pub(crate) usize);

/// The body of a request: not empty, within the limit, without null bytes. It is not parsed.
#[derive(Clone, Debug)]
pub struct JsonBody(pub Bytes);

impl<S: Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let limit = request.extensions().get::<BodyLimit>().map_or(DEFAULT_LIMIT, |limit| limit.0);
        let bytes = read(request.into_body(), limit).await?;
        if bytes.is_empty() {
            return Err(ApiError::Invalid("request body is empty: a JSON object is required".into()));
        }
        if contains_null(&bytes) {
            return Err(ApiError::Invalid("Request body contains null bytes which are not allowed".into()));
        }
        Ok(Self(bytes))
    }
}

/// Reads a body of at most `limit` bytes.
pub async fn read(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if is_too_long(error.as_ref()) => Err(ApiError::PayloadTooLarge { limit }),
        Err(_) => Err(ApiError::Invalid("request body ended before it was complete".into())),
    }
}

fn is_too_long(error: &(dyn Error + 'static)) -> bool {
    let mut current = Some(error);
    while let Some(error) = current {
        if error.is::<LengthLimitError>() {
            return true;
        }
        current = error.source();
    }
    false
}

/// Finds a null byte or its JSON escape. After an escaped backslash, `u0000` is ordinary text: each backslash escapes
/// the character after it.
fn contains_null(body: &[u8]) -> bool {
    if body.contains(&0) {
        return true;
    }
    let mut rest = body;
    while let Some(position) = rest.iter().position(|byte| *byte == b'\\') {
        let escape = &rest[position + 1..];
        if escape.starts_with(b"u0000") {
            return true;
        }
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn extract(body: impl Into<Body>, limit: usize) -> Result<Bytes, ApiError> {
        let mut request = Request::new(body.into());
        request.extensions_mut().insert(BodyLimit(limit));
        JsonBody::from_request(request, &()).await.map(|body| body.0)
    }

    #[tokio::test]
    async fn the_content_type_is_ignored() {
        let mut request = Request::new(Body::from("{}"));
        request.headers_mut().insert("content-type", http::HeaderValue::from_static("text/plain"));
        assert_eq!(JsonBody::from_request(request, &()).await.unwrap().0, "{}");
    }

    #[tokio::test]
    async fn an_empty_body_is_rejected() {
        let error = extract("", 10).await.unwrap_err();
        assert_eq!(error.status(), 400);
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_rejected_and_the_limit_named() {
        assert_eq!(extract("0123456789", 10).await.unwrap(), "0123456789");
        let error = extract("0123456789x", 10).await.unwrap_err();
        assert_eq!(error.status(), 413);
        assert_eq!(error.to_string(), "request body is larger than the limit of 10 bytes");
    }

    #[tokio::test]
    async fn null_bytes_and_their_escape_are_rejected() {
        for body in ["a\0b", r#"{"name":"a\u0000b"}"#, r#"{"name":"\\\u0000"}"#] {
            let error = extract(body, 100).await.unwrap_err();
            assert_eq!(error.to_string(), "Request body contains null bytes which are not allowed", "{body}");
        }
    }

    #[tokio::test]
    async fn an_escaped_backslash_before_the_digits_is_accepted() {
        for body in [r#"{"name":"a\\u0000b"}"#, r#"{"name":"\\\\u0000"}"#, r"\u000", r"\"] {
            assert!(extract(body, 100).await.is_ok(), "{body}");
        }
    }
}
