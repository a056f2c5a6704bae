//! Problems of files, with their location.

use std::path::Path;

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
        Self { location, reason: escape_controls(reason.into()) }
    }

    pub fn of_file(file: &Path, reason: impl Into<String>) -> Self {
        Self { location: file.display().to_string(), reason: escape_controls(reason.into()) }
    }
}

/// Reasons quote the content of files: a line break in it must not forge another line of the log.
fn escape_controls(reason: String) -> String {
    if !reason.contains(char::is_control) {
        return reason;
    }
    let escaped = |character: char| {
        if character.is_control() { character.escape_debug().to_string() } else { character.to_string() }
    };
    reason.chars().map(escaped).collect()
}
