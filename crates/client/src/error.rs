//! What can go wrong, by meaning.

use std::time::Duration;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// 400, 413, 422: the request is wrong.
    #[error("{0}")]
    Invalid(Answer),
    /// 401: the server does not know who is calling.
    #[error("{0}")]
    Unauthorized(Answer),
    /// 403: the caller may not do this.
    #[error("{0}")]
    Forbidden(Answer),
    /// 404: there is no such entity.
    #[error("{0}")]
    NotFound(Answer),
    /// 409: a name or external id is taken.
    #[error("{0}")]
    Conflict(Answer),
    /// 410: the changes asked for are not kept any more; read everything again, and go on behind the newest change.
    #[error("{0}")]
    Gone(Answer),
    /// 412: the entity is no longer the one that the caller saw.
    #[error("{0}")]
    Changed(Answer),
    /// 429, 502, 503, 504: not now.
    #[error("the server is not available: {0}")]
    Unavailable(Answer),
    /// Any other answer than success; nothing the caller could do better.
    #[error("the server failed with status {status}: {0}", status = .0.status)]
    Failed(Answer),
    /// Nobody answered.
    #[error("cannot reach {server}: {reason}")]
    Unreachable {
        server: String,
        reason: String,
        request_id: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer took too long.
    #[error("{server} did not answer within {} s", .after.as_secs_f32())]
    Timeout { server: String, after: Duration, request_id: String },
    /// The answer is not what the API promises: most likely something else than a registry answered.
    #[error("{server} did not answer like a model registry: {reason}")]
    Unreadable { server: String, reason: String, request_id: String },
    /// The client was set up or called with something that cannot work; nothing was sent.
    #[error("{0}")]
    Usage(String),
}

/// An answer that says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body's code, such as `Not Found`.
    pub code: String,
    /// What was wrong, where, and what to do.
    pub message: String,
    /// What the operator of the server finds the request by.
    pub request_id: String,
}

impl std::fmt::Display for Answer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)?;
        if self.status >= 500 { write!(formatter, " (request id {})", self.request_id) } else { Ok(()) }
    }
}

impl Error {
    pub(crate) fn from_answer(answer: Answer) -> Self {
        match answer.status {
            400 | 413 | 422 => Self::Invalid(answer),
            401 => Self::Unauthorized(answer),
            403 => Self::Forbidden(answer),
            404 => Self::NotFound(answer),
            409 => Self::Conflict(answer),
            410 => Self::Gone(answer),
            412 => Self::Changed(answer),
            429 | 502 | 503 | 504 => Self::Unavailable(answer),
            _ => Self::Failed(answer),
        }
    }

    /// The server's answer, where there was one.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Invalid(answer)
            | Self::Unauthorized(answer)
            | Self::Forbidden(answer)
            | Self::NotFound(answer)
            | Self::Conflict(answer)
            | Self::Gone(answer)
            | Self::Changed(answer)
            | Self::Unavailable(answer)
            | Self::Failed(answer) => Some(answer),
            _ => None,
        }
    }

    /// The id that the request was sent with, where one was sent.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Unreachable { request_id, .. }
            | Self::Timeout { request_id, .. }
            | Self::Unreadable { request_id, .. } => Some(request_id),
            _ => self.answer().map(|answer| answer.request_id.as_str()),
        }
    }

    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound(_))
    }

    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }

    /// Whether the same call may succeed later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Unreachable { .. } | Self::Timeout { .. })
    }
}
