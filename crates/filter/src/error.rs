//! Why a filter was refused.

use std::fmt;

use super::syntax::Position;

/// A filter that cannot be used: what is wrong, where, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in characters.
    pub column: u32,
    pub message: String,
    pub hint: Option<String>,
}

impl FilterError {
    pub(super) fn new(position: Position, message: impl Into<String>) -> Self {
        Self { line: position.line, column: position.column, message: message.into(), hint: None }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Clients look for the first three words.
        write!(formatter, "invalid filter query at line {}, column {}: {}", self.line, self.column, self.message)?;
        match &self.hint {
            Some(hint) => write!(formatter, ". Hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for FilterError {}

/// A piece of the filter as a message shows it: short, and without control characters.
pub(super) fn quoted(piece: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown = String::from("`");
    for (index, character) in piece.chars().enumerate() {
        if index == LONGEST {
            shown.push('…');
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown.push('`');
    shown
}
