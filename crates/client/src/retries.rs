//! Retries with exponential back-off and jitter.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Which failed requests are retried, how often, and after which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// Maximum number of retries; 0 disables them.
    pub attempts: u32,
    /// The back-off before the first retry; it doubles with each further one.
    pub first_wait: Duration,
    /// The maximum back-off. A request is not retried if `Retry-After` is longer.
    pub longest_wait: Duration,
    /// No retry starts later than this after the first attempt.
    pub total_time: Duration,
    /// Whether creations are retried.
    pub creations: Creations,
}

/// Whether creations are retried. If the response to the first attempt was lost, a server without support for
/// `Idempotency-Key` creates a second entity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Creations {
    /// Never.
    Once,
    /// If no connection was established, or if the server supports `Idempotency-Key` according to its OpenAPI document,
    /// which is read before the first such retry.
    #[default]
    WhereSafe,
    /// Always: for a server that supports `Idempotency-Key` but whose OpenAPI document cannot be read.
    Always,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            attempts: 3,
            first_wait: Duration::from_millis(100),
            longest_wait: Duration::from_secs(10),
            total_time: Duration::from_secs(20),
            creations: Creations::WhereSafe,
        }
    }
}

impl Retries {
    /// Disables retries.
    pub const fn none() -> Self {
        Self {
            attempts: 0,
            first_wait: Duration::ZERO,
            longest_wait: Duration::ZERO,
            total_time: Duration::ZERO,
            creations: Creations::Once,
        }
    }

    /// The back-off before the next attempt, `elapsed` after the start of the first one; `None` if there is none.
    pub(crate) fn wait(
        &self,
        attempts_made: u32,
        elapsed: Duration,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        let wait = self.back_off(attempts_made, retry_after)?;
        (elapsed.saturating_add(wait) <= self.total_time).then_some(wait)
    }

    fn back_off(&self, attempts_made: u32, retry_after: Option<Duration>) -> Option<Duration> {
        if attempts_made > self.attempts {
            return None;
        }
        if let Some(requested) = retry_after {
            return (requested <= self.longest_wait).then_some(requested);
        }
        let wait = self.first_wait.saturating_mul(1 << (attempts_made - 1).min(16)).min(self.longest_wait);
        // Jitter, so that clients that failed together do not retry together.
        let random = RandomState::new().hash_one(attempts_made) % 1_000;
        Some(wait.mul_f64(0.5 + f64::from(u32::try_from(random).unwrap_or_default()) / 2_000.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_back_off_grows_to_its_limit_and_attempts_end() {
        let retries = Retries { attempts: 20, longest_wait: Duration::from_secs(1), ..Retries::default() };
        let first = retries.wait(1, Duration::ZERO, None).unwrap();
        assert!((Duration::from_millis(50)..=Duration::from_millis(100)).contains(&first), "{first:?}");
        assert!(retries.wait(20, Duration::ZERO, None).unwrap() <= Duration::from_secs(1));
        assert_eq!(retries.wait(21, Duration::ZERO, None), None);
        assert_eq!(Retries::none().wait(1, Duration::ZERO, None), None);
    }

    #[test]
    fn a_retry_after_beyond_the_limit_ends_the_retries() {
        let retries = Retries::default();
        let five = Duration::from_secs(5);
        assert_eq!(retries.wait(1, Duration::ZERO, Some(five)), Some(five));
        assert_eq!(retries.wait(1, Duration::ZERO, Some(Duration::from_mins(5))), None);
    }

    #[test]
    fn no_retry_starts_after_the_total_time() {
        let retries = Retries { total_time: Duration::from_secs(12), ..Retries::default() };
        let five = Some(Duration::from_secs(5));
        assert_eq!(retries.wait(1, Duration::from_secs(7), five), five);
        assert_eq!(retries.wait(1, Duration::from_secs(8), five), None);
        assert_eq!(retries.wait(1, Duration::from_mins(1), None), None);
    }
}
