use std::time::Duration;

use http::StatusCode;

use super::client::MOST_FAILURES;

/// Why a request to a hub failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum HubError {
    #[error("not found, or private and not visible to the token")]
    NotFound,
    #[error("access denied: the model is gated or private, and the token was not granted access")]
    Denied,
    #[error("the hub rejects the token: renew it, or unset its variable")]
    TokenRejected,
    #[error("the hub responded with {0}")]
    Status(StatusCode),
    #[error("the hub cannot be reached: {0}")]
    Unreachable(String),
    #[error("the response of the hub cannot be read: {0}")]
    Unreadable(String),
    #[error("the response of the hub is longer than {} MiB", .0 / (1024 * 1024))]
    TooLong(usize),
    #[error("rate limited by the hub for another {} s", .0.as_secs())]
    RateLimited(Duration),
    #[error("not requested: {MOST_FAILURES} requests to the hub failed in a row")]
    GivenUp,
}

impl HubError {
    /// Whether the model does not exist any more, or not for this token: it is removed from the catalog.
    pub(super) fn is_gone(&self) -> bool {
        let gone = [StatusCode::GONE, StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS];
        matches!(self, Self::NotFound | Self::Denied) || matches!(self, Self::Status(status) if gone.contains(status))
    }

    /// Whether a retry may succeed.
    pub(super) fn is_temporary(&self) -> bool {
        match self {
            // Proxies respond with 501 for what they do not know.
            Self::NotFound
            | Self::Denied
            | Self::TokenRejected
            | Self::TooLong(_)
            | Self::Status(StatusCode::NOT_IMPLEMENTED) => false,
            Self::Status(status) => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Unreachable(_) | Self::Unreadable(_) | Self::RateLimited(_) | Self::GivenUp => true,
        }
    }
}
