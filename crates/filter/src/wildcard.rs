//! Patterns with wildcards, compiled once and matched without backtracking.
//!
//! A pattern is a sequence of parts with any run of characters between them. Parts match a fixed number of characters, so taking
//! the first place where each is found is right, and no place is tried twice. A part of ordinary characters is found by
//! searching for its bytes; one with characters that match any other by the shift-and algorithm, whose state is one bit per
//! character of the part. So the time is proportional to the length of the string, times the number of machine words of the
//! longest part (16 at most).

use std::collections::HashMap;

use memchr::memmem::Finder;

/// An element of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// This character.
    Literal(char),
    /// Any one character.
    AnyCharacter,
    /// Any run of characters, also an empty one.
    AnyRun,
}

/// A compiled pattern.
#[derive(Debug)]
pub struct Wildcard {
    /// What the string begins with; the whole string without a run.
    first: Vec<Option<char>>,
    /// The parts after each run except the last, which are found in their order.
    middle: Vec<Part>,
    /// What the string ends with after the last run; `None` without a run.
    last: Option<Vec<Option<char>>>,
}

impl Wildcard {
    pub fn new(symbols: impl IntoIterator<Item = Symbol>) -> Self {
        let mut parts = vec![Vec::new()];
        for symbol in symbols {
            match (symbol, parts.last_mut()) {
                (Symbol::Literal(character), Some(part)) => part.push(Some(character)),
                (Symbol::AnyCharacter, Some(part)) => part.push(None),
                _ => parts.push(Vec::new()),
            }
        }
        let mut parts = parts.into_iter();
        let first = parts.next().unwrap_or_default();
        let last = parts.next_back();
        let middle = parts.filter(|part| !part.is_empty()).map(|part| Part::new(&part)).collect();
        Self { first, middle, last }
    }

    /// Whether the whole string matches.
    pub fn matches(&self, string: &str) -> bool {
        let Some(rest) = without_prefix(string, &self.first) else { return false };
        let Some(last) = &self.last else { return rest.is_empty() };
        let mut rest = rest;
        for part in &self.middle {
            let Some(after) = part.after(rest) else { return false };
            rest = after;
        }
        ends_with(rest, last)
    }
}

fn fits(expected: Option<char>, found: char) -> bool {
    expected.is_none_or(|expected| expected == found)
}

fn without_prefix<'s>(string: &'s str, prefix: &[Option<char>]) -> Option<&'s str> {
    let mut characters = string.chars();
    prefix
        .iter()
        .all(|expected| characters.next().is_some_and(|found| fits(*expected, found)))
        .then_some(characters.as_str())
}

fn ends_with(string: &str, suffix: &[Option<char>]) -> bool {
    let mut characters = string.chars();
    suffix.iter().rev().all(|expected| characters.next_back().is_some_and(|found| fits(*expected, found)))
}

/// A part of a pattern that may be anywhere.
#[derive(Debug)]
enum Part {
    Literal(Box<Finder<'static>>),
    WithGaps(ShiftAnd),
}

impl Part {
    fn new(characters: &[Option<char>]) -> Self {
        match characters.iter().copied().collect::<Option<String>>() {
            Some(literal) => Self::Literal(Box::new(Finder::new(literal.as_bytes()).into_owned())),
            None => Self::WithGaps(ShiftAnd::new(characters)),
        }
    }

    /// What follows the first place of the part.
    fn after<'s>(&self, string: &'s str) -> Option<&'s str> {
        match self {
            Self::Literal(finder) => string.get(finder.find(string.as_bytes())? + finder.needle().len()..),
            Self::WithGaps(automaton) => automaton.after(string),
        }
    }
}

/// Finds a sequence of characters of which some match any other.
#[derive(Debug)]
struct ShiftAnd {
    length: usize,
    /// The places of the sequence that a character fits, one bit each.
    fitting: HashMap<char, Vec<u64>>,
    /// The places that any character fits.
    any: Vec<u64>,
}

impl ShiftAnd {
    fn new(characters: &[Option<char>]) -> Self {
        let mut any = vec![0; characters.len().div_ceil(64)];
        for (place, _) in characters.iter().enumerate().filter(|(_, character)| character.is_none()) {
            set(&mut any, place);
        }
        let mut fitting: HashMap<char, Vec<u64>> = HashMap::new();
        for (place, character) in characters.iter().enumerate() {
            if let Some(character) = character {
                set(fitting.entry(*character).or_insert_with(|| any.clone()), place);
            }
        }
        Self { length: characters.len(), fitting, any }
    }

    fn after<'s>(&self, string: &'s str) -> Option<&'s str> {
        let (word_of_last, bit_of_last) = ((self.length - 1) / 64, 1 << ((self.length - 1) % 64));
        // Bit n is set if the last n + 1 characters fit the first n + 1 of the sequence.
        let mut state = vec![0_u64; self.any.len()];
        let mut characters = string.chars();
        while let Some(character) = characters.next() {
            let fitting = self.fitting.get(&character).unwrap_or(&self.any);
            let mut carried = 1;
            for (word, fitting) in state.iter_mut().zip(fitting) {
                let next = *word >> 63;
                *word = (*word << 1 | carried) & fitting;
                carried = next;
            }
            if state.get(word_of_last).is_some_and(|word| word & bit_of_last != 0) {
                return Some(characters.as_str());
            }
        }
        None
    }
}

fn set(bits: &mut [u64], place: usize) {
    if let Some(word) = bits.get_mut(place / 64) {
        *word |= 1 << (place % 64);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample;
    use proptest::test_runner::Config;

    use super::*;
    use crate::test_seed::seeded;

    const CHARACTERS: [char; 4] = ['a', 'b', 'ä', '日'];

    /// A definition that is obviously right: every way to take characters for a run is tried.
    fn oracle(pattern: &[Symbol], string: &[char]) -> bool {
        match (pattern.split_first(), string.split_first()) {
            (None, _) => string.is_empty(),
            (Some((Symbol::AnyRun, rest)), _) => (0..=string.len()).any(|taken| oracle(rest, &string[taken..])),
            (Some((Symbol::AnyCharacter, rest)), Some((_, others))) => oracle(rest, others),
            (Some((Symbol::Literal(expected), rest)), Some((found, others))) => {
                expected == found && oracle(rest, others)
            }
            (Some(_), None) => false,
        }
    }

    fn symbols() -> impl Strategy<Value = Vec<Symbol>> {
        let character = sample::select(CHARACTERS.as_slice()).prop_map(Symbol::Literal);
        let symbol = prop_oneof![5 => character, 2 => Just(Symbol::AnyCharacter), 2 => Just(Symbol::AnyRun)];
        vec(symbol, 0..10)
    }

    proptest! {
        #![proptest_config(Config { cases: 4_000, ..seeded() })]

        #[test]
        fn a_pattern_matches_what_the_definition_says(
            pattern in symbols(),
            string in vec(sample::select(CHARACTERS.as_slice()), 0..14),
        ) {
            let expected = oracle(&pattern, &string);
            let string: String = string.into_iter().collect();
            prop_assert_eq!(Wildcard::new(pattern).matches(&string), expected);
        }
    }

    #[test]
    fn parts_with_gaps_may_be_longer_than_a_machine_word() {
        for length in [63, 64, 65, 128, 1_000] {
            let mut pattern = vec![Symbol::AnyRun, Symbol::AnyCharacter];
            pattern.extend(std::iter::repeat_n(Symbol::Literal('a'), length));
            pattern.push(Symbol::AnyRun);
            let wildcard = Wildcard::new(pattern);
            let run = "a".repeat(length);
            assert!(wildcard.matches(&format!("bb{run}")), "{length}");
            assert!(!wildcard.matches(&run), "{length}");
            assert!(!wildcard.matches(&format!("b{}b{}", &run[1..], &run[1..])), "{length}");
        }
    }

    /// Each of these takes hours if every place is tried again after a mismatch.
    #[test]
    fn no_pattern_takes_longer_than_in_proportion_to_the_string() {
        let string = "a".repeat(1 << 20);
        let runs = |part: &[Symbol], count: usize| {
            let mut pattern: Vec<Symbol> =
                std::iter::repeat_n(part, count).flat_map(|part| [&[Symbol::AnyRun], part].concat()).collect();
            pattern.extend([Symbol::AnyRun, Symbol::Literal('b')]);
            Wildcard::new(pattern)
        };
        let a = Symbol::Literal('a');
        assert!(!runs(&[a], 500).matches(&string));
        assert!(!runs(&[a, Symbol::AnyCharacter], 300).matches(&string));
        assert!(
            !runs(&[&[Symbol::AnyCharacter], [a; 900].as_slice(), &[Symbol::Literal('b')]].concat(), 1)
                .matches(&string)
        );
    }
}
