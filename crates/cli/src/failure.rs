//! Converts errors into an exit code, a message and a hint.

use std::fmt;
use std::io::ErrorKind;

use model_registry_client::Error as ClientError;
use model_registry_server::config::ConfigError;

const FAILURE: u8 = 1;
/// Wrong arguments or settings; clap uses the same code.
pub(crate) const USAGE: u8 = 2;
const NOT_FOUND: u8 = 3;
const CONFLICT: u8 = 4;
const NOT_PERMITTED: u8 = 5;
const UNAVAILABLE: u8 = 6;

/// The exit codes, for `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  success
  1  failure
  2  wrong arguments or settings
  3  not found
  4  conflict: the name exists, or the entity was changed concurrently
  5  not permitted: the token is missing or invalid, or lacks a right
  6  the server is unreachable or unavailable, or the request timed out";

/// An error of the command line itself.
#[derive(Debug)]
pub(crate) struct CommandError {
    code: u8,
    message: String,
    hint: Option<String>,
}

impl CommandError {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { code: USAGE, message: message.into(), hint: None }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self { code: NOT_FOUND, message: message.into(), hint: None }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { code: FAILURE, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for CommandError {}

/// The failure of a command.
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// The failure for an error; `None` for a broken pipe: the reader of the output stopped reading, as `head` does.
pub(crate) fn of(error: &anyhow::Error) -> Option<Failure> {
    let mut chain = error.chain();
    if chain.any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == ErrorKind::BrokenPipe)) {
        return None;
    }
    if let Some(error) = error.downcast_ref::<CommandError>() {
        return Some(Failure { code: error.code, message: error.message.clone(), hint: error.hint.clone() });
    }
    if let Some(error) = error.downcast_ref::<ClientError>() {
        let (code, hint) = of_client_error(error);
        return Some(Failure { code, message: error.to_string(), hint: hint.map(str::to_owned) });
    }
    let code = if error.is::<ConfigError>() { USAGE } else { FAILURE };
    Some(Failure { code, message: format!("{error:#}"), hint: None })
}

fn of_client_error(error: &ClientError) -> (u8, Option<&'static str>) {
    match error {
        ClientError::NotFound(_) => (NOT_FOUND, None),
        ClientError::Conflict(_) => (CONFLICT, Some("use `update` to change the existing entity; `list` shows it")),
        ClientError::Gone(_) => (FAILURE, Some("`watch --after newest` starts with the next change")),
        ClientError::Changed(_) => (CONFLICT, Some("the entity was changed concurrently: run the command again")),
        ClientError::Unauthorized(_) => {
            (NOT_PERMITTED, Some("pass a token with --token-file, MR_TOKEN or a profile of the configuration file"))
        }
        ClientError::Forbidden(_) => (NOT_PERMITTED, None),
        ClientError::Unreachable { .. } => (
            UNAVAILABLE,
            Some("start a server with `model-registry up`, or set its URL with --server, MR_SERVER or a profile"),
        ),
        ClientError::Unavailable(_) | ClientError::Timeout { .. } => (UNAVAILABLE, Some("try again later")),
        ClientError::Unreadable { .. } => {
            (FAILURE, Some("check the URL of the server: --server, MR_SERVER or the profile"))
        }
        ClientError::Usage(_) => (USAGE, None),
        _ => (FAILURE, None),
    }
}
