//! The outer form of page tokens, the same for all lists; what a token holds is up to its list.
//!
//! Tokens are deterministic, because clients compare them, and not secret: they hold nothing but the position of the last
//! item of a page and the list that it belongs to.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A token has to fit into a URL.
const MAX_BYTES: usize = 16 * 1024;

/// The reason why a page token was refused; its text is the end of an error message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageTokenProblem {
    #[error("it was not issued by this server; pass the token of the previous page unchanged")]
    Malformed,
    #[error(
        "it belongs to another list, order or filter; start again without a token, or repeat the request that returned it"
    )]
    OtherList,
    #[error("its last item is gone; start again without a token")]
    ItemGone,
}

pub fn encode_page_token(content: &str) -> String {
    URL_SAFE_NO_PAD.encode(content)
}

/// The content of a token; clients may have added the padding of base64.
pub fn decode_page_token(token: &str) -> Result<String, PageTokenProblem> {
    if token.len() > MAX_BYTES {
        return Err(PageTokenProblem::Malformed);
    }
    let bytes = URL_SAFE_NO_PAD.decode(token.trim_end_matches('=')).map_err(|_| PageTokenProblem::Malformed)?;
    String::from_utf8(bytes).map_err(|_| PageTokenProblem::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_decodes_to_its_content_with_and_without_padding() {
        let token = encode_page_token("1:2:é");
        assert_eq!(decode_page_token(&token).unwrap(), "1:2:é");
        assert_eq!(decode_page_token(&format!("{token}==")).unwrap(), "1:2:é");
    }

    #[test]
    fn strings_that_are_no_tokens_are_refused() {
        let too_long = "a".repeat(MAX_BYTES + 4);
        for token in ["%", "a b", "_w", &too_long] {
            assert_eq!(decode_page_token(token), Err(PageTokenProblem::Malformed), "{token}");
        }
    }
}
