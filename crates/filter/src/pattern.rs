//! LIKE patterns in a form that means the same in every database.

use super::error::{FilterError, quoted};
use super::syntax::Position;
use super::{MAX_PATTERN_CHARACTERS, fold};

/// The escape character in SQL. Unlike a backslash, it needs no escaping in a literal of any database.
pub const ESCAPE: char = '!';

/// A valid pattern, escaped with [`ESCAPE`] instead of the backslash.
pub struct Pattern(String);

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
        Ok(Self(escaped))
    }

    /// The pattern for SQL's `LIKE … ESCAPE`.
    pub fn as_sql(&self) -> &str {
        &self.0
    }

    /// Whether a string in memory matches, as LIKE decides for a stored one.
    pub(super) fn matches(&self, string: &str) -> bool {
        let (mut pattern, mut string) = (self.0.chars(), string.chars());
        // Where to continue after a mismatch: the pattern after the last `%`, and the rest of the string tried with it.
        let mut backtrack = None;
        loop {
            let mut rest = pattern.clone();
            match rest.next() {
                Some('%') => {
                    backtrack = Some((rest.clone(), string.clone()));
                    pattern = rest;
                    continue;
                }
                Some(character) => {
                    let expected = match character {
                        '_' => None,
                        ESCAPE => rest.next(),
                        other => Some(other),
                    };
                    let Some(found) = string.next() else { return false };
                    if expected.is_none_or(|expected| expected == found) {
                        pattern = rest;
                        continue;
                    }
                }
                None if string.as_str().is_empty() => return true,
                None => {}
            }
            let Some((after_run, from)) = &mut backtrack else { return false };
            if from.next().is_none() {
                return false;
            }
            (pattern, string) = (after_run.clone(), from.clone());
        }
    }
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
