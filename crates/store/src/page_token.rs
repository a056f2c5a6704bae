//! Page tokens: the last row of a page (the cursor) and a fingerprint of the list that the token belongs to.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model_registry_base::{PageTokenProblem, decode_page_token, digest_of_parts, encode_page_token};

/// The last row of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) key: i64,
    pub(crate) id: i64,
}

/// Digest of everything that determines the rows of a list and their order.
pub fn fingerprint(parts: &[&str]) -> String {
    let digest = digest_of_parts(parts.iter().map(|part| part.as_bytes()));
    URL_SAFE_NO_PAD.encode(&digest[..9])
}

pub(crate) fn encode(cursor: Cursor, fingerprint: &str) -> String {
    encode_page_token(&format!("{}:{}:{fingerprint}", cursor.key, cursor.id))
}

pub(crate) fn decode(token: &str, fingerprint: &str) -> Result<Cursor, PageTokenProblem> {
    let content = decode_page_token(token)?;
    let mut parts = content.splitn(3, ':');
    let mut number = || parts.next().and_then(|part| part.parse().ok()).ok_or(PageTokenProblem::Malformed);
    let cursor = Cursor { key: number()?, id: number()? };
    match parts.next() {
        Some(found) if found == fingerprint => Ok(cursor),
        Some(_) => Err(PageTokenProblem::OtherList),
        None => Err(PageTokenProblem::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_support::seeded;

    proptest! {
        #![proptest_config(seeded())]

        #[test]
        fn a_token_decodes_to_its_cursor(key: i64, id: i64, list: String) {
            let fingerprint = fingerprint(&[&list]);
            let cursor = Cursor { key, id };
            prop_assert_eq!(decode(&encode(cursor, &fingerprint), &fingerprint).unwrap(), cursor);
        }

        #[test]
        fn any_other_string_is_rejected(token: String) {
            prop_assert!(decode(&token, &fingerprint(&["list"])).is_err());
        }
    }

    #[test]
    fn a_token_of_another_list_is_rejected() {
        let token = encode(Cursor { key: 1, id: 1 }, &fingerprint(&["a", "b"]));
        assert_eq!(decode(&token, &fingerprint(&["ab", ""])), Err(PageTokenProblem::OtherList));
    }
}
