//! Common parts of `export` and `import`: access to the database without a server, and the progress line.

use std::future::Future;
use std::io::{IsTerminal, Write, stderr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Context;
use model_registry_base::Clock;
use model_registry_server::config::Settings;
use model_registry_store::{Counts, PoolOptions, Progress, Store};

use crate::database;

/// Minimum time between two updates of the progress line.
const REPORT_EVERY: Duration = Duration::from_millis(250);

/// Opens the database of the settings and runs `work` on it.
pub(crate) fn with_store<F, T>(settings: &Settings, work: impl FnOnce(Store) -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let url = database::url(settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(async {
        let store = Store::connect(&url, PoolOptions::default(), Clock::system()).await?;
        let result = work(store.clone()).await;
        store.database()?.close().await;
        result
    })
}

/// A progress line on standard error, overwritten in place; none if standard error is not a terminal.
pub(crate) struct ProgressLine {
    shown: Mutex<Option<Instant>>,
    is_terminal: bool,
}

impl ProgressLine {
    pub(crate) fn new() -> Self {
        Self { shown: Mutex::new(None), is_terminal: stderr().is_terminal() }
    }

    pub(crate) fn show(&self, progress: Progress) {
        let Ok(mut shown) = self.shown.lock() else { return };
        if !self.is_terminal || shown.is_some_and(|shown| shown.elapsed() < REPORT_EVERY) {
            return;
        }
        *shown = Some(Instant::now());
        let text = match progress {
            Progress::Exporting { lines } => format!("exporting: {lines} lines"),
            Progress::Checking { lines } => format!("checking the file: {lines} lines"),
            Progress::Importing { lines, of } => format!("importing: {lines} of {of} lines"),
            Progress::Verifying { lines, of } => format!("verifying: {lines} of {of} lines"),
        };
        let _ = write!(stderr(), "\r\x1b[K{text}");
    }

    pub(crate) fn clear(&self) {
        let Ok(shown) = self.shown.lock() else { return };
        if shown.is_some() {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

/// `2 registered_model, 5 model_version`
pub(crate) fn listed(counts: &Counts) -> String {
    if counts.is_empty() {
        return "no entities".to_owned();
    }
    counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
}
