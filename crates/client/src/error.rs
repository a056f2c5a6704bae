//! Errors, by meaning.

use std::time::Duration;

use model_registry_base::ConnectionProblem;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why an operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// 400, 413, 422: the request is invalid.
    #[error("{0}")]
    Invalid(ErrorResponse),
    /// 401 although no token was sent: the server requires one.
    #[error("{0}")]
    Unauthorized(ErrorResponse),
    /// 401: the server does not accept the token that was sent.
    #[error("the server refused the token: {0}")]
    TokenRefused(ErrorResponse),
    /// 403: the caller lacks the permission.
    #[error("{0}")]
    Forbidden(ErrorResponse),
    /// 404: the entity does not exist.
    #[error("{0}")]
    NotFound(ErrorResponse),
    /// 409: a name or external id is already in use.
    #[error("{0}")]
    Conflict(ErrorResponse),
    /// 410: the requested changes have been deleted; read all lists again and continue after the newest change.
    #[error("{0}")]
    Gone(ErrorResponse),
    /// 412: the entity was changed since it was read.
    #[error("{0}")]
    Changed(ErrorResponse),
    /// 429, 502, 503, 504: a temporary failure.
    #[error("the server is not available: {0}")]
    Unavailable(ErrorResponse),
    /// Any other error status: a failure of the server.
    #[error("the server failed with status {status}: {0}", status = .0.status)]
    Failed(ErrorResponse),
    /// The connection failed.
    #[error("cannot reach {server}: {reason}")]
    Unreachable {
        server: String,
        problem: ConnectionProblem,
        reason: String,
        request_id: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The response did not arrive within the time limit.
    #[error("no response from {server} within {} s", .after.as_secs_f32())]
    Timeout { server: String, after: Duration, request_id: String },
    /// The response does not conform to the API, most likely because the server is not a model registry.
    #[error("{server} does not respond like a model registry: {reason}")]
    Unreadable { server: String, reason: String, request_id: String },
    /// The settings of the client or the arguments are invalid; no request was sent.
    #[error("{0}")]
    Usage(String),
}

/// An error response of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorResponse {
    /// The HTTP status.
    pub status: u16,
    /// The `code` of the body, such as `Not Found`.
    pub code: String,
    /// The `message` of the body.
    pub message: String,
    /// The id of the request in the log of the server.
    pub request_id: String,
}

impl std::fmt::Display for ErrorResponse {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)?;
        if self.status >= 500 { write!(formatter, " (request id {})", self.request_id) } else { Ok(()) }
    }
}

impl Error {
    pub(crate) fn from_response(response: ErrorResponse, has_token: bool) -> Self {
        match response.status {
            400 | 413 | 422 => Self::Invalid(response),
            401 if has_token => Self::TokenRefused(response),
            401 => Self::Unauthorized(response),
            403 => Self::Forbidden(response),
            404 => Self::NotFound(response),
            409 => Self::Conflict(response),
            410 => Self::Gone(response),
            412 => Self::Changed(response),
            429 | 502 | 503 | 504 => Self::Unavailable(response),
            _ => Self::Failed(response),
        }
    }

    /// The error response of the server, if there was a response.
    pub fn response(&self) -> Option<&ErrorResponse> {
        match self {
            Self::Invalid(response)
            | Self::Unauthorized(response)
            | Self::TokenRefused(response)
            | Self::Forbidden(response)
            | Self::NotFound(response)
            | Self::Conflict(response)
            | Self::Gone(response)
            | Self::Changed(response)
            | Self::Unavailable(response)
            | Self::Failed(response) => Some(response),
            _ => None,
        }
    }

    /// The id of the request, if one was sent.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Unreachable { request_id, .. }
            | Self::Timeout { request_id, .. }
            | Self::Unreadable { request_id, .. } => Some(request_id),
            _ => self.response().map(|response| response.request_id.as_str()),
        }
    }

    /// Whether the entity does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound(_))
    }

    /// Whether a name or external id is already in use.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }

    /// Whether the same operation may succeed later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Unreachable { .. } | Self::Timeout { .. })
    }
}
