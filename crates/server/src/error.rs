//! The errors of the APIs, named by meaning, and their mapping to status codes and bodies.
//!
//! The body is `{"code":"<reason phrase>","message":"<description>"}`. An internal error does not reveal its cause: it
//! is stored in the response's extensions for `layers.rs`, which logs it once with its source chain and adds the
//! request id to the message.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_ENCODING, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, StatusCode};
use model_registry_base::error_chain;
use serde::Serialize;

use crate::response;

/// Any error, boxed: the cause of an [`ApiError::Internal`].
pub type Cause = Box<dyn Error + Send + Sync>;

/// An error of a request.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request is malformed or violates a rule: 400.
    #[error("{0}")]
    Invalid(String),
    /// A required field is missing or empty: 422.
    #[error("{0}")]
    Unprocessable(String),
    /// A required field is missing or empty, where the code in the body is the reason phrase: 422.
    #[error("{0}")]
    UnprocessableEntity(String),
    /// A valid token is missing: 401.
    #[error("authentication required")]
    Unauthorized,
    /// The caller lacks a right, named in the message: 403.
    #[error("{0}")]
    Forbidden(String),
    /// The entity or path does not exist: 404.
    #[error("{0}")]
    NotFound(String),
    /// The path does not support the method: 405.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// Another entity already has this name or external id: 409.
    #[error("{0}")]
    Conflict(String),
    /// The entity has changed since the caller read it: 412.
    #[error("{0}")]
    PreconditionFailed(String),
    /// The requested data existed and has been deleted: 410.
    #[error("{0}")]
    Gone(String),
    /// The body exceeds `limit` bytes: 413.
    #[error("request body is larger than the limit of {limit} bytes")]
    PayloadTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The body is compressed: 415.
    #[error("{0}")]
    UnsupportedMediaType(String),
    /// The body arrives too slowly: 408.
    #[error("{0}")]
    RequestTimeout(String),
    /// The server is temporarily unable to respond: 503.
    #[error("{0}")]
    Unavailable(String),
    /// The request was cancelled after this time: 504. Whether a write took effect is unknown.
    #[error("the request was cancelled because it took longer than {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// An internal error: 500.
    #[error("internal error")]
    Internal(#[source] Cause),
}

impl ApiError {
    /// Wraps a failure that the client did not cause.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        self.parts().status
    }

    /// The mapping to status, code and header.
    fn parts(&self) -> ResponseParts {
        match self {
            Self::Invalid(_) => ResponseParts::new(StatusCode::BAD_REQUEST),
            // parity: the status is 422, but the code in the body is "Bad Request".
            Self::Unprocessable(_) => {
                ResponseParts { code: "Bad Request", ..ResponseParts::new(StatusCode::UNPROCESSABLE_ENTITY) }
            }
            Self::UnprocessableEntity(_) => {
                // The reason phrase in the http crate is newer.
                ResponseParts { code: "Unprocessable Entity", ..ResponseParts::new(StatusCode::UNPROCESSABLE_ENTITY) }
            }
            Self::Unauthorized => ResponseParts {
                header: Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
                ..ResponseParts::new(StatusCode::UNAUTHORIZED)
            },
            Self::Forbidden(_) => ResponseParts::new(StatusCode::FORBIDDEN),
            Self::NotFound(_) => ResponseParts::new(StatusCode::NOT_FOUND),
            Self::MethodNotAllowed => ResponseParts::new(StatusCode::METHOD_NOT_ALLOWED),
            Self::Conflict(_) => ResponseParts::new(StatusCode::CONFLICT),
            Self::PreconditionFailed(_) => ResponseParts::new(StatusCode::PRECONDITION_FAILED),
            Self::Gone(_) => ResponseParts::new(StatusCode::GONE),
            Self::PayloadTooLarge { .. } => ResponseParts::new(StatusCode::PAYLOAD_TOO_LARGE),
            Self::UnsupportedMediaType(_) => ResponseParts {
                header: Some((ACCEPT_ENCODING, HeaderValue::from_static("identity"))),
                ..ResponseParts::new(StatusCode::UNSUPPORTED_MEDIA_TYPE)
            },
            Self::RequestTimeout(_) => ResponseParts::new(StatusCode::REQUEST_TIMEOUT),
            Self::Unavailable(_) => ResponseParts {
                header: Some((RETRY_AFTER, HeaderValue::from_static("5"))),
                ..ResponseParts::new(StatusCode::SERVICE_UNAVAILABLE)
            },
            Self::Timeout(_) => ResponseParts::new(StatusCode::GATEWAY_TIMEOUT),
            Self::Internal(_) => ResponseParts::new(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let parts = self.parts();
        let mut response = response::json(parts.status, body(parts.code, &self.to_string()));
        if let Some((name, value)) = parts.header {
            response.headers_mut().insert(name, value);
        }
        if let Self::Internal(cause) = self {
            response.extensions_mut().insert(Failure(Arc::from(cause)));
        }
        response
    }
}

/// The cause of a 500, stored in the response's extensions until it is logged.
#[derive(Clone, Debug)]
pub struct Failure(Arc<dyn Error + Send + Sync>);

impl Failure {
    /// The cause and its sources on one line: `outer: middle: root`.
    pub fn chain(&self) -> String {
        error_chain(self.0.as_ref())
    }
}

/// Status, code of the body, and the additional header of some errors.
struct ResponseParts {
    status: StatusCode,
    code: &'static str,
    header: Option<(HeaderName, HeaderValue)>,
}

impl ResponseParts {
    fn new(status: StatusCode) -> Self {
        Self { status, code: status.canonical_reason().unwrap_or("Error"), header: None }
    }
}

/// The JSON body of an error.
pub(crate) fn body(code: &str, message: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct ErrorBody<'a> {
        code: &'a str,
        message: Cow<'a, str>,
    }
    serde_json::to_vec(&ErrorBody { code, message: Cow::Borrowed(message) }).expect("two strings always serialize")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::tests::{content_type, text};

    async fn wire(error: ApiError) -> (u16, String) {
        let response = error.into_response();
        assert_eq!(content_type(&response), "application/json; charset=UTF-8");
        (response.status().as_u16(), text(response).await)
    }

    #[tokio::test]
    async fn each_error_has_its_status_and_code() {
        let cases = [
            (ApiError::Invalid("x".into()), 400, "Bad Request"),
            (ApiError::Unprocessable("x".into()), 422, "Bad Request"),
            (ApiError::UnprocessableEntity("x".into()), 422, "Unprocessable Entity"),
            (ApiError::Unauthorized, 401, "Unauthorized"),
            (ApiError::Forbidden("x".into()), 403, "Forbidden"),
            (ApiError::NotFound("x".into()), 404, "Not Found"),
            (ApiError::MethodNotAllowed, 405, "Method Not Allowed"),
            (ApiError::Conflict("x".into()), 409, "Conflict"),
            (ApiError::PreconditionFailed("x".into()), 412, "Precondition Failed"),
            (ApiError::PayloadTooLarge { limit: 1 }, 413, "Payload Too Large"),
            (ApiError::UnsupportedMediaType("x".into()), 415, "Unsupported Media Type"),
            (ApiError::RequestTimeout("x".into()), 408, "Request Timeout"),
            (ApiError::Unavailable("x".into()), 503, "Service Unavailable"),
            (ApiError::Timeout(Duration::from_mins(1)), 504, "Gateway Timeout"),
            (ApiError::internal("x"), 500, "Internal Server Error"),
        ];
        for (error, status, code) in cases {
            let (actual, body) = wire(error).await;
            assert_eq!(actual, status);
            assert!(body.starts_with(&format!("{{\"code\":\"{code}\",\"message\":\"")), "{body}");
        }
    }

    #[tokio::test]
    async fn an_internal_error_does_not_reveal_its_cause() {
        let (_, body) = wire(ApiError::internal("password=hunter2")).await;
        assert_eq!(body, r#"{"code":"Internal Server Error","message":"internal error"}"#);
    }

    #[test]
    fn a_cause_is_formatted_with_its_sources_without_repetition() {
        #[derive(Debug, thiserror::Error)]
        #[error("reading the row")]
        struct Outer(#[source] std::io::Error);
        let failure = Failure(Arc::new(Outer(std::io::Error::other("disk gone"))));
        assert_eq!(failure.chain(), "reading the row: disk gone");
    }

    #[test]
    fn some_errors_have_a_header() {
        let response = ApiError::Unavailable("starting".into()).into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "5");
        let response = ApiError::Unauthorized.into_response();
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
        let response = ApiError::UnsupportedMediaType("gzip".into()).into_response();
        assert_eq!(response.headers()[ACCEPT_ENCODING], "identity");
    }
}
