//! Converts errors into an exit code, a message and a hint.

use std::fmt;
use std::io::ErrorKind;

use model_registry_base::ConnectionProblem;
use model_registry_client::Error as ClientError;
use model_registry_server::config::{ConfigError, Environment};
use model_registry_store::ConnectError;
use model_registry_transfer::TransferError;

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

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self { code: CONFLICT, message: message.into(), hint: None }
    }

    pub(crate) fn not_permitted(message: impl Into<String>) -> Self {
        Self { code: NOT_PERMITTED, message: message.into(), hint: None }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { code: FAILURE, message: message.into(), hint: None }
    }

    /// A failure that was reported already, with its exit code.
    pub(crate) fn reported(code: u8) -> Self {
        Self { code, message: String::new(), hint: None }
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
        return Some(Failure { code, message: error.to_string(), hint });
    }
    if let Some(error) = error.downcast_ref::<TransferError>() {
        return Some(Failure { code: of_transfer_error(error), message: error.to_string(), hint: None });
    }
    let code = if error.is::<ConfigError>() { USAGE } else { FAILURE };
    let unreachable = error.downcast_ref::<ConnectError>();
    let problem = unreachable.and_then(|error| ConnectionProblem::of(error));
    let hint = problem.map(|problem| problem.remedy().to_owned());
    Some(Failure { code, message: format!("{error:#}"), hint })
}

fn of_client_error(error: &ClientError) -> (u8, Option<String>) {
    let (code, hint) = match error {
        ClientError::NotFound(_) => (NOT_FOUND, None),
        ClientError::Conflict(_) => (CONFLICT, Some("use `update` to change the existing entity; `list` shows it")),
        ClientError::Gone(_) => (FAILURE, Some("`watch --after newest` starts with the next change")),
        ClientError::Changed(_) => (CONFLICT, Some("the entity was changed concurrently: run the command again")),
        ClientError::Unauthorized(_) => (
            NOT_PERMITTED,
            Some("the server requires a token: store one with `model-registry login`, or set --token-file or MR_TOKEN"),
        ),
        ClientError::TokenRefused(_) => (
            NOT_PERMITTED,
            Some(
                "the token is unknown, expired or revoked, or for another server: `model-registry login` stores a new \
                 one, `model-registry config show` shows where the token comes from",
            ),
        ),
        ClientError::Forbidden(_) => (NOT_PERMITTED, None),
        ClientError::Unreachable { server, problem, .. } => {
            return (UNAVAILABLE, Some(connection_hint(server, *problem, &Environment::of_process())));
        }
        ClientError::Unavailable(_) | ClientError::Timeout { .. } => (UNAVAILABLE, Some("try again later")),
        ClientError::Unreadable { .. } => {
            (FAILURE, Some("check the URL of the server: --server, MR_SERVER or the profile"))
        }
        ClientError::Usage(_) => (USAGE, None),
        _ => (FAILURE, None),
    };
    (code, hint.map(str::to_owned))
}

fn of_transfer_error(error: &TransferError) -> u8 {
    match error {
        TransferError::Invalid(_) => USAGE,
        TransferError::NotFound { .. } => NOT_FOUND,
        TransferError::Denied { .. } | TransferError::Refused { .. } => NOT_PERMITTED,
        TransferError::Unavailable { .. } | TransferError::Restart { .. } => UNAVAILABLE,
        _ => FAILURE,
    }
}

/// What to do about a failed connection.
fn connection_hint(server: &str, problem: ConnectionProblem, environment: &Environment) -> String {
    const SET_URL: &str = "--server, MR_SERVER or a profile";
    let is_local = is_local(server);
    let hint = match problem {
        ConnectionProblem::Refused if is_local => {
            return format!("start a server with `model-registry up`, or set its URL with {SET_URL}");
        }
        ConnectionProblem::Refused => {
            format!("nothing listens there: check host and port of the URL ({SET_URL}), and that the server is running")
        }
        ConnectionProblem::UnknownHost => format!("the name of the host has no address: check the URL ({SET_URL})"),
        ConnectionProblem::UnknownAuthority => "this machine does not trust the authority that issued the \
             certificate of the server: pass the authority's certificate with --ca-file, MR_CA_FILE or a profile"
            .to_owned(),
        ConnectionProblem::OtherName => {
            format!("the certificate of the server is for another name: use the name in the certificate ({SET_URL})")
        }
        ConnectionProblem::Expired => {
            "the certificate of the server has expired or is not valid yet: its administrator \
             has to renew it; also check the clock of this machine"
                .to_owned()
        }
        ConnectionProblem::InvalidCertificate => {
            "the certificate of the server cannot be used: its administrator has to issue a new one".to_owned()
        }
        ConnectionProblem::PortWithoutTls => {
            format!("the server does not use TLS on this port: use {} or another port", replaced(server, "http"))
        }
        ConnectionProblem::PortWithTls => {
            format!("the server uses TLS on this port: use {} or another port", replaced(server, "https"))
        }
        ConnectionProblem::NoResponse => {
            format!("the host does not respond: check the URL ({SET_URL}), and firewalls on the way")
        }
        _ => format!("check the URL of the server ({SET_URL}), and its log"),
    };
    match proxy_variable(server, environment) {
        Some(variable) if !is_local => {
            format!("{hint}; requests go through the proxy in {variable} unless NO_PROXY contains the host")
        }
        _ => hint,
    }
}

/// Whether the host of a URL is this machine.
pub(crate) fn is_local(server: &str) -> bool {
    let host = server.split_once("://").map_or(server, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    host == "localhost" || host.starts_with("127.") || server.contains("://[::1]")
}

fn replaced(server: &str, scheme: &str) -> String {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    format!("{scheme}://{rest}")
}

/// The variable with the proxy for requests to a server.
fn proxy_variable(server: &str, environment: &Environment) -> Option<&'static str> {
    let own: &[&str] =
        if server.starts_with("https:") { &["HTTPS_PROXY", "https_proxy"] } else { &["HTTP_PROXY", "http_proxy"] };
    let all: &[&'static str] = &["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let applies = |name: &&&'static str| own.contains(*name) || name.eq_ignore_ascii_case("ALL_PROXY");
    all.iter().filter(applies).find(|name| environment.get(name).is_some()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_of_a_connection_has_its_own_hint() {
        let none = Environment::default();
        let hint = |server: &str, problem| connection_hint(server, problem, &none);
        let local = "http://127.0.0.1:8080";
        assert!(hint(local, ConnectionProblem::Refused).starts_with("start a server with `model-registry up`"));
        let remote = "https://models.example.com";
        for (problem, part) in [
            (ConnectionProblem::Refused, "check host and port"),
            (ConnectionProblem::UnknownHost, "has no address"),
            (ConnectionProblem::UnknownAuthority, "--ca-file"),
            (ConnectionProblem::Expired, "expired"),
            (ConnectionProblem::OtherName, "another name"),
            (ConnectionProblem::PortWithoutTls, "use http://models.example.com"),
            (ConnectionProblem::NoResponse, "does not respond"),
        ] {
            let hint = hint(remote, problem);
            assert!(hint.contains(part) && !hint.contains("model-registry up"), "{hint}");
        }
        assert!(hint("http://models:8443", ConnectionProblem::PortWithTls).contains("use https://models:8443"));
    }

    #[test]
    fn a_proxy_is_named_where_it_applies() {
        let proxied = Environment::from_iter([("HTTPS_PROXY", "http://user:secret@proxy:3128")]);
        let hint = |server: &str| connection_hint(server, ConnectionProblem::NoResponse, &proxied);
        let remote = hint("https://models.example.com");
        assert!(remote.contains("the proxy in HTTPS_PROXY") && !remote.contains("secret"), "{remote}");
        assert!(!hint("http://models.example.com").contains("proxy"));
        assert!(!hint("https://localhost").contains("proxy"));
    }
}
