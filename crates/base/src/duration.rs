//! The one syntax for durations: settings, the command line and the sources file of the catalog.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// Why a string is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDuration {
    #[error("`{0}` is not a duration: write numbers with a unit (ms, s, m, h, d), such as 500ms, 30s, 1h30m or 30d")]
    Syntax(String),
    #[error("`{0}` is negative; a duration is zero or more, such as 30s or 1d")]
    Negative(String),
    #[error("`{0}` is too long for a duration; write a shorter one, such as 30d")]
    TooLong(String),
}

/// Parses `500ms`, `90s`, `1m30s`, `1.5h`, `1d` (24 hours); a number without a unit is in seconds.
///
/// Components may come in any order, as in Go's `time.ParseDuration`, whose syntax existing files use. Months and years
/// are rejected: their length varies.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let trimmed = text.trim();
    if let Ok(seconds) = trimmed.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut total = SignedDuration::ZERO;
    for component in components(trimmed) {
        let span: Span = component.parse().map_err(|_| InvalidDuration::Syntax(text.to_owned()))?;
        let duration = span.to_duration(SpanRelativeTo::days_are_24_hours());
        let duration = duration.map_err(|_| InvalidDuration::Syntax(text.to_owned()))?;
        total = total.checked_add(duration).ok_or_else(|| InvalidDuration::TooLong(text.to_owned()))?;
    }
    Duration::try_from(total).map_err(|_| InvalidDuration::Negative(text.to_owned()))
}

/// Splits `1h30m` into `1h` and `30m`: jiff alone takes components only from the largest unit to the smallest.
fn components(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let starts = (1..bytes.len()).filter(|&at| bytes[at].is_ascii_digit() && bytes[at - 1].is_ascii_lowercase());
    let mut start = 0;
    starts.chain([bytes.len()]).map(move |end| &text[std::mem::replace(&mut start, end)..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_numbers_with_units() {
        for (text, expected) in [
            ("0", Duration::ZERO),
            ("0s", Duration::ZERO),
            ("5", Duration::from_secs(5)),
            ("500ms", Duration::from_millis(500)),
            ("90s", Duration::from_secs(90)),
            ("1m30s", Duration::from_secs(90)),
            ("30s1m", Duration::from_secs(90)),
            ("1h30m", Duration::from_mins(90)),
            ("1.5h", Duration::from_mins(90)),
            ("2 h", Duration::from_hours(2)),
            (" 1h ", Duration::from_hours(1)),
            ("1d", Duration::from_hours(24)),
            ("30d", Duration::from_hours(720)),
            ("1w", Duration::from_hours(168)),
        ] {
            assert_eq!(parse_duration(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn the_error_states_the_mistake_and_an_example() {
        for wrong in ["", "s", "soon", "30x", "1mo", "2y", "1h30", "99999999999999999h", "ü"] {
            assert_eq!(parse_duration(wrong), Err(InvalidDuration::Syntax(wrong.to_owned())), "{wrong}");
        }
        assert_eq!(parse_duration("-1s"), Err(InvalidDuration::Negative("-1s".to_owned())));
        assert_eq!(
            parse_duration("soon").unwrap_err().to_string(),
            "`soon` is not a duration: write numbers with a unit (ms, s, m, h, d), such as 500ms, 30s, 1h30m or 30d"
        );
    }
}
