//! LIKE patterns, in the one form that means the same in every database.

use super::error::{FilterError, quoted};
use super::syntax::Position;
use super::{MAX_PATTERN_CHARACTERS, fold};

/// The escape character of the SQL. Unlike a backslash it needs no escaping in any database's literals.
pub(super) const ESCAPE: char = '!';

/// A checked pattern, escaped with [`ESCAPE`] instead of the backslash.
pub(super) struct Pattern(pub(super) String);

impl Pattern {
    pub(super) fn new(pattern: &str, ignore_case: bool, position: Position) -> Result<Self, FilterError> {
        let length = pattern.chars().count();
        if length > MAX_PATTERN_CHARACTERS {
            let message =
                format!("the pattern has {length} characters, more than the {MAX_PATTERN_CHARACTERS} allowed");
            return Err(FilterError::new(position, message));
        }
        let folded = if ignore_case { fold(pattern) } else { pattern.to_owned() };
        let mut escaped = String::with_capacity(folded.len());
        let mut characters = folded.chars().peekable();
        while let Some(character) = characters.next() {
            match (character, characters.peek()) {
                ('\\', None) => {
                    let message = format!("the pattern {} ends in a backslash that escapes nothing", quoted(pattern));
                    return Err(FilterError::new(position, message)
                        .with_hint(r"four backslashes at the end of a pattern stand for one, e.g. '%\\\\'"));
                }
                ('\\', Some(&wildcard @ ('%' | '_'))) => {
                    characters.next();
                    escaped.extend([ESCAPE, wildcard]);
                }
                ('\\', Some('\\')) => {
                    characters.next();
                    escaped.push('\\');
                }
                (ESCAPE, _) => escaped.extend([ESCAPE, ESCAPE]),
                _ => escaped.push(character),
            }
        }
        Ok(Self(escaped))
    }
}
