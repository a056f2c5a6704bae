//! Clients that read while the catalog is replaced.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::Result;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::models::MODELS;
use crate::connection::{Call, Connection};

const PAGE: usize = 200;

/// Results of the readers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reads {
    pub(crate) responses: usize,
    pub(crate) failed: usize,
    /// Pages with models of more than one state of the file.
    pub(crate) mixed: usize,
}

#[derive(Default)]
struct Shared {
    is_done: AtomicBool,
    responses: AtomicUsize,
    failed: AtomicUsize,
    mixed: AtomicUsize,
}

/// Running readers.
pub(crate) struct Readers {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

impl Readers {
    pub(crate) fn start(base_url: &str, connections: usize) -> Self {
        let shared = Arc::<Shared>::default();
        let tasks = (0..connections).map(|_| tokio::spawn(read(base_url.to_owned(), Arc::clone(&shared)))).collect();
        Self { shared, tasks }
    }

    pub(crate) async fn stop(self) -> Result<Reads> {
        self.shared.is_done.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await?;
        }
        let number = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        let Shared { responses, failed, mixed, .. } = &*self.shared;
        Ok(Reads { responses: number(responses), failed: number(failed), mixed: number(mixed) })
    }
}

async fn read(base_url: String, shared: Arc<Shared>) {
    let call = Call::get(format!("{MODELS}?pageSize={PAGE}"));
    let mut connection = None;
    while !shared.is_done.load(Ordering::Relaxed) {
        if let Ok(rounds) = page(&base_url, &mut connection, &call).await {
            shared.responses.fetch_add(1, Ordering::Relaxed);
            shared.mixed.fetch_add(usize::from(rounds.len() != 1), Ordering::Relaxed);
        } else {
            shared.failed.fetch_add(1, Ordering::Relaxed);
            connection = None;
        }
    }
}

/// Reads a page and returns the rounds of its models.
async fn page(base_url: &str, connection: &mut Option<Connection>, call: &Call) -> Result<BTreeSet<String>> {
    let connection = match connection {
        Some(connection) => connection,
        absent => absent.insert(Connection::open(base_url).await?),
    };
    let page: Value = serde_json::from_slice(connection.send(call).await?)?;
    let items = page["items"].as_array().cloned().unwrap_or_default();
    anyhow::ensure!(items.len() == PAGE, "{} models on a page", items.len());
    Ok(items.iter().map(|item| item["customProperties"]["round"]["string_value"].to_string()).collect())
}
