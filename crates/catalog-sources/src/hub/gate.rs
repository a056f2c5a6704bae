//! What all sources that read one hub share: how many requests run at once, and pauses that the hub asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Url;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Requests to one hub at once.
pub(super) const CONCURRENCY: usize = 4;
/// Whoever is asked to wait longer gives up; the next sync asks again.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Whoever asks for a preview chooses the hub's port: from so many gates on, those that hold nobody back are forgotten.
const MANY: usize = 1_000;

/// The gates of all hubs. Limits belong to whoever asks, so each token has its own.
#[derive(Default)]
pub struct Gates(Mutex<HashMap<Asker, Arc<Gate>>>);

/// A hub and a token.
type Asker = (String, Option<String>);

impl Gates {
    pub(super) fn of(&self, hub: &Url, token: Option<&str>) -> Arc<Gate> {
        let key = (hub.origin().ascii_serialization(), token.map(str::to_owned));
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if gates.len() >= MANY {
            gates.retain(|_, gate| Arc::strong_count(gate) > 1 || gate.left().is_some());
        }
        Arc::clone(gates.entry(key).or_default())
    }
}

pub(super) struct Gate {
    places: Semaphore,
    /// Until then the hub wants to be left alone.
    paused: Mutex<Option<Instant>>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { places: Semaphore::new(CONCURRENCY), paused: Mutex::default() }
    }
}

impl Gate {
    /// Waits until a request may be sent, which counts as running until the permit is dropped. The error is how long the
    /// hub wants to be left alone, where that is too long to wait for.
    pub(super) async fn enter(&self) -> Result<SemaphorePermit<'_>, Duration> {
        loop {
            self.wait().await?;
            // Never closed.
            let Ok(place) = self.places.acquire().await else { return Err(Duration::MAX) };
            // An answer may have asked for a pause meanwhile.
            if self.left().is_none() {
                return Ok(place);
            }
        }
    }

    /// Keeps all requests back for so long.
    pub(super) fn pause(&self, wanted: Duration) {
        let Some(until) = Instant::now().checked_add(wanted) else { return };
        let mut paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        if paused.is_none_or(|before| before < until) {
            *paused = Some(until);
            tracing::info!(seconds = wanted.as_secs(), "the hub asks for a pause");
        }
    }

    async fn wait(&self) -> Result<(), Duration> {
        while let Some(left) = self.left() {
            if left > LONGEST_PAUSE {
                return Err(left);
            }
            tokio::time::sleep(left).await;
        }
        Ok(())
    }

    fn left(&self) -> Option<Duration> {
        let until = *self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        until?.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_gate_has_so_many_places_and_nobody_waits_for_hours() {
        let gates = Gates::default();
        let url = |text: &str| text.parse::<Url>().unwrap();
        let gate = gates.of(&url("https://hub.example/a"), Some("one"));
        let mut places = Vec::new();
        for _ in 0..CONCURRENCY {
            places.push(gate.enter().await.unwrap());
        }
        let same = gates.of(&url("https://hub.example/b"), Some("one"));
        assert_eq!(same.places.available_permits(), 0);
        drop(places);
        same.pause(LONGEST_PAUSE * 2);
        assert!(gate.enter().await.unwrap_err() > LONGEST_PAUSE);
        same.pause(Duration::from_secs(1));
        assert!(gate.enter().await.is_err(), "a shorter pause does not end a longer one");
        for port in 1..=MANY {
            gates.of(&url(&format!("https://hub.example:{port}")), None);
        }
        assert!(gates.0.lock().unwrap().len() <= MANY);
        drop((gate, same));
        let again = gates.of(&url("https://hub.example"), Some("one"));
        assert!(again.enter().await.is_err(), "a pause is not forgotten");
        for (hub, token) in [("https://hub.example", None), ("https://other.example", Some("one"))] {
            assert!(gates.of(&url(hub), token).enter().await.is_ok(), "{hub} {token:?}");
        }
    }
}
