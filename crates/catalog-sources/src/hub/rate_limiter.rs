//! Limits of the requests to a hub, shared by all sources that read it: parallel requests, and pauses that the hub requested.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Url;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Parallel requests to one hub.
pub(super) const CONCURRENCY: usize = 4;
/// Longer pauses are not waited for: the sync fails and the next one tries again.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Clients that request previews choose the port of the hub. From this number on, limiters that are not in use are dropped.
const MANY: usize = 1_000;

/// The rate limiters of all hubs. Hubs limit each user, so each token has its own.
#[derive(Default)]
pub struct RateLimiters(Mutex<HashMap<User, Arc<RateLimiter>>>);

/// Origin of a hub, and a token.
type User = (String, Option<String>);

impl RateLimiters {
    pub(super) fn get(&self, hub: &Url, token: Option<&str>) -> Arc<RateLimiter> {
        let key = (hub.origin().ascii_serialization(), token.map(str::to_owned));
        let mut limiters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if limiters.len() >= MANY {
            limiters.retain(|_, limiter| Arc::strong_count(limiter) > 1 || limiter.remaining_pause().is_some());
        }
        Arc::clone(limiters.entry(key).or_default())
    }
}

pub(super) struct RateLimiter {
    permits: Semaphore,
    paused_until: Mutex<Option<Instant>>,
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self { permits: Semaphore::new(CONCURRENCY), paused_until: Mutex::default() }
    }
}

impl RateLimiter {
    /// Waits until a request may be sent, which counts as running until the permit is dropped. The error is the rest of a
    /// pause that is too long to wait for.
    pub(super) async fn acquire(&self) -> Result<SemaphorePermit<'_>, Duration> {
        loop {
            self.wait().await?;
            // The semaphore is never closed.
            let Ok(permit) = self.permits.acquire().await else { return Err(Duration::MAX) };
            // A response may have requested a pause meanwhile.
            if self.remaining_pause().is_none() {
                return Ok(permit);
            }
        }
    }

    /// Delays all further requests. A shorter pause does not end a longer one.
    pub(super) fn pause(&self, pause: Duration) {
        let Some(until) = Instant::now().checked_add(pause) else { return };
        let mut paused_until = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        if paused_until.is_none_or(|before| before < until) {
            *paused_until = Some(until);
            tracing::info!(seconds = pause.as_secs(), "rate limited by the hub");
        }
    }

    async fn wait(&self) -> Result<(), Duration> {
        while let Some(pause) = self.remaining_pause() {
            if pause > LONGEST_PAUSE {
                return Err(pause);
            }
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    fn remaining_pause(&self) -> Option<Duration> {
        let until = *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        until?.checked_duration_since(Instant::now()).filter(|pause| !pause.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn permits_and_pauses_are_shared_by_the_users_of_one_token() {
        let limiters = RateLimiters::default();
        let url = |text: &str| text.parse::<Url>().unwrap();
        let limiter = limiters.get(&url("https://hub.example/a"), Some("one"));
        let mut permits = Vec::new();
        for _ in 0..CONCURRENCY {
            permits.push(limiter.acquire().await.unwrap());
        }
        let same = limiters.get(&url("https://hub.example/b"), Some("one"));
        assert_eq!(same.permits.available_permits(), 0);
        drop(permits);
        same.pause(LONGEST_PAUSE * 2);
        assert!(limiter.acquire().await.unwrap_err() > LONGEST_PAUSE);
        same.pause(Duration::from_secs(1));
        assert!(limiter.acquire().await.is_err(), "a shorter pause does not end a longer one");
        for port in 1..=MANY {
            limiters.get(&url(&format!("https://hub.example:{port}")), None);
        }
        assert!(limiters.0.lock().unwrap().len() <= MANY);
        drop((limiter, same));
        let again = limiters.get(&url("https://hub.example"), Some("one"));
        assert!(again.acquire().await.is_err(), "a limiter with a pause is kept");
        for (hub, token) in [("https://hub.example", None), ("https://other.example", Some("one"))] {
            assert!(limiters.get(&url(hub), token).acquire().await.is_ok(), "{hub} {token:?}");
        }
    }
}
