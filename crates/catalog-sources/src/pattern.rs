//! Name patterns: `*` stands for any characters, slashes included; case does not matter.

use std::fmt;

use model_registry_filter::fold;

/// Which names a source publishes.
#[derive(Clone, Debug, Default)]
pub struct NameFilter {
    included: Vec<String>,
    excluded: Vec<String>,
}

impl NameFilter {
    /// Reads the two lists, whose names end with that of the field.
    pub fn new(field: &str, included: &[String], excluded: &[String]) -> Result<Self, EmptyPattern> {
        let read = |list: &[String], prefix: &str| {
            let mut patterns = Vec::with_capacity(list.len());
            for (index, pattern) in list.iter().enumerate() {
                let pattern = pattern.trim();
                if pattern.is_empty() {
                    return Err(EmptyPattern { list: format!("{prefix}{field}"), index });
                }
                patterns.push(fold(pattern));
            }
            Ok(patterns)
        };
        Ok(Self { included: read(included, "included")?, excluded: read(excluded, "excluded")? })
    }

    pub fn allows(&self, name: &str) -> bool {
        let name = fold(name);
        let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, &name));
        (self.included.is_empty() || any(&self.included)) && !any(&self.excluded)
    }
}

/// A pattern that nobody can have meant.
#[derive(Debug)]
pub struct EmptyPattern {
    /// The name of the list, and the place in it.
    pub list: String,
    pub index: usize,
}

impl fmt::Display for EmptyPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: pattern cannot be empty", self.list, self.index)
    }
}

/// Whether the pattern covers the whole text; both are folded.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some(found) = text.find(piece) else { return false };
        text = text.get(found + piece.len()..).unwrap_or_default();
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(included: &[&str], excluded: &[&str], name: &str) -> bool {
        let own = |list: &[&str]| list.iter().map(|&pattern| pattern.to_owned()).collect::<Vec<_>>();
        NameFilter::new("Models", &own(included), &own(excluded)).unwrap().allows(name)
    }

    #[test]
    fn a_star_stands_for_anything_and_case_does_not_matter() {
        assert!(allows(&["BRAMBLE/*"], &[], "bramble/x/y"));
        assert!(allows(&["*-*"], &[], "a-b"));
        assert!(allows(&["a*b*c"], &[], "a-bb-c"));
        assert!(!allows(&["a*b*c"], &[], "a-c-b"));
        assert!(!allows(&["ab*ba"], &[], "aba"));
        assert!(!allows(&["inkcap-?"], &[], "inkcap-1"));
        assert!(allows(&[" dunlin "], &[], "dunlin"));
    }

    #[test]
    fn an_exclusion_wins() {
        assert!(!allows(&["a*"], &["*draft"], "a-draft"));
        assert!(allows(&[], &["*draft"], "a"));
    }

    #[test]
    fn an_empty_pattern_is_named() {
        let error = NameFilter::new("Models", &[], &["a".into(), " ".into()]).unwrap_err();
        assert_eq!(error.to_string(), "excludedModels[1]: pattern cannot be empty");
    }
}
