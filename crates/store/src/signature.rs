//! What texts the properties of an owner have, in 63 bits.
//!
//! Each row of `property` carries the signature of its owner. A list that walks the owners of one text passes over those
//! whose signature lacks a bit of another text that is asked for, without looking for that text: most of what does not match
//! costs nothing but its place in the index.
//!
//! What it never does: say that something matches. Different texts share bits, and a stored signature may have bits of texts
//! that are gone, so that removing one does not touch the rows of the others.

use crate::property::{Properties, PropertyValue};

/// The sign is left out: MySQL's `&` makes unsigned numbers.
const BITS: u64 = 63;

/// The signature of an owner.
pub(crate) fn of(properties: &Properties) -> i64 {
    properties.iter().fold(0, |signature, ((name, ..), value)| match value {
        PropertyValue::String(text) => signature | of_text(name, text),
        _ => signature,
    })
}

/// The two bits of a text.
pub(crate) fn of_text(name: &str, text: &str) -> i64 {
    let hash = hash(name, text);
    1 << (hash % BITS) | 1 << ((hash >> 32) % BITS)
}

/// FNV-1a, finished by a multiplication that spreads its bits. Stored rows depend on it: another one is a migration.
fn hash(name: &str, text: &str) -> u64 {
    // No text has this byte, so that names and texts cannot run into one another.
    let bytes = name.bytes().chain([0xFF]).chain(text.bytes());
    let hash = bytes
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
    (hash ^ hash >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, text: &str) -> ((String, bool, i16), PropertyValue) {
        ((name.to_owned(), true, 0), PropertyValue::String(text.to_owned()))
    }

    #[test]
    fn a_signature_has_the_bits_of_every_text_and_of_nothing_else() {
        let both =
            Properties::from([text("a", "x"), text("b", "y"), (("n".to_owned(), true, 0), PropertyValue::Int(1))]);
        assert_eq!(of(&both), of_text("a", "x") | of_text("b", "y"));
        assert_ne!(of_text("a", "x"), of_text("ax", ""));
    }

    #[test]
    fn stored_signatures_stay_valid() {
        assert_eq!(of_text("stage", "production"), 1 << 34 | 1 << 31);
        assert!((0..10_000).all(|number| of_text("commit", &number.to_string()) > 0));
    }
}
