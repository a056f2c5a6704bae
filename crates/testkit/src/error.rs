//! Errors of the test kit.

use std::path::PathBuf;

use model_registry_programs::Missing;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program is not installed; the message has the command that installs it.
    #[error("{0}")]
    Missing(#[from] Missing),

    /// A program ended early, or was not ready in time; `log` is the end of its output.
    #[error("{what} {problem}; the end of its output:\n{log}")]
    Failed { what: String, problem: String, log: String },

    /// The variable with the server's URL is not set.
    #[error("no {backend} server to test on: {variable} is not set; `cargo xtask test` sets it")]
    NoServer { backend: &'static str, variable: &'static str },

    #[error("{what}: {path}")]
    File { what: &'static str, path: PathBuf, source: std::io::Error },

    #[error("{0}")]
    Io(#[from] std::io::Error),

    #[error("invalid scenario {path}: {reason}")]
    Scenario { path: PathBuf, reason: String },

    #[error("test database: {0}")]
    Database(#[from] sqlx::Error),

    #[error("not a database URL: {url}: {source}")]
    Url { url: String, source: url::ParseError },
}
