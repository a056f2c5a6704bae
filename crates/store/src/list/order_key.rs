//! The values that a list is ordered by, and page tokens that hold one.

use std::cmp::Ordering;

use model_registry_api::SortOrder;
use model_registry_base::{PageTokenProblem, decode_page_token, encode_page_token};

/// Characters of a string that a list is ordered by: those that indexes hold. Strings with the same first characters are ordered
/// by id, so that page tokens stay short.
pub(super) const KEY_CHARACTERS: usize = crate::filter_sql::INDEXED_PREFIX;

/// The value of an entity. Numbers come before strings, and these before booleans.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Key {
    Int(i64),
    /// Never NaN. The largest number of each sign stands for the infinity as well.
    Double(f64),
    /// The first [`KEY_CHARACTERS`].
    String(String),
    Bool(bool),
    /// No value, or NaN: last in both directions.
    Absent,
}

/// The place of an entity in the list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) key: Key,
    pub(crate) id: i64,
}

impl Key {
    /// The order of types.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Int(_) | Self::Double(_) => 0,
            Self::String(_) => 1,
            Self::Bool(_) => 2,
            Self::Absent => 3,
        }
    }

    /// The ascending order.
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(one), Self::Int(other)) => one.cmp(other),
            (Self::Double(one), Self::Double(other)) => one.partial_cmp(other).unwrap_or(Ordering::Equal),
            (Self::Int(one), Self::Double(other)) => compare_numbers(*one, *other),
            (Self::Double(one), Self::Int(other)) => compare_numbers(*other, *one).reverse(),
            (Self::String(one), Self::String(other)) => one.cmp(other),
            (Self::Bool(one), Self::Bool(other)) => one.cmp(other),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

/// Compares an integer with a number exactly, although not every integer is a double.
pub(super) fn compare_numbers(integer: i64, number: f64) -> Ordering {
    #[expect(clippy::cast_precision_loss, reason = "2^63 is exact")]
    const BEYOND: f64 = i64::MAX as f64;
    if number >= BEYOND {
        return Ordering::Less;
    }
    if number < -BEYOND {
        return Ordering::Greater;
    }
    let whole = number.floor();
    #[expect(clippy::cast_possible_truncation, reason = "in the range of 64 bits")]
    let compared = integer.cmp(&(whole as i64));
    if compared.is_eq() && whole < number { Ordering::Less } else { compared }
}

impl Place {
    /// The order of the list.
    pub(super) fn compare(&self, other: &Self, sort_order: SortOrder) -> Ordering {
        let in_direction = |ordering: Ordering| match sort_order {
            SortOrder::Ascending => ordering,
            SortOrder::Descending => ordering.reverse(),
        };
        let keys = match (&self.key, &other.key) {
            (Key::Absent, _) | (_, Key::Absent) => self.key.compare(&other.key),
            (one, other) => in_direction(one.compare(other)),
        };
        keys.then_with(|| in_direction(self.id.cmp(&other.id)))
    }

    /// The token begins like that of a list by id or time, so that each is recognised as a token of another list.
    pub(super) fn token(&self, fingerprint: &str) -> String {
        let key = match &self.key {
            Key::Absent => "n".to_owned(),
            Key::Int(value) => format!("i{value}"),
            // Bits, so that exactly the same number is decoded.
            Key::Double(value) => format!("d{:x}", value.to_bits()),
            Key::Bool(value) => format!("b{value}"),
            Key::String(value) => format!("t{value}"),
        };
        encode_page_token(&format!("0:{}:{fingerprint}:{key}", self.id))
    }

    pub(super) fn of_token(token: &str, fingerprint: &str) -> Result<Self, PageTokenProblem> {
        const MALFORMED: PageTokenProblem = PageTokenProblem::Malformed;
        let content = decode_page_token(token)?;
        let mut parts = content.splitn(4, ':').skip(1);
        let id = parts.next().and_then(|part| part.parse().ok()).ok_or(MALFORMED)?;
        if parts.next().ok_or(MALFORMED)? != fingerprint {
            return Err(PageTokenProblem::OtherList);
        }
        let key = parts.next().ok_or(MALFORMED)?;
        let key = match key.split_at_checked(1) {
            Some(("n", "")) => Key::Absent,
            Some(("i", value)) => Key::Int(value.parse().map_err(|_| MALFORMED)?),
            Some(("d", value)) => {
                let value = f64::from_bits(u64::from_str_radix(value, 16).map_err(|_| MALFORMED)?);
                if !value.is_finite() {
                    return Err(MALFORMED);
                }
                Key::Double(value)
            }
            Some(("b", value)) => Key::Bool(value.parse().map_err(|_| MALFORMED)?),
            Some(("t", value)) if value.chars().count() <= KEY_CHARACTERS => Key::String(value.to_owned()),
            _ => return Err(MALFORMED),
        };
        Ok(Self { key, id })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::page_token::{self, Cursor};
    use crate::test_support::seeded;

    fn keys() -> impl Strategy<Value = Key> {
        prop_oneof![
            any::<i64>().prop_map(Key::Int),
            (-3_i64..3).prop_map(Key::Int),
            any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(Key::Double),
            (-6_i32..6).prop_map(|half| Key::Double(f64::from(half) / 2.0)),
            ".{0,20}".prop_map(Key::String),
            any::<bool>().prop_map(Key::Bool),
            Just(Key::Absent),
        ]
    }

    fn places() -> impl Strategy<Value = Place> {
        (keys(), 0..5_i64).prop_map(|(key, id)| Place { key, id })
    }

    proptest! {
        #![proptest_config(seeded())]

        #[test]
        fn a_token_is_decoded_to_its_place(place in places()) {
            prop_assert_eq!(Place::of_token(&place.token("list"), "list").unwrap(), place);
        }

        #[test]
        fn the_order_is_total_and_values_precede_their_absence(one in places(), two in places(), three in places()) {
            for sort_order in [SortOrder::Ascending, SortOrder::Descending] {
                let compare = |one: &Place, two: &Place| one.compare(two, sort_order);
                prop_assert_eq!(compare(&one, &two), compare(&two, &one).reverse());
                if compare(&one, &two).is_le() && compare(&two, &three).is_le() {
                    prop_assert!(compare(&one, &three).is_le());
                }
                if one.key == Key::Absent && two.key != Key::Absent {
                    prop_assert!(compare(&one, &two).is_gt());
                }
            }
        }
    }

    #[test]
    fn integers_and_doubles_compare_exactly() {
        let most = i64::MAX;
        for (integer, number, expected) in [
            (1, 1.0, Ordering::Equal),
            (1, 1.5, Ordering::Less),
            (-1, -1.5, Ordering::Greater),
            ((1 << 53) + 1, 9_007_199_254_740_992.0, Ordering::Greater),
            (most, 9.223_372_036_854_776e18, Ordering::Less),
            (i64::MIN, -9.223_372_036_854_776e18, Ordering::Equal),
            (0, f64::MAX, Ordering::Less),
            (0, f64::MIN, Ordering::Greater),
            (0, -0.0, Ordering::Equal),
        ] {
            assert_eq!(compare_numbers(integer, number), expected, "{integer} {number}");
        }
    }

    #[test]
    fn damaged_tokens_and_those_of_other_lists_are_rejected() {
        let place = |key| Place { key, id: 7 };
        let token = place(Key::Int(1)).token("list");
        assert_eq!(Place::of_token(&token, "other"), Err(PageTokenProblem::OtherList));
        let by_id = page_token::encode(Cursor { key: 7, id: 7 }, "other");
        assert_eq!(Place::of_token(&by_id, "list"), Err(PageTokenProblem::OtherList));
        assert_eq!(page_token::decode(&token, "other"), Err(PageTokenProblem::OtherList));
        let long = place(Key::String("x".repeat(KEY_CHARACTERS + 1))).token("list");
        for wrong in [
            token.as_str(),
            &token[1..],
            "",
            "%",
            "Zm9v",
            &long,
            &place(Key::Double(f64::NAN)).token("list"),
            &encode_page_token("0:7:list:x"),
            &encode_page_token("0:7:list:b2"),
            &encode_page_token("0:7:list"),
        ] {
            let expected = if wrong == token { Ok(place(Key::Int(1))) } else { Err(PageTokenProblem::Malformed) };
            assert_eq!(Place::of_token(wrong, "list"), expected, "{wrong}");
        }
    }

    #[test]
    fn tokens_of_the_longest_strings_fit_into_a_url() {
        let longest = Place { key: Key::String("\u{10ffff}".repeat(KEY_CHARACTERS)), id: i64::MAX };
        assert!(longest.token("123456789012").len() < 1_500);
    }
}
