//! JSON responses.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};

/// The content type of every JSON response, also of errors (parity).
pub const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=UTF-8");

/// A response with serialized JSON; stored documents are sent without parsing.
pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The content type of a response.
    pub(crate) fn content_type(response: &Response) -> &str {
        response.headers()[CONTENT_TYPE].to_str().unwrap()
    }

    /// The body of a response as a string.
    pub(crate) async fn text(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }
}
