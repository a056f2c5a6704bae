//! Other clients: they write and probe while something goes wrong, and remember what was acknowledged.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use tokio::task::JoinSet;

use crate::api::Api;
use crate::ledger::{Attempt, Ledger};

/// Pause of a client after each response, so that its load does not hide the effect of the abuse.
const PAUSE: Duration = Duration::from_millis(10);
/// Pause between probes, and after a request that failed.
const LONG_PAUSE: Duration = Duration::from_millis(50);

/// Clients that write until `end`, and one that probes `/livez`.
pub(crate) struct Load {
    shared: Arc<Shared>,
    clients: JoinSet<()>,
    prefix: String,
}

#[derive(Default)]
struct Shared {
    is_ended: AtomicBool,
    next: AtomicUsize,
    acknowledged: AtomicUsize,
    /// When each writer began its newest request.
    begun: Mutex<Vec<Instant>>,
    writes: Mutex<Vec<Attempt>>,
    probes: Mutex<Vec<Attempt>>,
}

impl Load {
    /// Starts clients; names of what they create begin with the prefix, which is unique on its database.
    pub(crate) fn start(api: &Api, writers: usize, prefix: &str) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let mut clients = JoinSet::new();
        *lock(&shared.begun) = vec![Instant::now(); writers];
        for writer in 0..writers {
            let (api, shared, prefix) = (api.apart()?, Arc::clone(&shared), prefix.to_owned());
            clients.spawn(async move { write(&api, &shared, writer, &prefix).await });
        }
        let (api, probing) = (api.apart()?, Arc::clone(&shared));
        clients.spawn(async move { probe(&api, &probing).await });
        Ok(Self { shared, clients, prefix: prefix.to_owned() })
    }

    /// Waits until so many more writes have been acknowledged.
    pub(crate) async fn more(&self, count: usize, limit: Duration) -> Result<()> {
        let (start, before) = (Instant::now(), self.shared.acknowledged.load(Ordering::Relaxed));
        while self.shared.acknowledged.load(Ordering::Relaxed) < before + count {
            ensure!(start.elapsed() < limit, "{count} writes were not acknowledged within {limit:?}");
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Waits until no request is in flight that began before an instant.
    pub(crate) async fn without_requests_before(&self, instant: Instant, limit: Duration) -> Result<()> {
        let start = Instant::now();
        while lock(&self.shared.begun).iter().any(|begun| *begun < instant) {
            ensure!(start.elapsed() < limit, "a request had no response within {limit:?}");
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Ends the clients after their requests in flight.
    pub(crate) async fn end(self) -> Ledger {
        let Self { shared, mut clients, prefix } = self;
        shared.is_ended.store(true, Ordering::Relaxed);
        while clients.join_next().await.is_some() {}
        let take = |attempts: &Mutex<Vec<Attempt>>| std::mem::take(&mut *lock(attempts));
        Ledger::new(prefix, take(&shared.writes), take(&shared.probes))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Registers a model, a version and an artifact in one request each time.
async fn write(api: &Api, shared: &Shared, writer: usize, prefix: &str) {
    while !shared.is_ended.load(Ordering::Relaxed) {
        let name = format!("{prefix}{}", shared.next.fetch_add(1, Ordering::Relaxed));
        let body = json!({
            "registeredModel": {"name": name}, "modelVersion": {"name": name},
            "artifacts": [{"artifactType": "model-artifact", "name": name, "uri": "s3://bucket/object"}],
        });
        let begun = Instant::now();
        lock(&shared.begun)[writer] = begun;
        let response = api.post("registered_models:register", body.to_string()).await.ok();
        let attempt = Attempt::new(name, begun, response.as_ref());
        let is_acknowledged = attempt.is_success();
        if is_acknowledged {
            shared.acknowledged.fetch_add(1, Ordering::Relaxed);
        }
        lock(&shared.writes).push(attempt);
        tokio::time::sleep(if is_acknowledged { PAUSE } else { LONG_PAUSE }).await;
    }
}

async fn probe(api: &Api, shared: &Shared) {
    while !shared.is_ended.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let response = api.get("/livez").await.ok();
        let attempt = Attempt::new(String::new(), begun, response.as_ref());
        lock(&shared.probes).push(attempt);
        tokio::time::sleep(LONG_PAUSE).await;
    }
}
