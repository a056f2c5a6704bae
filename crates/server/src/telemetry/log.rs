//! Logs: one line per event on standard error, as text or JSON.
//!
//! Secrets are never logged: settings are masked; queries and headers are not logged.

use std::io::IsTerminal;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    Text,
    /// One JSON object per line.
    Json,
}

/// Why logging cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is neither a level nor `target=level,…`.
    #[error("invalid log filter `{filter}`: {reason}; use a level such as info, or directives such as info,sqlx=warn")]
    Filter { filter: String, reason: String },
    #[error("logging is already set up in this process")]
    AlreadySet,
}

/// An additional layer, which receives spans.
pub(crate) type ExtraLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts logging for the whole process. `filter` is a level (`info`) or directives (`info,access=off,sqlx=debug`).
pub(crate) fn start(filter: &str, format: LogFormat, extra: Option<ExtraLayer>) -> Result<(), LogError> {
    let filter = parse_filter(filter)?;
    let is_terminal = std::io::stderr().is_terminal();
    let is_json = match format {
        LogFormat::Auto => !is_terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(is_terminal);
    let registry = tracing_subscriber::registry().with(extra).with(filter);
    let result = if is_json {
        registry.with(lines.json().flatten_event(true).with_span_list(false)).try_init()
    } else {
        registry.with(lines).try_init()
    };
    result.map_err(|_| LogError::AlreadySet)?;
    log_panics();
    Ok(())
}

/// Filters by target only: a filter by span would be evaluated at each poll of a request, about a dozen times.
fn parse_filter(filter: &str) -> Result<Targets, LogError> {
    filter.parse::<Targets>().map_err(|error| LogError::Filter { filter: filter.to_owned(), reason: error.to_string() })
}

/// Logs panics, with the span of the request.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        let location = panic.location().map(ToString::to_string);
        let backtrace = std::backtrace::Backtrace::capture();
        let backtrace = match backtrace.status() {
            std::backtrace::BacktraceStatus::Captured => Some(tracing::field::display(backtrace)),
            _ => None,
        };
        tracing::error!(location, backtrace, "panic: {message}");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_a_level_or_directives() {
        for filter in ["info", "warn,access=off", "info,sqlx=debug"] {
            assert!(parse_filter(filter).is_ok(), "{filter}");
        }
        let error = parse_filter("info,sqlx=loud").unwrap_err().to_string();
        assert!(error.starts_with("invalid log filter `info,sqlx=loud`: "), "{error}");
    }
}
