//! Headers with the rate limit of a hub: the pause after a rejected request, or before one would be rejected.
//!
//! `Retry-After`; `RateLimit` with `RateLimit-Policy` as the hub of Hugging Face sends them (`"api";r=0;t=120` and
//! `"fixed window";"api";q=500;w=300`); the older `RateLimit-Remaining` and `RateLimit-Reset`, with and without `X-`.

use std::time::{Duration, UNIX_EPOCH};

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};

/// Larger values of a reset header are seconds since the epoch, smaller ones a number of seconds.
const EPOCH: u64 = 1_000_000_000;

/// The pause that a response requests. `now` is in seconds since the epoch.
pub(super) fn pause(status: StatusCode, headers: &HeaderMap, now: u64) -> Option<Duration> {
    let is_rejected = status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE;
    let seconds = retry_after(headers, now)
        .or_else(|| from_windows(headers, is_rejected))
        .or_else(|| from_counters(headers, is_rejected, now))?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

/// A number of seconds, or a date.
fn retry_after(headers: &HeaderMap, now: u64) -> Option<u64> {
    number(headers, RETRY_AFTER.as_str()).or_else(|| {
        let date = httpdate::parse_http_date(headers.get(RETRY_AFTER)?.to_str().ok()?).ok()?;
        Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs().saturating_sub(now))
    })
}

/// The longest of the used-up windows.
fn from_windows(headers: &HeaderMap, is_rejected: bool) -> Option<u64> {
    let items = items(headers, "ratelimit");
    let used_up = items.iter().filter(|item| parameter(item, 'r').map_or(is_rejected, |remaining| remaining == 0));
    let window = || longest_window(headers);
    used_up.filter_map(|item| parameter(item, 't').or_else(window)).max()
}

/// Length of the longest window: an upper bound where a hub does not send the remaining time.
fn longest_window(headers: &HeaderMap) -> Option<u64> {
    items(headers, "ratelimit-policy").iter().filter_map(|item| parameter(item, 'w')).max()
}

fn from_counters(headers: &HeaderMap, is_rejected: bool, now: u64) -> Option<u64> {
    ["ratelimit", "x-ratelimit"].into_iter().find_map(|prefix| {
        let remaining = number(headers, &format!("{prefix}-remaining"));
        if !remaining.map_or(is_rejected, |remaining| remaining == 0) {
            return None;
        }
        let reset = number(headers, &format!("{prefix}-reset"))?;
        Some(if reset > EPOCH { reset.saturating_sub(now) } else { reset })
    })
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// The members of a list header, which may be sent several times.
fn items(headers: &HeaderMap, name: &str) -> Vec<String> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|item| item.trim().to_owned()).collect()
}

fn parameter(item: &str, name: char) -> Option<u64> {
    item.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn seconds(status: u16, headers: &[(&'static str, &'static str)]) -> Option<u64> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        pause(StatusCode::from_u16(status).unwrap(), &headers, 2_000_000_000).map(|pause| pause.as_secs())
    }

    #[test]
    fn the_pause_is_parsed_from_each_form_of_the_headers() {
        for (status, headers, expected) in [
            (429, vec![("retry-after", "7")], Some(7)),
            (503, vec![("retry-after", "8")], Some(8)),
            // 12 seconds after the time of the test, and an hour before.
            (429, vec![("retry-after", "Wed, 18 May 2033 03:33:32 GMT")], Some(12)),
            (429, vec![("retry-after", "Wed, 18 May 2033 02:33:20 GMT")], None),
            (200, vec![], None),
            (429, vec![], None),
            // Nothing remains: the next request would be rejected.
            (200, vec![("ratelimit", "\"api\";r=0;t=12")], Some(12)),
            (200, vec![("ratelimit", "\"api\";r=3;t=12")], None),
            (200, vec![("ratelimit", "\"api\";r=3;t=12, \"pages\"; r=0; t=5")], Some(5)),
            (
                200,
                vec![("ratelimit", "\"api\";r=0"), ("ratelimit-policy", "\"fixed window\";\"api\";q=500;w=300")],
                Some(300),
            ),
            (429, vec![("ratelimit", "\"api\";t=9")], Some(9)),
            (429, vec![("retry-after", "2"), ("ratelimit", "\"api\";r=0;t=9")], Some(2)),
            (200, vec![("ratelimit-remaining", "0"), ("ratelimit-reset", "8")], Some(8)),
            (200, vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "2000000030")], Some(30)),
            (200, vec![("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "2000000030")], None),
            (429, vec![("x-ratelimit-reset", "4")], Some(4)),
            (429, vec![("x-ratelimit-reset", "1999999999")], None),
            (429, vec![("retry-after", "soon"), ("ratelimit", "nonsense")], None),
        ] {
            assert_eq!(seconds(status, &headers), expected, "{status} {headers:?}");
        }
    }
}
