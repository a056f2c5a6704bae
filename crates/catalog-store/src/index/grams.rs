//! Which texts may contain a text, without reading them.
//!
//! Each text has a signature of [`BITS`] bits: one for each group of three characters in it. They are kept by bit, as sets of
//! rows, so that a search is one AND for each group of what is looked for; only the texts of the rows that are left are
//! read.
//!
//! What it never does: say that a text contains another. Groups share bits, and a text of many thousand characters has all of
//! them. It loses none either: texts are compared as they are given, folded alike.

use super::rows::Rows;
use super::texts::Texts;

/// 128 bytes a row, with one bit for each group. Of real descriptions of 500 bytes, 0.1 % contain all groups of what none of
/// them contains and 1 % those of a name that one of them does; with half as many bits four times as many. A second bit for
/// each group would help where texts are shorter, and let more pass where they are longer.
const BITS: usize = 1_024;

/// The signatures of the texts of all rows.
pub(super) struct Signatures {
    /// The rows that have each bit.
    bits: Vec<Rows>,
    count: usize,
}

impl Signatures {
    pub(super) fn of(texts: &Texts) -> Self {
        let mut bits = vec![Rows::none(texts.len()); BITS];
        for (row, text) in (0_u32..).zip(texts.iter()) {
            for bit in bits_of(text) {
                if let Some(rows) = bits.get_mut(bit) {
                    rows.add(row);
                }
            }
        }
        Self { bits, count: texts.len() }
    }

    /// The rows whose texts may contain this one: all, if it is shorter than a group.
    pub(super) fn candidates(&self, text: &str) -> Rows {
        let mut wanted: Vec<usize> = bits_of(text).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let with = wanted.into_iter().filter_map(|bit| self.bits.get(bit));
        with.fold(Rows::all(self.count), Rows::and)
    }
}

/// The bits of all groups of three characters.
fn bits_of(text: &str) -> impl Iterator<Item = usize> + '_ {
    let following = |count| text.chars().skip(count).map(u64::from);
    following(0).zip(following(1)).zip(following(2)).map(|((first, second), third)| {
        // A character has 21 bits.
        let group = first | second << 21 | third << 42;
        let spread = group.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let spread = (spread ^ spread >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        usize::try_from(spread >> 32).unwrap_or_default() % BITS
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signatures(texts: &[String]) -> Signatures {
        Signatures::of(&texts.iter().map(String::as_str).collect())
    }

    #[test]
    fn few_texts_are_left_to_be_read() {
        let texts: Vec<String> = (0..1_000).map(|number| format!("the model number {number} answers")).collect();
        let signatures = signatures(&texts);
        let left = |text| signatures.candidates(text).iter().collect::<Vec<_>>();
        assert!(left("nothing of that kind").is_empty());
        assert_eq!(left("number 123 answers"), [123]);
        assert!(left(" 12").len() < 100, "{:?}", left(" 12"));
        assert_eq!(left("answers").len(), 1_000);
    }

    #[test]
    fn what_has_no_group_may_be_anywhere() {
        let texts = ["", "a", "日本語", "日本"].map(str::to_owned);
        let signatures = signatures(&texts);
        for (text, expected) in
            [("", &[0, 1, 2, 3][..]), ("zz", &[0, 1, 2, 3]), ("日本", &[0, 1, 2, 3]), ("日本語", &[2])]
        {
            assert_eq!(signatures.candidates(text).iter().collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
