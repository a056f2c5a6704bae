//! Name patterns: `*` matches any characters including slashes; case is ignored.

use model_registry_filter::fold;

/// Selects the names that a source publishes.
#[derive(Clone, Debug, Default)]
pub struct NameFilter {
    included: Vec<String>,
    excluded: Vec<String>,
}

impl NameFilter {
    /// Reads the lists `included<suffix>` and `excluded<suffix>`.
    pub fn new(suffix: &str, included: &[String], excluded: &[String]) -> Result<Self, EmptyPattern> {
        let read = |list: &[String], prefix: &str| {
            let mut patterns = Vec::with_capacity(list.len());
            for (index, pattern) in list.iter().enumerate() {
                let pattern = pattern.trim();
                if pattern.is_empty() {
                    return Err(EmptyPattern { list: format!("{prefix}{suffix}"), index });
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

/// An empty pattern, which is always a mistake.
#[derive(Debug, thiserror::Error)]
#[error("{list}[{index}]: pattern cannot be empty")]
pub struct EmptyPattern {
    /// The name of the list, and the position in it.
    pub list: String,
    pub index: usize,
}

/// Whether the pattern matches the whole name; both are case-folded.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some(found) = left.find(piece) else { return false };
        left = left.get(found + piece.len()..).unwrap_or_default();
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(included: &[&str], excluded: &[&str], name: &str) -> bool {
        let own = |list: &[&str]| list.iter().map(|&pattern| pattern.to_owned()).collect::<Vec<_>>();
        NameFilter::new("Models", &own(included), &own(excluded)).unwrap().allows(name)
    }

    #[test]
    fn a_star_matches_anything_and_case_is_ignored() {
        assert!(allows(&["BRAMBLE/*"], &[], "bramble/x/y"));
        assert!(allows(&["*-*"], &[], "a-b"));
        assert!(allows(&["a*b*c"], &[], "a-bb-c"));
        assert!(!allows(&["a*b*c"], &[], "a-c-b"));
        assert!(!allows(&["ab*ba"], &[], "aba"));
        assert!(!allows(&["inkcap-?"], &[], "inkcap-1"));
        assert!(allows(&[" dunlin "], &[], "dunlin"));
    }

    #[test]
    fn exclusions_win_over_inclusions() {
        assert!(!allows(&["a*"], &["*draft"], "a-draft"));
        assert!(allows(&[], &["*draft"], "a"));
    }

    #[test]
    fn an_empty_pattern_is_an_error_with_its_list_and_index() {
        let error = NameFilter::new("Models", &[], &["a".into(), " ".into()]).unwrap_err();
        assert_eq!(error.to_string(), "excludedModels[1]: pattern cannot be empty");
    }
}
