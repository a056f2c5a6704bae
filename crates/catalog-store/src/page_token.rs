//! Page tokens: the id and the key of the last row of a page, and the list that the token belongs to.

use model_registry_base::{PageTokenProblem, decode_page_token, encode_page_token};

use crate::order::KeyType;

/// The value that a row is ordered by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Key {
    Absent,
    Int(i64),
    Double(f64),
    /// A name, or the first characters of a property: short enough for a token, which has to fit into a URL.
    String(String),
}

/// A token is the id, the fingerprint of the list and the key, in base64.
pub(crate) fn encode(key: &Key, id: i64, fingerprint: &str) -> String {
    let key = match key {
        Key::Absent => "n".to_owned(),
        Key::Int(value) => format!("i{value}"),
        // Bits, so that exactly the same number is decoded.
        Key::Double(value) => format!("d{:x}", value.to_bits()),
        Key::String(value) => format!("t{value}"),
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
}
