//! LIKE patterns in a form that means the same in every database.

use std::sync::OnceLock;

use super::error::{FilterError, quoted};
use super::syntax::Position;
use super::wildcard::{Symbol, Wildcard};
use super::{MAX_PATTERN_CHARACTERS, fold};

/// The escape character in SQL. Unlike a backslash, it needs no escaping in a literal of any database.
pub const ESCAPE: char = '!';

/// A valid pattern.
pub struct Pattern {
    /// Escaped with [`ESCAPE`] instead of the backslash.
    escaped: String,
    /// Only needed where a string is tested in memory.
    compiled: OnceLock<Wildcard>,
}

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
                        .with_hint(r"write four backslashes at the end of a pattern for one, e.g. '%\\\\'"));
                }
                ('\\', Some(&literal)) => {
                    characters.next();
                    if matches!(literal, '%' | '_' | ESCAPE) {
                        escaped.push(ESCAPE);
                    }
                    escaped.push(literal);
                }
                (ESCAPE, _) => escaped.extend([ESCAPE, ESCAPE]),
                _ => escaped.push(character),
            }
        }
        Ok(Self { escaped, compiled: OnceLock::new() })
    }

    /// The pattern for SQL's `LIKE … ESCAPE`.
    pub fn as_sql(&self) -> &str {
        &self.escaped
    }

    /// The characters before the first wildcard: every match begins with them.
    pub fn prefix(&self) -> String {
        let literal = |symbol| if let Symbol::Literal(character) = symbol { Some(character) } else { None };
        symbols(&self.escaped).map_while(literal).collect()
    }

    /// Whether a string in memory matches, as LIKE decides for a stored one.
    pub(super) fn matches(&self, string: &str) -> bool {
        self.compiled.get_or_init(|| Wildcard::new(symbols(&self.escaped))).matches(string)
    }
}

/// The symbols of an escaped pattern.
fn symbols(escaped: &str) -> impl Iterator<Item = Symbol> {
    let mut characters = escaped.chars();
    std::iter::from_fn(move || {
        Some(match characters.next()? {
            '%' => Symbol::AnyRun,
            '_' => Symbol::AnyCharacter,
            ESCAPE => Symbol::Literal(characters.next()?),
            other => Symbol::Literal(other),
        })
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Strings, patterns and whether they match; every implementation of LIKE is tested with them.
    pub(crate) const LIKES: [(&str, &str, bool); 19] = [
        ("v1.0", "v1.%", true),
        ("v1", "v1.%", false),
        ("", "%", true),
        ("", "_", false),
        ("ä", "_", true),
        ("50%", r"50\%", true),
        ("500", r"50\%", false),
        ("wow!", "wow!", true),
        (r"C:\x", r"C:\\%", true),
        (r"C:\x", r"C:\x", false),
        ("C:x", r"C:\x", true),
        ("wow!", r"wo\w\!", true),
        ("abcabd", "%ab_", true),
        ("aab", "%ab", true),
        ("aabaac", "%a_c", true),
        ("abab", "%ab%ab", true),
        ("ab", "%ab%ab", false),
        ("ABC", "abc", false),
        ("abc", "", false),
    ];

    #[test]
    fn the_prefix_ends_at_the_first_wildcard() {
        let prefix = |pattern: &str| Pattern::new(pattern, false, Position::default()).unwrap().prefix();
        for (pattern, expected) in [
            ("v1.%", "v1."),
            ("%a", ""),
            ("a_c", "a"),
            (r"50\%!_%", "50%!"),
            ("abc", "abc"),
            (r"C:\\%", r"C:\"),
            ("", ""),
        ] {
            assert_eq!(prefix(pattern), expected, "{pattern}");
        }
        assert_eq!(Pattern::new("ABC%", true, Position::default()).unwrap().prefix(), "abc", "folded like the pattern");
    }

    fn matches(string: &str, pattern: &str) -> bool {
        Pattern::new(pattern, false, Position::default()).unwrap().matches(string)
    }

    #[test]
    fn patterns_match_strings_in_memory() {
        for (string, pattern, expected) in LIKES {
            assert_eq!(matches(string, pattern), expected, "{string} LIKE {pattern}");
        }
    }
}
