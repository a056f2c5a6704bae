//! The catalog's syncs with hubs: each source by itself, so that a slow hub delays no other one.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use model_registry_catalog_store::{CatalogLoad, LoadReport, NextSync, SourceSnapshot};
use model_registry_store::{Lease, StoreError};
use tokio::sync::mpsc;
use tokio::sync::watch::Receiver;
use tokio::task::{AbortHandle, JoinSet};

use crate::Catalog;
use model_registry_catalog_sources::Settings;
use model_registry_catalog_sources::Source;
use model_registry_catalog_sources::hub::{self, Asking, Batch, Ending, Seen, Synced};

/// How often it is looked whether the sources have changed.
const LOOK: Duration = Duration::from_secs(1);
/// Clocks are set and machines sleep: it is looked again after this time whether a source is due.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// A source that is kept up to date; ends when this is dropped.
struct Kept {
    fingerprint: String,
    task: AbortHandle,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why a sync is given up.
enum Stopped {
    /// Another replica reads it now, or it is configured otherwise.
    Elsewhere,
    Store(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Catalog {
    /// Reads a source of type `hf` from its hub. Models that have not changed there are not read again.
    pub async fn sync_hub(&self, source_id: &str) -> Result<LoadReport, StoreError> {
        let configuration = self.configuration();
        let Some(source) = configuration.sources.get(source_id) else { return Ok(LoadReport::default()) };
        let (report, _) = self.sync_source(source, None).await?;
        Ok(report.unwrap_or_default())
    }

    /// Keeps all hub sources up to date while this replica is the one that loads.
    pub(crate) async fn keep_synced(&self, leading: &Receiver<Option<bool>>) -> Infallible {
        let mut tasks: JoinSet<Infallible> = JoinSet::new();
        let mut kept: HashMap<String, Kept> = HashMap::new();
        loop {
            tokio::time::sleep(LOOK).await;
            while let Some(ended) = tasks.try_join_next() {
                if let Err(error) = ended
                    && error.is_panic()
                {
                    std::panic::resume_unwind(error.into_panic());
                }
            }
            let leads = self.is_loaded() && *leading.borrow() == Some(true);
            let configuration = self.configuration();
            kept.retain(|id, kept| {
                leads && self.fingerprint_of(configuration.sources.get(id)).as_ref() == Some(&kept.fingerprint)
            });
            if !leads {
                continue;
            }
            for source in configuration.sources.values() {
                let Some(fingerprint) = self.fingerprint_of(Some(source)) else { continue };
                kept.entry(source.id.clone()).or_insert_with(|| {
                    let task = tasks.spawn(self.clone().keep_source_synced(source.clone(), fingerprint.clone()));
                    Kept { fingerprint, task }
                });
            }
        }
    }

    /// Of a source that is read from a hub, by this replica: any other has none.
    fn fingerprint_of(&self, source: Option<&Source>) -> Option<String> {
        let source = source.filter(|source| hub::is_read(source))?;
        Some(hub::fingerprint(source, &self.settings().environment, &*self.measured()?))
    }

    /// Reads the source when it is due: after its interval, sooner after a sync that failed.
    async fn keep_source_synced(self, source: Source, fingerprint: String) -> Infallible {
        let mut failures = 0;
        let mut due = loop {
            match self.first_sync(&source, &fingerprint).await {
                Ok(due) => break due,
                Err(error) => tracing::warn!(
                    source = source.id,
                    error = &error as &dyn std::error::Error,
                    "when the hub is to be read is not known; trying again"
                ),
            }
            tokio::time::sleep(LOOK).await;
        };
        loop {
            self.sleep_until(due).await;
            let ending = match self.sync_leading(&source).await {
                Ok(ending) => ending,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(source = source.id, error, "what the hub has is not stored; trying again");
                    Ending::Failed
                }
            };
            failures = if ending == Ending::Failed { failures + 1 } else { 0 };
            due = self.after(hub::pause(&source, failures));
        }
    }

    async fn sync_leading(&self, source: &Source) -> Result<Ending, StoreError> {
        let lease = self.is_shared()?.then(|| (*self.lease).clone());
        Ok(self.sync_source(source, lease).await?.1)
    }

    async fn first_sync(&self, source: &Source, fingerprint: &str) -> Result<i64, StoreError> {
        let next = self.store.find_next_sync(&source.id).await?;
        Ok(due(next, fingerprint, self.after(hub::interval(source))))
    }

    fn after(&self, pause: Duration) -> i64 {
        self.store.inner().clock().now().saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX))
    }

    async fn sleep_until(&self, due: i64) {
        while let Ok(left @ 1..) = u64::try_from(due.saturating_sub(self.store.inner().clock().now())) {
            tokio::time::sleep(Duration::from_millis(left).min(LONGEST_SLEEP)).await;
        }
    }

    /// There is no report where another replica has taken the lease, or the source has changed meanwhile: then nothing more is
    /// written.
    async fn sync_source(
        &self,
        source: &Source,
        lease: Option<Lease>,
    ) -> Result<(Option<LoadReport>, Ending), StoreError> {
        let stored = self.stored_models(&source.id).await?;
        let Settings { hubs, environment, .. } = self.settings();
        let Some(measured) = self.measured() else { return Ok((None, Ending::Failed)) };
        let now = self.store.inner().clock().now();
        let asking = Asking { access: hubs, environment, gates: &self.gates, measured: &measured, now };
        let started = Instant::now();
        let progress = self.metrics.progress(&source.id);
        let configuration = hub::fingerprint(source, environment, &measured);
        let (batches, batched) = mpsc::channel(1);
        let syncing = async { Ok(hub::sync(source, &asking, &stored, &progress, batches).await) };
        let storing = self.store_batches(source, &configuration, lease.as_ref(), batched);
        let (Synced { mut snapshot, ending, measurements_skipped }, before) = match tokio::try_join!(syncing, storing) {
            Ok(both) => both,
            Err(Stopped::Elsewhere) => return Ok((None, Ending::Failed)),
            Err(Stopped::Store(error)) => return Err(error),
        };
        if ending == Ending::Complete {
            let next_time = self.after(hub::interval(source));
            snapshot.next_sync = Some(NextSync { configuration: configuration.clone(), next_time });
        }
        let Some((mut report, snapshot)) = self.store_snapshot(&configuration, snapshot, lease).await? else {
            return Ok((None, ending));
        };
        report.written += before;
        self.metrics.note_measurements(&source.id, measurements_skipped);
        self.metrics.note(&snapshot, started.elapsed(), self.store.inner().clock().now());
        if let Some(error) = &snapshot.error {
            tracing::warn!(source = source.id, status = snapshot.status, error, "catalog source");
        }
        tracing::info!(
            source = source.id,
            status = snapshot.status,
            written = report.written,
            removed = report.removed,
            unchanged = report.unchanged,
            skipped = snapshot.skipped,
            "hub read"
        );
        Ok((Some(report), ending))
    }

    /// Stores what a sync has read so far; tells how many models those were.
    async fn store_batches(
        &self,
        source: &Source,
        configuration: &str,
        lease: Option<&Lease>,
        mut batches: mpsc::Receiver<Batch>,
    ) -> Result<usize, Stopped> {
        let mut written = 0;
        let mut stored = 0;
        while let Some(Batch { items, found }) = batches.recv().await {
            stored += items.len();
            let snapshot = SourceSnapshot {
                source_id: source.id.clone(),
                status: "partially-available",
                error: Some(format!("the hub is being read: {stored} of {found} models so far")),
                skipped: 0,
                items: Some(items),
                kept: Vec::new(),
                is_part: true,
                next_sync: None,
            };
            let report = self.store_snapshot(configuration, snapshot, lease.cloned()).await?;
            written += report.ok_or(Stopped::Elsewhere)?.0.written;
        }
        Ok(written)
    }

    /// Writes what was read of a source, if it is still configured like this and this replica is still the one that loads.
    async fn store_snapshot(
        &self,
        configuration: &str,
        snapshot: SourceSnapshot,
        lease: Option<Lease>,
    ) -> Result<Option<(LoadReport, SourceSnapshot)>, StoreError> {
        let _writing = self.writing.lock().await;
        let current = self.fingerprint_of(self.configuration().sources.get(&snapshot.source_id));
        if current.as_deref() != Some(configuration) {
            return Ok(None);
        }
        let clock = self.store.inner().clock().clone();
        let mut load = CatalogLoad { snapshots: vec![snapshot], sources: None, clock, lease };
        let Some(report) = self.store.load(&load).await? else { return Ok(None) };
        self.settle(&report).await;
        Ok(load.snapshots.pop().map(|snapshot| (report, snapshot)))
    }

    /// What was read of each model of a source before.
    async fn stored_models(&self, source_id: &str) -> Result<HashMap<String, Seen>, StoreError> {
        let mut stored: HashMap<String, Seen> = HashMap::new();
        for (name, revision) in self.store.list_string_properties(source_id, hub::REVISION).await? {
            stored.insert(name, Seen { revision, ..Seen::default() });
        }
        for (property, field) in [
            (hub::GATED, (|seen| &mut seen.gated) as fn(&mut Seen) -> &mut String),
            (hub::PRIVATE, |seen| &mut seen.private),
        ] {
            for (name, text) in self.store.list_string_properties(source_id, property).await? {
                *field(stored.entry(name).or_default()) = text;
            }
        }
        Ok(stored)
    }
}

/// When a source is due, in milliseconds: at once, unless somebody has read it completely, configured as it is now.
fn due(next: Option<NextSync>, fingerprint: &str, latest: i64) -> i64 {
    let next = next.filter(|next| next.configuration == fingerprint);
    // A clock that was wrong then puts nothing off for ever.
    next.map_or(0, |next| next.next_time.min(latest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_due_when_it_was_decided_and_at_once_when_it_is_another() {
        let next = |next_time| Some(NextSync { configuration: "same".to_owned(), next_time });
        assert_eq!(due(None, "same", 100), 0);
        assert_eq!(due(next(70), "same", 100), 70);
        assert_eq!(due(next(70), "other", 100), 0);
        assert_eq!(due(next(7_000), "same", 100), 100, "the clock was wrong then");
    }
}
