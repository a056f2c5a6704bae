//! Why a transfer fails: what was wrong, where, and what to do.

use std::io;

use model_registry_base::{RefusedAddress, excerpt, redact};

use crate::relative_path::NameProblem;

/// An error of a transfer. Its text never contains a password, a token or a signature.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A location or an option that cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// A name that is not written anywhere.
    #[error("{at}: the name `{}` is refused: {problem}", excerpt(.name))]
    UnsafeName { at: String, name: String, problem: NameProblem },
    /// Names that cannot exist together at the destination.
    #[error("{0}")]
    Names(String),
    #[error("{at}: not found: {reason}")]
    NotFound { at: String, reason: String },
    #[error("{at}: access denied: {reason}")]
    Denied { at: String, reason: String },
    /// The rules for addresses do not allow the server: see [`Network`](crate::Network).
    #[error("{at}: the server is not allowed: {reason}")]
    Refused { at: String, reason: String },
    /// It was repeated and did not pass.
    #[error("{at}: {reason}")]
    Unavailable { at: String, reason: String },
    #[error("{at}: the file changed while it was read: run the command again")]
    Changed { at: String },
    #[error("{at}: the content has the SHA-256 digest {actual}, but {expected} was expected: {reason}")]
    Mismatch { at: String, expected: String, actual: String, reason: &'static str },
    #[error("{at}: {reason}")]
    Failed { at: String, reason: String },
    #[error("{at}: no space is left: free some and run the command again, it continues where it stopped")]
    Full { at: String },
    /// The destination has lost what was written of a file; it is written again from its beginning.
    #[error("{at}: {reason}")]
    Restart { at: String, reason: String },
    #[error("cancelled")]
    Cancelled,
}

impl TransferError {
    pub(crate) fn invalid(reason: impl AsRef<str>) -> Self {
        Self::Invalid(redact(reason.as_ref()))
    }

    pub(crate) fn failed(at: impl Into<String>, reason: impl AsRef<str>) -> Self {
        Self::Failed { at: at.into(), reason: redact(reason.as_ref()) }
    }

    pub(crate) fn unavailable(at: impl Into<String>, reason: impl AsRef<str>) -> Self {
        Self::Unavailable { at: at.into(), reason: redact(reason.as_ref()) }
    }

    pub(crate) fn denied(at: impl Into<String>, reason: impl AsRef<str>) -> Self {
        Self::Denied { at: at.into(), reason: redact(reason.as_ref()) }
    }

    pub(crate) fn not_found(at: impl Into<String>, reason: impl AsRef<str>) -> Self {
        Self::NotFound { at: at.into(), reason: redact(reason.as_ref()) }
    }

    pub(crate) fn refused(at: impl Into<String>, refused: &RefusedAddress) -> Self {
        Self::Refused { at: at.into(), reason: redact(&refused.0) }
    }

    /// An error of the local file system.
    pub(crate) fn io(at: impl Into<String>, error: &io::Error) -> Self {
        let at = at.into();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { at },
            io::ErrorKind::NotFound => Self::NotFound { at, reason: "no such file or directory".to_owned() },
            io::ErrorKind::PermissionDenied => Self::Denied { at, reason: error.to_string() },
            _ => Self::Failed { at, reason: error.to_string() },
        }
    }

    /// Whether the same transfer may succeed later without a change.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. }
                | Self::Restart { .. }
                | Self::Changed { .. }
                | Self::Full { .. }
                | Self::Cancelled
        )
    }
}
