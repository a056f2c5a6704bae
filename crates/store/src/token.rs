//! Page tokens: where the last page ended, and for which list they were made.
//!
//! Deterministic, because clients compare them; not secret, because they hold nothing but a key and an id.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model_registry_base::digest_of_parts;

use crate::error::{Result, StoreError};

/// The last row of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) key: i64,
    pub(crate) id: i64,
}

const INVALID: StoreError =
    StoreError::PageToken("it was not made by this server; take it from the previous page unchanged");
const OTHER_LIST: StoreError = StoreError::PageToken(
    "it was made for another list, order or filter; start again without a token, or repeat the request that gave it",
);

/// Digest of everything that decides which rows a list has and in which order.
pub fn fingerprint(parts: &[&str]) -> String {
    let digest = digest_of_parts(parts.iter().map(|part| part.as_bytes()));
    URL_SAFE_NO_PAD.encode(&digest[..9])
}

pub(crate) fn encode(cursor: Cursor, fingerprint: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{}:{fingerprint}", cursor.key, cursor.id))
}

pub(crate) fn decode(token: &str, fingerprint: &str) -> Result<Cursor> {
    if token.len() > 200 {
        return Err(INVALID);
    }
    let bytes = URL_SAFE_NO_PAD.decode(token.trim_end_matches('=')).map_err(|_| INVALID)?;
    let text = String::from_utf8(bytes).map_err(|_| INVALID)?;
    let mut parts = text.splitn(3, ':');
    let mut number = || parts.next().and_then(|part| part.parse().ok()).ok_or(INVALID);
    let cursor = Cursor { key: number()?, id: number()? };
    match parts.next() {
        Some(found) if found == fingerprint => Ok(cursor),
        Some(_) => Err(OTHER_LIST),
        None => Err(INVALID),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_gives_back_its_cursor(key: i64, id: i64, list: String) {
            let fingerprint = fingerprint(&[&list]);
            let cursor = Cursor { key, id };
            prop_assert_eq!(decode(&encode(cursor, &fingerprint), &fingerprint).unwrap(), cursor);
        }

        #[test]
        fn any_other_text_is_refused(text: String) {
            prop_assert!(decode(&text, &fingerprint(&["list"])).is_err());
        }
    }

    #[test]
    fn a_token_of_another_list_is_refused() {
        let token = encode(Cursor { key: 1, id: 1 }, &fingerprint(&["a", "b"]));
        assert!(
            matches!(decode(&token, &fingerprint(&["ab", ""])), Err(StoreError::PageToken(message)) if message.contains("another list"))
        );
    }
}
