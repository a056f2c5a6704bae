//! Name patterns: `*` matches any characters including slashes; case is ignored.
//!
//! The time to decide about a name does not depend on the number of names, beginnings and ends in a list; the number of other
//! patterns is limited.

use std::collections::HashSet;

use model_registry_base::{Cancellation, Cancelled};
use model_registry_filter::{Symbol, Wildcard, fold};

/// Limits of a list.
const MOST_PATTERNS: usize = 10_000;
/// Patterns with `*` in the middle or at both ends, which are tried one after the other.
const MOST_GENERAL: usize = 1_000;
/// Longest pattern, in bytes.
const LONGEST: usize = 4_096;

/// Selects the names that a source publishes.
#[derive(Debug, Default)]
pub struct NameFilter {
    included: PatternSet,
    excluded: PatternSet,
}

impl NameFilter {
    /// Reads the lists `included<suffix>` and `excluded<suffix>`.
    pub fn new(suffix: &str, included: &[String], excluded: &[String]) -> Result<Self, InvalidPattern> {
        let read = |list: &[String], prefix: &str| {
            PatternSet::new(list).map_err(|(index, mistake)| InvalidPattern {
                list: format!("{prefix}{suffix}"),
                index,
                mistake,
            })
        };
        Ok(Self { included: read(included, "included")?, excluded: read(excluded, "excluded")? })
    }

    pub fn allows(&self, name: &str) -> bool {
        let name = fold(name);
        (self.included.is_empty() || self.included.matches(&name)) && !self.excluded.matches(&name)
    }

    /// Decides about each of many names.
    pub fn decide(&self, names: Vec<String>, work: &Cancellation) -> Result<Vec<(String, bool)>, Cancelled> {
        let decide = |name: String| {
            work.check()?;
            let is_allowed = self.allows(&name);
            Ok((name, is_allowed))
        };
        names.into_iter().map(decide).collect()
    }
}

/// A pattern that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{list}[{index}]: {mistake}")]
pub struct InvalidPattern {
    /// The name of the list, and the position in it.
    pub list: String,
    pub index: usize,
    mistake: Mistake,
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Mistake {
    #[error("pattern cannot be empty")]
    Empty,
    #[error("pattern is longer than {LONGEST} bytes")]
    TooLong,
    #[error("more than {MOST_PATTERNS} patterns: use patterns that match several names")]
    TooMany,
    #[error("more than {MOST_GENERAL} patterns with `*` in the middle or at both ends: use `*` at one end of them")]
    TooManyGeneral,
}

/// The patterns of a list, folded.
#[derive(Debug, Default)]
struct PatternSet {
    exact: HashSet<String>,
    beginnings: Prefixes,
    /// Backwards.
    ends: Prefixes,
    general: Vec<Wildcard>,
}

impl PatternSet {
    /// The error has the index of the pattern.
    fn new(list: &[String]) -> Result<Self, (usize, Mistake)> {
        let mut set = Self::default();
        for (index, pattern) in list.iter().enumerate() {
            set.add(pattern.trim(), index).map_err(|mistake| (index, mistake))?;
        }
        set.beginnings.finish();
        set.ends.finish();
        Ok(set)
    }

    fn add(&mut self, pattern: &str, index: usize) -> Result<(), Mistake> {
        match pattern.len() {
            0 => return Err(Mistake::Empty),
            _ if index >= MOST_PATTERNS => return Err(Mistake::TooMany),
            length if length > LONGEST => return Err(Mistake::TooLong),
            _ => {}
        }
        let pattern = fold(pattern);
        match pattern.trim_matches('*') {
            middle if middle.contains('*') => {}
            whole if whole.len() == pattern.len() => {
                self.exact.insert(pattern);
                return Ok(());
            }
            beginning if pattern.starts_with(beginning) => {
                self.beginnings.0.push(beginning.bytes().collect());
                return Ok(());
            }
            end if pattern.ends_with(end) => {
                self.ends.0.push(end.bytes().rev().collect());
                return Ok(());
            }
            _ => {}
        }
        if self.general.len() == MOST_GENERAL {
            return Err(Mistake::TooManyGeneral);
        }
        let symbol = |character| if character == '*' { Symbol::AnyRun } else { Symbol::Literal(character) };
        self.general.push(Wildcard::new(pattern.chars().map(symbol)));
        Ok(())
    }

    fn is_empty(&self) -> bool {
        let Self { exact, beginnings, ends, general } = self;
        exact.is_empty() && beginnings.0.is_empty() && ends.0.is_empty() && general.is_empty()
    }

    /// Whether a pattern matches the whole name, which is folded.
    fn matches(&self, name: &str) -> bool {
        self.exact.contains(name)
            || self.beginnings.has_one_of(name.as_bytes())
            || (!self.ends.0.is_empty() && self.ends.has_one_of(&name.bytes().rev().collect::<Vec<_>>()))
            || self.general.iter().any(|pattern| pattern.matches(name))
    }
}

/// Byte strings that others are searched for at their beginning: ordered, and none is the beginning of another.
#[derive(Debug, Default)]
struct Prefixes(Vec<Vec<u8>>);

impl Prefixes {
    fn finish(&mut self) {
        self.0.sort_unstable();
        // In this order the strings that begin with another one follow it directly.
        self.0.dedup_by(|next, kept| next.starts_with(kept));
    }

    fn has_one_of(&self, bytes: &[u8]) -> bool {
        // The last that is not greater is the only one that can be a beginning.
        let after = self.0.partition_point(|prefix| prefix.as_slice() <= bytes);
        after.checked_sub(1).and_then(|index| self.0.get(index)).is_some_and(|prefix| bytes.starts_with(prefix))
    }
}

#[cfg(test)]
mod tests {
    use model_registry_testkit::seed;

    use super::*;

    fn own(list: &[&str]) -> Vec<String> {
        list.iter().map(|&pattern| pattern.to_owned()).collect()
    }

    fn allows(included: &[&str], excluded: &[&str], name: &str) -> bool {
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
        assert!(allows(&["*"], &[], "") && allows(&["**"], &[], "x"));
    }

    #[test]
    fn exclusions_win_over_inclusions() {
        assert!(!allows(&["a*"], &["*draft"], "a-draft"));
        assert!(allows(&[], &["*draft"], "a"));
    }

    #[test]
    fn a_pattern_that_cannot_be_used_is_an_error_with_its_list_and_index() {
        let reason = |excluded: &[String]| NameFilter::new("Models", &[], excluded).unwrap_err().to_string();
        assert_eq!(reason(&own(&["a", " "])), "excludedModels[1]: pattern cannot be empty");
        assert_eq!(reason(&["x".repeat(LONGEST + 1)]), "excludedModels[0]: pattern is longer than 4096 bytes");
        let many = |pattern: &str, count: usize| vec![pattern.to_owned(); count];
        assert!(reason(&many("a", MOST_PATTERNS + 1)).starts_with("excludedModels[10000]: more than 10000 patterns"));
        assert!(reason(&many("a*b", MOST_GENERAL + 1)).starts_with("excludedModels[1000]: more than 1000 patterns"));
        assert!(NameFilter::new("Models", &many("a*", MOST_PATTERNS), &many("*a*", MOST_GENERAL)).is_ok());
    }

    /// Matches one pattern by trying every way.
    fn oracle(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*', rest)) => (0..=name.len()).any(|taken| oracle(rest, &name[taken..])),
            Some((byte, rest)) => name.first() == Some(byte) && oracle(rest, &name[1..]),
        }
    }

    #[test]
    fn a_set_of_patterns_matches_what_one_of_them_matches() {
        let mut state = seed();
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..3_000 {
            let mut text = |characters: &[u8], longest: u64| {
                let length = random(longest + 1);
                let pick = |_| characters[usize::try_from(random(characters.len() as u64)).unwrap()] as char;
                (0..length).map(pick).collect::<String>()
            };
            let patterns: Vec<String> = (0..4).map(|_| text(b"ab*", 4) + "a").collect();
            let patterns: Vec<String> =
                patterns.into_iter().map(|one| if one.len() % 2 == 0 { format!("{one}*") } else { one }).collect();
            let name = text(b"ab", 8);
            let expected = patterns.iter().any(|pattern| oracle(pattern.as_bytes(), name.as_bytes()));
            let filter = NameFilter::new("Models", &patterns, &[]).unwrap();
            assert_eq!(filter.allows(&name), expected, "{patterns:?} {name}");
        }
    }

    #[test]
    fn many_names_are_decided_until_the_work_is_cancelled() {
        let filter = NameFilter::new("Models", &own(&["a*"]), &[]).unwrap();
        let work = Cancellation::default();
        let decided = filter.decide(own(&["a", "b"]), &work).unwrap();
        assert_eq!(decided, [("a".to_owned(), true), ("b".to_owned(), false)]);
        work.cancel();
        assert!(filter.decide(own(&["a"]), &work).is_err());
    }
}
