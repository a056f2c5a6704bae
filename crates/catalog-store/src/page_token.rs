//! Page tokens: the id and the key of the last row of a page, and the list that the token belongs to.

use model_registry_base::{PageTokenProblem, decode_page_token, encode_page_token};

use crate::order::KeyType;

/// The value that a row is ordered by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Key {
    Absent,
    Int(i64),
    Double(f64),
    String(String),
    /// The first characters of a key that is too long for a token: the row with the token's id has the whole key.
    StringPrefix(String),
}

/// Keys are strings of any length, but a token has to fit into a URL. Names are shorter than this many bytes.
const MAX_KEY_BYTES: usize = 4 * 1024;
/// Characters of a longer key that are in the token.
const PREFIX_CHARACTERS: usize = 100;

/// A token is the id, the fingerprint of the list and the key, in base64.
pub(crate) fn encode(key: &Key, id: i64, fingerprint: &str) -> String {
    let key = match key {
        Key::Absent => "n".to_owned(),
        Key::Int(value) => format!("i{value}"),
        // Bits, so that exactly the same number is decoded.
        Key::Double(value) => format!("d{:x}", value.to_bits()),
        Key::String(value) if value.len() > MAX_KEY_BYTES => {
            format!("l{}", value.chars().take(PREFIX_CHARACTERS).collect::<String>())
        }
        Key::String(value) => format!("t{value}"),
        Key::StringPrefix(prefix) => format!("l{prefix}"),
    };
    encode_page_token(&format!("{id}:{fingerprint}:{key}"))
}

/// Without a fingerprint, tokens of all lists are accepted.
pub(crate) fn decode(
    token: &str,
    fingerprint: Option<&str>,
    key_type: KeyType,
) -> Result<(Key, i64), PageTokenProblem> {
    const MALFORMED: PageTokenProblem = PageTokenProblem::Malformed;
    let content = decode_page_token(token)?;
    let mut parts = content.splitn(3, ':');
    let id = parts.next().and_then(|part| part.parse().ok()).ok_or(MALFORMED)?;
    let (Some(found), Some(key)) = (parts.next(), parts.next()) else { return Err(MALFORMED) };
    if fingerprint.is_some_and(|fingerprint| found != fingerprint) {
        return Err(PageTokenProblem::OtherList);
    }
    let key = match (key.split_at_checked(1), key_type) {
        (Some(("n", "")), _) => Key::Absent,
        (Some(("i", value)), KeyType::Int) => Key::Int(value.parse().map_err(|_| MALFORMED)?),
        (Some(("d", value)), KeyType::Double) => {
            Key::Double(f64::from_bits(u64::from_str_radix(value, 16).map_err(|_| MALFORMED)?))
        }
        (Some(("t", value)), KeyType::String) => Key::String(value.to_owned()),
        (Some(("l", value)), KeyType::String) => Key::StringPrefix(value.to_owned()),
        _ => return Err(MALFORMED),
    };
    Ok((key, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_decoded_to_its_key_and_rejected_for_another_list() {
        for (key, key_type) in [
            (Key::Absent, KeyType::Double),
            (Key::Int(-7), KeyType::Int),
            (Key::Double(0.1 + 0.2), KeyType::Double),
            (Key::String("a:b:\u{1}c".to_owned()), KeyType::String),
        ] {
            let token = encode(&key, 42, "list");
            assert_eq!(decode(&token, Some("list"), key_type).unwrap(), (key, 42));
            assert_eq!(decode(&token, Some("other"), key_type), Err(PageTokenProblem::OtherList));
            assert!(decode(&token, None, key_type).is_ok());
        }
    }

    #[test]
    fn a_token_that_is_damaged_or_has_a_key_of_another_type_is_rejected() {
        let int = encode(&Key::Int(1), 1, "list");
        for token in [int.as_str(), &int[1..], "Zm9v", "", "%"] {
            assert_eq!(decode(token, None, KeyType::String), Err(PageTokenProblem::Malformed), "{token}");
        }
    }

    #[test]
    fn the_token_of_a_long_key_is_short() {
        let token = encode(&Key::String("é".repeat(20_000)), 7, "list");
        assert!(token.len() < 1_000, "{}", token.len());
        let (key, id) = decode(&token, Some("list"), KeyType::String).unwrap();
        assert_eq!((&key, id), (&Key::StringPrefix("é".repeat(PREFIX_CHARACTERS)), 7));
        assert_eq!(encode(&key, id, "list"), token);
    }
}
