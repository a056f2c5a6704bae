//! How a command ends when it does not succeed: exit code, message, hint.

use std::fmt;
use std::io::ErrorKind;

use model_registry_client::Error as ClientError;
use model_registry_server::config::ConfigError;

const FAILURE: u8 = 1;
/// The command line or a setting is wrong; clap ends with the same code.
pub(crate) const USAGE: u8 = 2;
const NOT_FOUND: u8 = 3;
const CONFLICT: u8 = 4;
const NOT_PERMITTED: u8 = 5;
const UNAVAILABLE: u8 = 6;

/// For the help of the executable; what the codes above mean.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed
  2  the command line or a setting is wrong
  3  not found
  4  conflict: a name is taken, or somebody else changed the entity at the same time
  5  not permitted: no valid token, or a missing right
  6  the server cannot be reached, is not available, or does not answer in time";

/// A failure of the command line itself.
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

/// What is told of a failure.
pub(crate) struct Report {
    pub(crate) code: u8,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// `None` where nothing failed but the reader of our output, who has read enough.
pub(crate) fn report(error: &anyhow::Error) -> Option<Report> {
    let mut chain = error.chain();
    if chain.any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == ErrorKind::BrokenPipe)) {
        return None;
    }
    if let Some(error) = error.downcast_ref::<CommandError>() {
        return Some(Report { code: error.code, message: error.message.clone(), hint: error.hint.clone() });
    }
    if let Some(error) = error.downcast_ref::<ClientError>() {
        let (code, hint) = of_client(error);
        return Some(Report { code, message: error.to_string(), hint: hint.map(str::to_owned) });
    }
    let code = if error.is::<ConfigError>() { USAGE } else { FAILURE };
    Some(Report { code, message: format!("{error:#}"), hint: None })
}

fn of_client(error: &ClientError) -> (u8, Option<&'static str>) {
    match error {
        ClientError::NotFound(_) => (NOT_FOUND, None),
        ClientError::Conflict(_) => (CONFLICT, Some("`update` changes what exists; `list` shows it")),
        ClientError::Gone(_) => (FAILURE, Some("`watch --after newest` begins with what comes from now on")),
        ClientError::Changed(_) => (CONFLICT, Some("somebody else changed it at the same time: run the command again")),
        ClientError::Unauthorized(_) => {
            (NOT_PERMITTED, Some("pass a token with --token-file, MR_TOKEN or a profile of the configuration file"))
        }
        ClientError::Forbidden(_) => (NOT_PERMITTED, None),
        ClientError::Unreachable { .. } => (
            UNAVAILABLE,
            Some("start a server with `model-registry up`, or name one with --server, MR_SERVER or a profile"),
        ),
        ClientError::Unavailable(_) | ClientError::Timeout { .. } => (UNAVAILABLE, Some("try again later")),
        ClientError::Unreadable { .. } => (FAILURE, Some("check the address: --server, MR_SERVER or the profile")),
        ClientError::Usage(_) => (USAGE, None),
        _ => (FAILURE, None),
    }
}
