//! Exponential back-off with full jitter: the pauses between the attempts of a transaction that lost against others.
//!
//! Full jitter draws each pause evenly between zero and a limit that doubles with every attempt. Contenders that lost
//! together, in one process or in several, therefore try again at different times instead of colliding again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The limit of the first pause.
const FIRST: Duration = Duration::from_millis(2);
/// The limit of every later pause at most.
const LONGEST: Duration = Duration::from_millis(80);

/// The pauses of one retried transaction.
pub(crate) struct Backoff {
    limit: Duration,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { limit: FIRST }
    }

    /// Returns the next pause.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.limit.mul_f64(random_fraction());
        self.limit = (self.limit * 2).min(LONGEST);
        pause
    }
}

/// An evenly distributed number from 0 to 1. The standard library gives every `RandomState` keys of its own, which are
/// random for each thread: good enough to spread retries, and no further dependency.
fn random_fraction() -> f64 {
    let random = RandomState::new().hash_one(());
    let bits = u32::try_from(random >> 32).unwrap_or(u32::MAX);
    f64::from(bits) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(count: usize) -> Vec<Duration> {
        let mut backoff = Backoff::new();
        (0..count).map(|_| backoff.pause()).collect()
    }

    #[test]
    fn pauses_stay_below_a_limit_that_doubles() {
        for _ in 0..50 {
            let mut limit = FIRST;
            for pause in pauses(12) {
                assert!(pause <= limit, "{pause:?} > {limit:?}");
                limit = (limit * 2).min(LONGEST);
            }
            assert_eq!(limit, LONGEST);
        }
    }

    #[test]
    fn contenders_in_one_process_do_not_pause_in_step() {
        let contenders: Vec<_> = (0..20).map(|_| pauses(10)).collect();
        for attempt in 0..10 {
            let mut at_once: Vec<_> = contenders.iter().map(|pauses| pauses[attempt]).collect();
            at_once.sort();
            at_once.dedup();
            assert!(at_once.len() > 15, "attempt {attempt}: {at_once:?}");
        }
    }

    #[test]
    fn the_whole_range_is_used() {
        let fractions: Vec<_> = (0..2_000).map(|_| random_fraction()).collect();
        assert!(fractions.iter().any(|fraction| *fraction < 0.05));
        assert!(fractions.iter().any(|fraction| *fraction > 0.95));
    }
}
