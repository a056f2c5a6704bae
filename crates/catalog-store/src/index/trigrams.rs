//! A trigram index: which strings may contain another one, without reading them.
//!
//! Each string sets one of [`BITS`] bits for each trigram (group of three characters) in it. The bits are stored by bit, as
//! sets of rows, so a search is one AND for each trigram of what is searched; only the strings of the remaining rows are
//! read.
//!
//! It never decides that a string contains another: trigrams share bits, and a string of many thousand characters has all of
//! them. It never excludes one that does, provided that both were folded alike.

use fixedbitset::FixedBitSet;

use super::strings::Strings;

/// 128 bytes per row, one bit per trigram. Of real descriptions of 500 bytes, 0.1 % have all trigrams of a string that none
/// of them contains, and 1 % those of a name that one of them contains; with half as many bits four times as many. A second
/// bit per trigram would help shorter strings, and let more of the longer ones pass.
const BITS: usize = 1_024;

/// The bits of the strings of all rows.
pub(super) struct TrigramIndex {
    /// The rows that have each bit.
    rows_by_bit: Vec<FixedBitSet>,
    row_count: usize,
}

impl TrigramIndex {
    pub(super) fn new(strings: &Strings) -> Self {
        let row_count = strings.len();
        let mut rows_by_bit = vec![FixedBitSet::with_capacity(row_count); BITS];
        for (row, string) in strings.iter().enumerate() {
            for bit in bits(string) {
                if let Some(rows) = rows_by_bit.get_mut(bit) {
                    rows.insert(row);
                }
            }
        }
        Self { rows_by_bit, row_count }
    }

    /// The rows whose strings may contain this one: all rows if it is shorter than a trigram.
    pub(super) fn candidates(&self, searched: &str) -> FixedBitSet {
        let mut bits: Vec<usize> = bits(searched).collect();
        bits.sort_unstable();
        bits.dedup();
        let mut candidates = FixedBitSet::with_capacity(self.row_count);
        candidates.insert_range(..);
        for rows in bits.into_iter().filter_map(|bit| self.rows_by_bit.get(bit)) {
            candidates.intersect_with(rows);
        }
        candidates
    }
}

/// The bits of all trigrams.
fn bits(string: &str) -> impl Iterator<Item = usize> + '_ {
    let from = |start| string.chars().skip(start).map(u64::from);
    from(0).zip(from(1)).zip(from(2)).map(|((first, second), third)| {
        // A character has 21 bits.
        let trigram = first | second << 21 | third << 42;
        let hash = trigram.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let hash = (hash ^ hash >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        usize::try_from(hash >> 32).unwrap_or_default() % BITS
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(strings: &[String], searched: &str) -> Vec<usize> {
        let index = TrigramIndex::new(&strings.iter().map(String::as_str).collect());
        index.candidates(searched).ones().collect()
    }

    #[test]
    fn few_strings_are_left_to_be_read() {
        let strings: Vec<String> = (0..1_000).map(|number| format!("the model number {number} answers")).collect();
        assert!(candidates(&strings, "nothing of that kind").is_empty());
        assert_eq!(candidates(&strings, "number 123 answers"), [123]);
        let left = candidates(&strings, " 12");
        assert!(left.len() < 100, "{left:?}");
        assert_eq!(candidates(&strings, "answers").len(), 1_000);
    }

    #[test]
    fn every_string_is_a_candidate_for_a_search_shorter_than_a_trigram() {
        let strings = ["", "a", "日本語", "日本"].map(str::to_owned);
        for (searched, expected) in
            [("", &[0, 1, 2, 3][..]), ("zz", &[0, 1, 2, 3]), ("日本", &[0, 1, 2, 3]), ("日本語", &[2])]
        {
            assert_eq!(candidates(&strings, searched), expected, "{searched}");
        }
    }

    #[test]
    fn an_index_without_rows_has_no_candidates() {
        assert!(candidates(&[], "abc").is_empty());
        assert!(candidates(&[], "").is_empty());
    }
}
