//! When a failed request is repeated.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, UNIX_EPOCH};

use http::HeaderMap;
use http::header::RETRY_AFTER;
use model_registry_base::Clock;

/// Back-off with jitter. A pause that the server requests is respected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in a row without any progress, the first one included.
    pub attempts: u32,
    /// The pause before the first repetition; it doubles with each further one.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// A server that requests a longer pause has failed.
    pub longest_requested: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 8,
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(20),
            longest_requested: Duration::from_mins(5),
        }
    }
}

impl Retry {
    /// The pause after `failures` attempts in a row; `None` after the last attempt.
    pub(crate) fn pause(&self, failures: u32, requested: Option<Duration>) -> Option<Duration> {
        if failures >= self.attempts {
            return None;
        }
        let doubled = self.first_pause.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(self.longest_pause);
        // Jitter, so that clients that failed together do not repeat together.
        let random = u32::try_from(RandomState::new().hash_one(failures) % 1_000).unwrap_or_default();
        let pause = doubled.mul_f64(0.5 + f64::from(random) / 2_000.0);
        match requested {
            Some(requested) if requested > self.longest_requested => None,
            Some(requested) => Some(requested + pause.min(Duration::from_secs(1))),
            None => Some(pause),
        }
    }
}

/// The pause that a response requests: a number of seconds, or a date.
pub(crate) fn requested_pause(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let now = UNIX_EPOCH + Duration::from_millis(u64::try_from(Clock::system().now()).unwrap_or_default());
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_its_limit_and_attempts_end() {
        let retry = Retry { attempts: 20, ..Retry::default() };
        let first = retry.pause(1, None).unwrap();
        assert!((Duration::from_millis(100)..=Duration::from_millis(200)).contains(&first), "{first:?}");
        assert!(retry.pause(2, None).unwrap() >= Duration::from_millis(200));
        assert!(retry.pause(19, None).unwrap() <= retry.longest_pause);
        assert_eq!(retry.pause(20, None), None);
    }

    #[test]
    fn a_requested_pause_is_respected_up_to_its_limit() {
        let retry = Retry::default();
        let minute = Duration::from_mins(1);
        assert!(retry.pause(1, Some(minute)).unwrap() >= minute);
        assert_eq!(retry.pause(1, Some(Duration::from_hours(1))), None);
    }

    #[test]
    fn a_requested_pause_is_a_number_or_a_date() {
        let pause = |value: &str| requested_pause(&HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]));
        assert_eq!(pause("7"), Some(Duration::from_secs(7)));
        assert_eq!(pause("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert!(pause("Fri, 31 Dec 2100 23:59:59 GMT").unwrap() > Duration::from_hours(1));
        assert_eq!(pause("soon"), None);
        assert_eq!(requested_pause(&HeaderMap::new()), None);
    }
}
