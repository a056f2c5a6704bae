//! Times in UTC as strings. The calendar arithmetic is jiff's.

use jiff::Timestamp;
use jiff::civil::Date;

/// Formats seconds since the Unix epoch as `2026-01-31T23:59:59Z` (RFC 3339).
pub fn rfc3339(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// Parses a time in RFC 3339, such as `2026-01-31T23:59:59.25Z`, into milliseconds since the Unix epoch.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    text.parse().ok().map(Timestamp::as_millisecond)
}

/// Formats milliseconds since the Unix epoch as `2026-01-31 23:59:59`; a time outside of the calendar stays a number.
pub fn date_and_time(millis: i64) -> String {
    let time = Timestamp::from_millisecond(millis);
    time.map_or_else(|_| millis.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// Parses a day, `2027-04-29`, and formats its first second in UTC for headers of HTTP: `Thu, 29 Apr 2027 00:00:00 GMT`.
pub fn http_date_of_day(text: &str) -> Option<String> {
    // jiff accepts other forms of ISO 8601 as well.
    let is_usual_form = text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let date: Date = text.parse().ok().filter(|_| is_usual_form)?;
    Some(date.strftime("%a, %d %b %Y 00:00:00 GMT").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_rfc_3339_across_leap_years() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(rfc3339(1_798_761_599), "2026-12-31T23:59:59Z");
    }

    #[test]
    fn rfc_3339_becomes_milliseconds() {
        assert_eq!(parse_rfc3339("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse_rfc3339("2024-02-29T12:30:15.250Z"), Some(1_709_209_815_250));
        assert_eq!(parse_rfc3339("2025-01-01T01:00:00+01:00"), Some(1_735_689_600_000));
        for wrong in ["", "yesterday", "2025-01-01", "2025-01-01T00:00:00"] {
            assert_eq!(parse_rfc3339(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_day_has_four_two_and_two_digits_and_exists() {
        assert_eq!(http_date_of_day("2027-04-29").as_deref(), Some("Thu, 29 Apr 2027 00:00:00 GMT"));
        for wrong in
            ["", "2027-13-01", "2027-4-29", "2027-02-29", "29-04-2027", "2027-04-29T00:00:00Z", "20270429", "soon"]
        {
            assert_eq!(http_date_of_day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn milliseconds_become_a_date_and_a_time() {
        for (millis, expected) in [
            (0, "1970-01-01 00:00:00"),
            (-1, "1969-12-31 23:59:59"),
            (951_782_400_000, "2000-02-29 00:00:00"),
            (1_700_000_000_000, "2023-11-14 22:13:20"),
            (4_107_542_399_999, "2100-02-28 23:59:59"),
            (i64::MAX, "9223372036854775807"),
        ] {
            assert_eq!(date_and_time(millis), expected);
        }
    }
}
