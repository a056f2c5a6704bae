//! Ids of entities in text: decimal numbers in their only form.

/// Parses an id. Only its canonical form is accepted, so that an entity has one address: `01`, `+1` and `-0` are not ids.
pub fn parse_id(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_canonical = !digits.starts_with(['+', '0']) || text == "0";
    text.parse().ok().filter(|_| is_canonical)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_of_an_id_is_accepted() {
        for (text, id) in [("0", 0), ("1", 1), ("10", 10), ("-7", -7), ("9223372036854775807", i64::MAX)] {
            assert_eq!(parse_id(text), Some(id));
        }
        for text in ["", "01", "+1", "-0", "00", "-01", "-+1", " 1", "1 ", "1.0", "0x1", "١", "9223372036854775808"] {
            assert_eq!(parse_id(text), None, "{text:?}");
        }
    }
}
