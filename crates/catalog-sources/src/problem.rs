//! Problems of files, with their location.

use std::borrow::Cow;
use std::path::Path;

use model_registry_base::excerpt;

/// Line and column in a file, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// Something that is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{location}: {reason}")]
pub struct Problem {
    /// `file:line:column`, as editors understand it, or only the file.
    pub location: String,
    pub reason: String,
}

impl Problem {
    pub fn at(file: &Path, position: Position, reason: impl Into<String>) -> Self {
        let location = format!("{}:{}:{}", file.display(), position.line, position.column);
        Self { location, reason: shown(reason.into()) }
    }

    pub fn of_file(file: &Path, reason: impl Into<String>) -> Self {
        Self { location: file.display().to_string(), reason: shown(reason.into()) }
    }
}

/// Reasons quote the content of files, which may be long.
fn shown(reason: String) -> String {
    let cut = match excerpt(&reason) {
        Cow::Borrowed(_) => None,
        Cow::Owned(cut) => Some(cut),
    };
    escape_controls(cut.unwrap_or(reason))
}

/// A line break in a quotation must not forge another line of the log.
fn escape_controls(reason: String) -> String {
    if !reason.contains(char::is_control) {
        return reason;
    }
    let escaped = |character: char| {
        if character.is_control() { character.escape_debug().to_string() } else { character.to_string() }
    };
    reason.chars().map(escaped).collect()
}
