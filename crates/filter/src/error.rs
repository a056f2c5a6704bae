//! Why a filter is invalid.

use std::fmt;

use super::syntax::{Comparison, Position};

/// An invalid filter: the mistake, its place, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    pub message: String,
    pub hint: Option<String>,
}

impl FilterError {
    pub(super) fn new(position: Position, message: impl Into<String>) -> Self {
        Self { line: position.line, column: position.column, message: message.into(), hint: None }
    }

    /// A filter that is valid but too expensive: so many entities were tested without a match. `broad` is a comparison that did
    /// not narrow the list; without one, the filter as a whole did not.
    pub fn too_broad(broad: Option<&Comparison>, tested: u64) -> Self {
        let position = broad.map(|comparison| comparison.position).unwrap_or_default();
        let subject = broad.map_or_else(|| "the filter".to_owned(), |comparison| quoted(&comparison.to_string()));
        let message = format!("{subject} does not narrow the list: none of {tested} tested entities match");
        Self::new(position, message).with_hint(
            "add a condition that few entities match, joined by AND, such as an exact value, a range of numbers or \
             the beginning of a string (LIKE 'abc%')",
        )
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Clients recognise the error by the first three words.
        write!(formatter, "invalid filter query at line {}, column {}: {}", self.line, self.column, self.message)?;
        match &self.hint {
            Some(hint) => write!(formatter, ". Hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for FilterError {}

/// An excerpt of the filter for a message: in back-quotes, at most 40 characters, control characters escaped.
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
