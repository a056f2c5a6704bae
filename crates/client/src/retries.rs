//! When and how often a request is sent again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// How often a request is sent again, and after what time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// Further attempts at most; 0 sends everything once.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles with each further one.
    pub first_wait: Duration,
    /// The longest wait. A server that asks for a longer one with `Retry-After` is not asked again.
    pub longest_wait: Duration,
    /// Whether creations are sent again as well.
    pub creations: Creations,
}

/// Whether creations are sent again. A server that does not know `Idempotency-Key` could do twice what is sent twice,
/// when it was the first answer that got lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Creations {
    /// Never.
    Once,
    /// Where nothing has arrived, and where the server knows `Idempotency-Key`. It is asked for its OpenAPI document
    /// when that matters for the first time; a server without one is not trusted.
    #[default]
    WhereSafe,
    /// Always: for a server that knows `Idempotency-Key` behind something that hides its OpenAPI document.
    Always,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            attempts: 3,
            first_wait: Duration::from_millis(100),
            longest_wait: Duration::from_secs(10),
            creations: Creations::WhereSafe,
        }
    }
}

impl Retries {
    /// Sends everything once.
    pub const fn none() -> Self {
        Self { attempts: 0, first_wait: Duration::ZERO, longest_wait: Duration::ZERO, creations: Creations::Once }
    }

    /// The wait before the next attempt; `None` when there is to be none.
    pub(crate) fn wait(&self, attempts_made: u32, retry_after: Option<Duration>) -> Option<Duration> {
        if attempts_made > self.attempts {
            return None;
        }
        if let Some(asked) = retry_after {
            return (asked <= self.longest_wait).then_some(asked);
        }
        let wait = self.first_wait.saturating_mul(1 << (attempts_made - 1).min(16)).min(self.longest_wait);
        // Clients that failed together do not come back together.
        let random = RandomState::new().hash_one(attempts_made) % 1_000;
        Some(wait.mul_f64(0.5 + f64::from(u32::try_from(random).unwrap_or_default()) / 2_000.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_longest_and_end() {
        let retries = Retries { attempts: 20, longest_wait: Duration::from_secs(1), ..Retries::default() };
        let first = retries.wait(1, None).unwrap();
        assert!((Duration::from_millis(50)..=Duration::from_millis(100)).contains(&first), "{first:?}");
        assert!(retries.wait(20, None).unwrap() <= Duration::from_secs(1));
        assert_eq!(retries.wait(21, None), None);
        assert_eq!(Retries::none().wait(1, None), None);
    }

    #[test]
    fn a_server_that_asks_for_too_much_is_not_asked_again() {
        let retries = Retries::default();
        assert_eq!(retries.wait(1, Some(Duration::from_secs(5))), Some(Duration::from_secs(5)));
        assert_eq!(retries.wait(1, Some(Duration::from_mins(5))), None);
    }
}
