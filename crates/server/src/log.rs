//! Logs: one line per event on standard error, text for people, JSON for machines.
//!
//! Nothing secret is ever a field: settings print masked, queries and headers are not logged.

use std::io::IsTerminal;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is not `level` or `target=level,…`.
    #[error("log level `{filter}` is not understood: {reason}")]
    Filter {
        /// The text given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Something else has taken over logging in this process.
    #[error("logging is already set up in this process")]
    AlreadySet,
}

/// Something that listens beside the log.
pub(crate) type ExtraLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts logging for the whole process. `filter` is a level (`info`) or directives (`info,access=off,sqlx=debug`).
pub fn init(filter: &str, format: Format) -> Result<(), LogError> {
    init_with(filter, format, None)
}

pub(crate) fn init_with(filter: &str, format: Format, extra: Option<ExtraLayer>) -> Result<(), LogError> {
    let filter = parse_filter(filter)?;
    let is_terminal = std::io::stderr().is_terminal();
    let is_json = match format {
        Format::Auto => !is_terminal,
        Format::Text => false,
        Format::Json => true,
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

/// By target only: a filter by span would be asked each time a request's work goes on, some dozen times a request.
fn parse_filter(filter: &str) -> Result<Targets, LogError> {
    filter.parse::<Targets>().map_err(|error| LogError::Filter { filter: filter.to_owned(), reason: error.to_string() })
}

/// Makes a panic a log line like any other, inside the span of the request it happened in.
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
        assert!(error.starts_with("log level `info,sqlx=loud` is not understood: "), "{error}");
    }
}
