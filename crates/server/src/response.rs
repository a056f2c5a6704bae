//! Answers whose JSON is already written.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};

/// The content type of every JSON answer, error or not (parity, registry-server 2.2).
pub const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=UTF-8");

/// Answers with JSON that is already bytes: a stored document goes out without being parsed.
pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns the content type of an answer.
    pub(crate) fn content_type(response: &Response) -> &str {
        response.headers()[CONTENT_TYPE].to_str().unwrap()
    }

    /// Reads the whole body of an answer as text.
    pub(crate) async fn text(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }
}
