//! Errors: what was wrong, where, and what to do. They contain no password, no token and no query of a URL.

use std::error::Error as StdError;

use model_registry_base::ConnectionProblem;

use crate::digest::{Digest, InvalidDigest};
use crate::reference::InvalidReference;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of somebody else's code, such as the source of the files.
pub type BoxError = Box<dyn StdError + Send + Sync>;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(transparent)]
    Reference(#[from] InvalidReference),

    #[error(transparent)]
    Digest(#[from] InvalidDigest),

    /// An option or a file name that cannot be used.
    #[error("{0}")]
    Usage(String),

    /// Credentials cannot be read.
    #[error("{place}: {reason}")]
    Credentials { place: String, reason: String },

    /// The registry does not accept the credentials, or requires some.
    #[error("{registry} {what}: {}", hint(*.has_credentials))]
    Unauthorized { registry: String, what: String, has_credentials: bool },

    /// The credentials are accepted and do not permit the operation.
    #[error("{registry} does not permit {what}: {message}")]
    Denied { registry: String, what: String, message: String },

    #[error("not found: {what}")]
    NotFound { what: String },

    /// No response, or none that arrived completely.
    #[error("{registry} cannot be reached: {}", .problem.remedy())]
    Unreachable { registry: String, problem: ConnectionProblem, source: BoxError },

    /// A response that is an error, or not one of the protocol.
    #[error("{registry} refused {what} with status {status}: {message}")]
    Response { registry: String, what: String, status: u16, message: String },

    /// No byte has moved for a long time.
    #[error("{registry} does not respond: {what} made no progress for {seconds} s")]
    Stalled { registry: String, what: String, seconds: u64 },

    /// The registry does not continue an upload. The blob has to be sent from its beginning.
    #[error("{registry} has lost an upload: it has to be repeated from its beginning")]
    UploadLost { registry: String },

    #[error("{what} is larger than {limit} bytes, the limit")]
    TooLarge { what: String, limit: u64 },

    /// Bytes that are not those that were requested.
    #[error(
        "{what} has the digest {found} instead of {expected}: it was changed or damaged; nothing of it may be used"
    )]
    DigestMismatch { what: String, expected: Digest, found: Digest },

    /// Content of a registry that is not as the specifications require.
    #[error("{what} is invalid: {reason}")]
    Invalid { what: String, reason: String },

    /// A layer with an entry that must not be unpacked.
    #[error("the layer {layer} is refused: {reason}")]
    Hostile { layer: Digest, reason: String },

    /// A file to be pushed cannot be read.
    #[error("cannot read {path}: {source}")]
    Source { path: String, source: BoxError },

    /// A file to be pushed has another size than announced.
    #[error("{path} has {found} bytes instead of {expected}: it changed while it was read")]
    SizeChanged { path: String, expected: u64, found: u64 },

    #[error("the response of {registry} cannot be unpacked: {source}")]
    Unpack { registry: String, source: std::io::Error },
}

impl Error {
    /// Whether the same attempt may succeed later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { problem, .. } => problem.is_temporary(),
            Self::Stalled { .. } | Self::UploadLost { .. } => true,
            Self::Response { status, .. } => is_temporary(*status),
            _ => false,
        }
    }

    /// Whether what was requested does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }
}

pub(crate) fn is_temporary(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

fn hint(has_credentials: bool) -> &'static str {
    if has_credentials {
        "it does not accept the credentials: check user and password, or log in again"
    } else {
        "it requires credentials, and there are none for it: log in (for example with `skopeo login`), or set \
         REGISTRY_AUTH_FILE to a file with them"
    }
}
