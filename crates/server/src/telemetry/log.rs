//! Logs: one line per event on standard error, as text or JSON.
//!
//! Secrets are never logged: settings are redacted; queries and headers are not logged. Every line is redacted once more
//! when it is written, because errors of libraries may quote a URL with its password; and long texts in it are cut, because
//! errors may quote what files and clients contain.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use model_registry_base::{LONGEST_MESSAGE, excerpt, may_contain_secret, redact};
use serde_json::{Map, Value};
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
    let lines = tracing_subscriber::fmt::layer().with_writer(|| RedactedLines(io::stderr())).with_ansi(is_terminal);
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

/// Passes spans to a layer and writes no log, for commands whose output is not a log.
pub(crate) fn start_without_lines(layer: ExtraLayer) -> Result<(), LogError> {
    let registry = tracing_subscriber::registry().with(Some(layer)).with(parse_filter("info")?);
    registry.try_init().map_err(|_| LogError::AlreadySet)
}

/// Redacts the lines that pass through it. The subscriber writes each line by one call.
struct RedactedLines<W>(W);

impl<W: Write> Write for RedactedLines<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let Ok(text) = std::str::from_utf8(line) else {
            self.0.write_all(line)?;
            return Ok(line.len());
        };
        let text = shortened(text);
        if may_contain_secret(&text) {
            self.0.write_all(redact(&text).as_bytes())?;
        } else {
            self.0.write_all(text.as_bytes())?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Cuts long texts in a line: of JSON each value, so that it stays JSON.
fn shortened(line: &str) -> Cow<'_, str> {
    if line.len() <= LONGEST_MESSAGE {
        return Cow::Borrowed(line);
    }
    let Ok(mut fields) = serde_json::from_str::<Map<String, Value>>(line) else {
        return Cow::Owned(format!("{}\n", excerpt(line.trim_end())));
    };
    for value in fields.values_mut() {
        if let Value::String(text) = value {
            *text = excerpt(text).into_owned();
        }
    }
    Cow::Owned(format!("{}\n", Value::Object(fields)))
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
    fn a_password_in_a_line_is_redacted_and_the_line_stays_json() {
        let mut lines = RedactedLines(Vec::new());
        let line = serde_json::json!({"level": "WARN", "error": "cannot open postgres://u:hun@t\"er/2@db/n: refused"});
        lines.write_all(format!("{line}\n").as_bytes()).unwrap();
        lines.write_all(b"{\"path\":\"/x\"}\n").unwrap();
        let written = String::from_utf8(lines.0).unwrap();
        let (first, second) = written.split_once('\n').unwrap();
        let first: serde_json::Value = serde_json::from_str(first).unwrap();
        assert_eq!(first["error"], "cannot open postgres://u:***: refused");
        assert_eq!(second, "{\"path\":\"/x\"}\n");
    }

    #[test]
    fn a_long_text_in_a_line_is_cut_and_the_line_stays_json() {
        let long = "x".repeat(3 * LONGEST_MESSAGE);
        let line = format!("{}\n", serde_json::json!({"level": "WARN", "error": long}));
        let cut: Value = serde_json::from_str(&shortened(&line)).unwrap();
        assert_eq!(cut["level"], "WARN");
        let text = cut["error"].as_str().unwrap();
        assert!(text.len() <= LONGEST_MESSAGE && text.ends_with(" more bytes)"), "{text}");
        let line = format!("WARN {long}\n");
        let cut = shortened(&line);
        assert!(cut.len() <= LONGEST_MESSAGE + 1 && cut.ends_with(" more bytes)\n"), "{cut}");
    }

    #[test]
    fn a_filter_is_a_level_or_directives() {
        for filter in ["info", "warn,access=off", "info,sqlx=debug"] {
            assert!(parse_filter(filter).is_ok(), "{filter}");
        }
        let error = parse_filter("info,sqlx=loud").unwrap_err().to_string();
        assert!(error.starts_with("invalid log filter `info,sqlx=loud`: "), "{error}");
    }
}
