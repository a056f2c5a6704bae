//! The errors a client can see, named by meaning, and the one place where each becomes a status and a body.
//!
//! The body is `{"code":"<reason phrase>","message":"<what was wrong>"}`, compact. An internal error says only that it
//! happened: its cause travels in the response's extensions to `layers.rs`, which logs it once, with its source chain,
//! and adds the request id to the message.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, StatusCode};
use serde::Serialize;

use crate::response;

/// Any error, boxed: the cause of an [`ApiError::Internal`].
pub type Cause = Box<dyn Error + Send + Sync>;

/// What went wrong, as a client has to understand it.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request cannot be understood or breaks a rule: 400.
    #[error("{0}")]
    Invalid(String),
    /// A required field is missing or empty: 422.
    #[error("{0}")]
    Unprocessable(String),
    /// The same where the code in the body is the status' own phrase: 422.
    #[error("{0}")]
    UnprocessableEntity(String),
    /// Nobody, or nobody we know, is calling: 401.
    #[error("authentication required")]
    Unauthorized,
    /// The caller lacks a right, which the message names: 403.
    #[error("{0}")]
    Forbidden(String),
    /// The thing named does not exist: 404.
    #[error("{0}")]
    NotFound(String),
    /// The path exists, the method on it does not: 405.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// Another entity already has this name or external id: 409.
    #[error("{0}")]
    Conflict(String),
    /// The entity is no longer the one the caller saw: 412.
    #[error("{0}")]
    PreconditionFailed(String),
    /// What was asked for was here once and is not kept any more: 410.
    #[error("{0}")]
    Gone(String),
    /// The body is longer than `limit` bytes: 413.
    #[error("request body is larger than the limit of {limit} bytes")]
    PayloadTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Try again later: 503.
    #[error("{0}")]
    Unavailable(String),
    /// The request was given up after this time: 504. Whether a write took place is unknown.
    #[error("the request took longer than {} s and was given up", .0.as_secs_f32())]
    Timeout(Duration),
    /// Our fault: 500.
    #[error("internal error")]
    Internal(#[source] Cause),
}

impl ApiError {
    /// Wraps a failure that is not the client's.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }

    /// Returns the status this error answers with.
    pub fn status(&self) -> StatusCode {
        self.answer().status
    }

    /// THE mapping from meaning to wire.
    fn answer(&self) -> Answer {
        match self {
            Self::Invalid(_) => Answer::new(StatusCode::BAD_REQUEST),
            // parity (registry-server 2.2): the status is 422 but the code in the body stays "Bad Request".
            Self::Unprocessable(_) => Answer { code: "Bad Request", ..Answer::new(StatusCode::UNPROCESSABLE_ENTITY) },
            Self::UnprocessableEntity(_) => {
                // http calls it by its newer name.
                Answer { code: "Unprocessable Entity", ..Answer::new(StatusCode::UNPROCESSABLE_ENTITY) }
            }
            Self::Unauthorized => Answer {
                header: Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
                ..Answer::new(StatusCode::UNAUTHORIZED)
            },
            Self::Forbidden(_) => Answer::new(StatusCode::FORBIDDEN),
            Self::NotFound(_) => Answer::new(StatusCode::NOT_FOUND),
            Self::MethodNotAllowed => Answer::new(StatusCode::METHOD_NOT_ALLOWED),
            Self::Conflict(_) => Answer::new(StatusCode::CONFLICT),
            Self::PreconditionFailed(_) => Answer::new(StatusCode::PRECONDITION_FAILED),
            Self::Gone(_) => Answer::new(StatusCode::GONE),
            Self::PayloadTooLarge { .. } => Answer::new(StatusCode::PAYLOAD_TOO_LARGE),
            Self::Unavailable(_) => Answer {
                header: Some((RETRY_AFTER, HeaderValue::from_static("5"))),
                ..Answer::new(StatusCode::SERVICE_UNAVAILABLE)
            },
            Self::Timeout(_) => Answer::new(StatusCode::GATEWAY_TIMEOUT),
            Self::Internal(_) => Answer::new(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let answer = self.answer();
        let mut response = response::json(answer.status, body(answer.code, &self.to_string()));
        if let Some((name, value)) = answer.header {
            response.headers_mut().insert(name, value);
        }
        if let Self::Internal(cause) = self {
            response.extensions_mut().insert(Failure(Arc::from(cause)));
        }
        response
    }
}

/// The cause of a 500, carried in the response's extensions until it is logged.
#[derive(Clone, Debug)]
pub struct Failure(Arc<dyn Error + Send + Sync>);

impl Failure {
    /// Returns the cause and everything behind it in one line: `outer: middle: root`.
    pub fn chain(&self) -> String {
        let mut text = self.0.to_string();
        let mut source = self.0.source();
        while let Some(error) = source {
            let message = error.to_string();
            // Many libraries repeat their source in their own message.
            if !text.ends_with(&message) {
                text.push_str(": ");
                text.push_str(&message);
            }
            source = error.source();
        }
        text
    }
}

/// Status, code of the body and the one extra header some errors carry.
struct Answer {
    status: StatusCode,
    code: &'static str,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Answer {
    fn new(status: StatusCode) -> Self {
        Self { status, code: status.canonical_reason().unwrap_or("Error"), header: None }
    }
}

/// Writes the error body every answer shares.
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
    async fn each_meaning_has_its_status_and_code() {
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
    async fn an_internal_error_does_not_show_its_cause() {
        let (_, body) = wire(ApiError::internal("password=hunter2")).await;
        assert_eq!(body, r#"{"code":"Internal Server Error","message":"internal error"}"#);
    }

    #[test]
    fn a_cause_is_told_with_its_sources_and_no_repetition() {
        #[derive(Debug, thiserror::Error)]
        #[error("reading the row")]
        struct Outer(#[source] std::io::Error);
        let failure = Failure(Arc::new(Outer(std::io::Error::other("disk gone"))));
        assert_eq!(failure.chain(), "reading the row: disk gone");
    }

    #[test]
    fn waiting_and_authenticating_are_announced_by_headers() {
        let response = ApiError::Unavailable("starting".into()).into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "5");
        let response = ApiError::Unauthorized.into_response();
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
    }
}
