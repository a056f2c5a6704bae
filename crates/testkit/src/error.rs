//! What can go wrong while tests are being set up.

use std::path::PathBuf;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program is not on this machine; `install` is the command that brings it.
    #[error("{what} is not installed; install it with: {install}")]
    Missing { what: &'static str, install: &'static str },

    /// A program ended, or did not become ready in time; `log` is the end of what it wrote.
    #[error("{what} {problem}; the end of its output:\n{log}")]
    Failed { what: String, problem: String, log: String },

    /// No admin URL was given for a database that a test asked for.
    #[error("no {backend} server to test on: {variable} is not set; `cargo xtask test` sets it")]
    NoServer { backend: &'static str, variable: &'static str },

    #[error("{what}: {path}")]
    File { what: &'static str, path: PathBuf, source: std::io::Error },

    #[error("{0}")]
    Io(#[from] std::io::Error),

    #[error("a scenario cannot be used: {path}: {reason}")]
    Scenario { path: PathBuf, reason: String },

    #[error("the test database: {0}")]
    Database(#[from] sqlx::Error),

    #[error("not a database URL: {url}: {source}")]
    Url { url: String, source: url::ParseError },
}
