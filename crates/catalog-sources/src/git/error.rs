use http::StatusCode;

/// Why a repository could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum GitError {
    #[error("{0}")]
    NotAllowed(String),
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    #[error("the server responded with {0}")]
    Status(StatusCode),
    #[error("not found, or private and not visible with the configured credentials")]
    NotFound,
    #[error("access denied: {0}")]
    Denied(String),
    #[error("the server does not respond like a Git server: {0}")]
    NotGit(String),
    #[error(
        "the server uses version {0} of the Git protocol, and only version 2 is supported: update Git on the server to 2.18 or \
         newer, and let proxies in front of it pass the header Git-Protocol"
    )]
    OldProtocol(&'static str),
    #[error("the server reports: {0}")]
    Remote(String),
    #[error("no branch or tag `{0}`")]
    RefNotFound(String),
    #[error("larger than {} MiB, the limit of a repository", .0 / (1024 * 1024))]
    TooLarge(u64),
    #[error("not read within {0} s, the limit of a repository")]
    TimedOut(u64),
    #[error("more than {0} files, the limit of a repository: set scanPaths")]
    TooManyFiles(usize),
    #[error("more than {0} skills, the limit of a repository: set scanPaths")]
    TooManySkills(usize),
    #[error("cannot be read: {0}")]
    Unreadable(String),
    #[error("no temporary directory: {0}; set TMPDIR to one that can be written")]
    NoTemporaryDirectory(std::io::Error),
    #[error("stopped")]
    Stopped,
}

impl GitError {
    /// Whether a retry may succeed.
    pub(super) fn is_temporary(&self) -> bool {
        match self {
            Self::Status(status) => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Unreachable(_)
            | Self::TimedOut(_)
            | Self::Unreadable(_)
            | Self::NoTemporaryDirectory(_)
            | Self::Stopped => true,
            Self::NotAllowed(_)
            | Self::NotFound
            | Self::Denied(_)
            | Self::NotGit(_)
            | Self::OldProtocol(_)
            | Self::Remote(_)
            | Self::RefNotFound(_)
            | Self::TooLarge(_)
            | Self::TooManyFiles(_)
            | Self::TooManySkills(_) => false,
        }
    }
}
