//! Latencies of requests and their percentiles.

use std::time::Duration;

/// Latencies in microseconds, in ascending order.
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    pub(crate) fn new(mut micros: Vec<u32>) -> Self {
        micros.sort_unstable();
        Self(micros)
    }

    /// Converts a duration to microseconds; about an hour is the maximum.
    pub(crate) fn micros(duration: Duration) -> u32 {
        u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The smallest latency that `percent` of the requests do not exceed; 0 without requests.
    pub(crate) fn percentile(&self, percent: usize) -> u32 {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    pub(crate) fn max(&self) -> u32 {
        self.percentile(100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_latencies_of_requests() {
        let latencies = Latencies::new((1..=200).rev().collect());
        assert_eq!([1, 50, 99, 100].map(|percent| latencies.percentile(percent)), [2, 100, 198, 200]);
        assert_eq!((latencies.len(), latencies.max()), (200, 200));
        assert_eq!(Latencies::new(vec![7]).percentile(1), 7);
        assert_eq!(Latencies::new(Vec::new()).percentile(50), 0);
    }
}
