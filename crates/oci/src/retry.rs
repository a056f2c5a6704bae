//! Back-off between attempts.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

/// How often failed requests are repeated, and after which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Maximum number of attempts after the first one; 0 disables them.
    pub retries: u32,
    /// The back-off before the first retry; it doubles with each further one.
    pub first_wait: Duration,
    /// The longest back-off.
    pub longest_wait: Duration,
    /// The longest `Retry-After` that is honoured; a longer one ends the attempts.
    pub longest_requested: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: 6,
            first_wait: Duration::from_millis(250),
            longest_wait: Duration::from_secs(30),
            longest_requested: Duration::from_mins(5),
        }
    }
}

impl RetryPolicy {
    /// The time before the next attempt; `None` if there is none.
    pub(crate) fn wait(&self, failed_attempts: u32, requested: Option<Duration>) -> Option<Duration> {
        if failed_attempts > self.retries {
            return None;
        }
        if let Some(requested) = requested {
            return (requested <= self.longest_requested).then_some(requested);
        }
        let doublings = failed_attempts.saturating_sub(1).min(16);
        let wait = self.first_wait.saturating_mul(1 << doublings).min(self.longest_wait);
        // Jitter, so that clients that failed together do not return together.
        let random = RandomState::new().hash_one(failed_attempts) % 1_000;
        Some(wait.mul_f64(0.5 + f64::from(u32::try_from(random).unwrap_or_default()) / 2_000.0))
    }
}

/// Parses `Retry-After`: seconds, or a date, which is compared with the time of the same server.
pub(crate) fn retry_after(value: &str, now: Option<SystemTime>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now?).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_back_off_doubles_up_to_its_limit_and_attempts_end() {
        let policy = RetryPolicy { retries: 20, longest_wait: Duration::from_secs(1), ..RetryPolicy::default() };
        let first = policy.wait(1, None).unwrap();
        assert!((Duration::from_millis(125)..=Duration::from_millis(250)).contains(&first), "{first:?}");
        assert!(policy.wait(20, None).unwrap() <= Duration::from_secs(1));
        assert_eq!(policy.wait(21, None), None);
        assert_eq!(RetryPolicy { retries: 0, ..policy }.wait(1, None), None);
    }

    #[test]
    fn a_requested_time_is_kept_unless_it_is_too_long() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.wait(1, Some(Duration::from_secs(7))), Some(Duration::from_secs(7)));
        assert_eq!(policy.wait(1, Some(Duration::from_hours(1))), None);
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").ok();
        assert_eq!(retry_after("120", now), Some(Duration::from_mins(2)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:50:07 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:50:07 GMT", None), None);
    }
}
