//! Messages of limited length.

use std::borrow::Cow;

/// The longest message about an error, in bytes.
pub const LONGEST_MESSAGE: usize = 4096;

/// The message, cut to [`LONGEST_MESSAGE`] with a remark about what was left out: messages quote what files and clients contain.
pub fn excerpt(message: &str) -> Cow<'_, str> {
    if message.len() <= LONGEST_MESSAGE {
        return Cow::Borrowed(message);
    }
    // Room for the remark.
    let kept = &message[..message.floor_char_boundary(LONGEST_MESSAGE - 40)];
    Cow::Owned(format!("{kept}… ({} more bytes)", message.len() - kept.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_at_a_character_and_says_how_much_was_left_out() {
        assert_eq!(excerpt("short"), "short");
        let whole = "x".repeat(LONGEST_MESSAGE);
        assert_eq!(excerpt(&whole), whole);
        for character in ["x", "é", "日", "😀"] {
            let message = format!("a{}", character.repeat(LONGEST_MESSAGE));
            let cut = excerpt(&message);
            assert!(cut.len() <= LONGEST_MESSAGE, "{}", cut.len());
            let (kept, rest) = cut.split_once('…').unwrap();
            assert!(message.starts_with(kept));
            assert_eq!(rest, format!(" ({} more bytes)", message.len() - kept.len()));
        }
    }
}
