//! Sync with hubs and Git repositories. Each source has a task of its own, so that a slow one does not delay the others.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model_registry_catalog_sources::git::{self, GitContext, GitReport, KnownSkill, KnownSkills};
use model_registry_catalog_sources::hub::{self, KnownModel, ModelBatch, SyncContext, SyncOutcome, SyncReport};
use model_registry_catalog_sources::remote::{self, Remote};
use model_registry_catalog_sources::{Settings, Source, report_ignored_configuration};
use model_registry_catalog_store::{CatalogLoad, LoadReport, NextSync, SourceSnapshot};
use model_registry_store::{Lease, StoreError};
use tokio::sync::mpsc;
use tokio::sync::watch::Receiver;
use tokio::task::{AbortHandle, JoinSet};

use crate::Catalog;

/// Interval of the check whether the sources have changed.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Longest sleep until a source is due: clocks are set, and machines are suspended.
const MAX_SLEEP: Duration = Duration::from_mins(1);

/// The task that syncs a source; aborted on drop.
struct SyncTask {
    fingerprint: String,
    task: AbortHandle,
}

impl Drop for SyncTask {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The reason why a sync stops early.
enum Stopped {
    /// Another replica holds the lease, or the configuration of the source has changed.
    Superseded,
    Store(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Catalog {
    /// Syncs a source with its hub or its repositories. What is unchanged is not read again.
    pub async fn sync(&self, source_id: &str) -> Result<LoadReport, StoreError> {
        let configuration = self.configuration();
        let Some(source) = configuration.sources.get(source_id) else { return Ok(LoadReport::default()) };
        let (report, _) = self.sync_source(source, None).await?;
        Ok(report.unwrap_or_default())
    }

    /// Keeps all sources that are read over the network synced while this replica holds the lease.
    pub(crate) async fn keep_synced(&self, leading: &Receiver<Option<bool>>) -> Infallible {
        let mut tasks: JoinSet<Infallible> = JoinSet::new();
        let mut running: HashMap<String, SyncTask> = HashMap::new();
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            while let Some(ended) = tasks.try_join_next() {
                if let Err(error) = ended
                    && error.is_panic()
                {
                    std::panic::resume_unwind(error.into_panic());
                }
            }
            let leads = self.is_loaded() && *leading.borrow() == Some(true);
            let configuration = self.configuration();
            running.retain(|id, task| {
                leads && self.fingerprint_of(configuration.sources.get(id)).as_ref() == Some(&task.fingerprint)
            });
            if !leads {
                continue;
            }
            for source in configuration.sources.values() {
                let Some(fingerprint) = self.fingerprint_of(Some(source)) else { continue };
                running.entry(source.id.clone()).or_insert_with(|| {
                    let task = tasks.spawn(self.clone().keep_source_synced(source.clone(), fingerprint.clone()));
                    SyncTask { fingerprint, task }
                });
            }
        }
    }

    /// The fingerprint of the configuration of a source that is read over the network; `None` for other sources, and on a
    /// replica that does not load.
    fn fingerprint_of(&self, source: Option<&Source>) -> Option<String> {
        let source = source.filter(|source| remote::is_remote(source))?;
        Some(remote::sync_fingerprint(source, &self.settings().environment, &*self.performance_metrics()?))
    }

    /// Syncs the source when it is due: after its interval, sooner after a failure.
    async fn keep_source_synced(self, source: Source, fingerprint: String) -> Infallible {
        let mut failures = 0;
        let mut due = loop {
            match self.first_sync(&source, &fingerprint).await {
                Ok(due) => break due,
                Err(error) => tracing::warn!(
                    source = source.id,
                    error = &error as &dyn std::error::Error,
                    "time of the next sync unknown; retrying"
                ),
            }
            tokio::time::sleep(CHECK_INTERVAL).await;
        };
        loop {
            self.sleep_until(due).await;
            let outcome = match self.sync_leading(&source).await {
                Ok(outcome) => outcome,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(source = source.id, error, "sync not stored; retrying");
                    SyncOutcome::Failed
                }
            };
            failures = if outcome == SyncOutcome::Failed { failures + 1 } else { 0 };
            due = self.after(remote::next_sync_delay(&source, failures));
        }
    }

    async fn sync_leading(&self, source: &Source) -> Result<SyncOutcome, StoreError> {
        let lease = self.is_shared()?.then(|| (*self.lease).clone());
        Ok(self.sync_source(source, lease).await?.1)
    }

    async fn first_sync(&self, source: &Source, fingerprint: &str) -> Result<i64, StoreError> {
        let next = self.store.find_next_sync(&source.id).await?;
        Ok(due(next, fingerprint, self.after(remote::sync_interval(source))))
    }

    fn after(&self, pause: Duration) -> i64 {
        self.store.inner().clock().now().saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX))
    }

    async fn sleep_until(&self, due: i64) {
        while let Ok(left @ 1..) = u64::try_from(due.saturating_sub(self.store.inner().clock().now())) {
            tokio::time::sleep(Duration::from_millis(left).min(MAX_SLEEP)).await;
        }
    }

    /// Nothing is reported if another replica has taken the lease or the configuration of the source has changed meanwhile:
    /// nothing more is written then.
    async fn sync_source(
        &self,
        source: &Source,
        lease: Option<Lease>,
    ) -> Result<(Option<LoadReport>, SyncOutcome), StoreError> {
        match Remote::of(source) {
            Some(Remote::Repositories) => self.sync_repositories(source, lease).await,
            _ => Box::pin(self.sync_hub(source, lease)).await,
        }
    }

    async fn sync_repositories(
        &self,
        source: &Source,
        lease: Option<Lease>,
    ) -> Result<(Option<LoadReport>, SyncOutcome), StoreError> {
        let started = Instant::now();
        let Some(fingerprint) = self.fingerprint_of(Some(source)) else { return Ok((None, SyncOutcome::Failed)) };
        let known = self.stored_skills(&source.id).await?;
        let next = self.store.find_next_sync(&source.id).await?;
        let state = self.store.find_source_state(&source.id).await?;
        let is_available = state.is_some_and(|state| state.status == "available");
        let trusts_known = is_available && next.is_some_and(|next| next.configuration == fingerprint);
        let Settings { hubs, environment, .. } = self.settings();
        let context =
            GitContext { access: hubs.clone(), environment: environment.clone(), fingerprint: fingerprint.clone() };
        // The semaphore is never closed.
        let _permit = self.repository_syncs.acquire().await.ok();
        let progress = self.telemetry.git_progress(&source.id);
        let memory = Arc::clone(&self.repository_memory);
        let GitReport { snapshot, outcome } = git::sync(source, context, memory, known, trusts_known, &progress).await;
        let stored = self.finish_sync(source, &fingerprint, snapshot, outcome, lease, started).await;
        if !matches!(stored, Ok(Some(_))) {
            self.repository_memory.forget(&source.id);
        }
        Ok((stored?, outcome))
    }

    async fn sync_hub(
        &self,
        source: &Source,
        lease: Option<Lease>,
    ) -> Result<(Option<LoadReport>, SyncOutcome), StoreError> {
        let stored = self.stored_models(&source.id).await?;
        let Settings { hubs, environment, .. } = self.settings();
        let Some(metrics) = self.performance_metrics() else { return Ok((None, SyncOutcome::Failed)) };
        let now = self.store.inner().clock().now();
        let context = SyncContext {
            access: hubs,
            environment,
            rate_limiters: &self.rate_limiters,
            performance_metrics: &metrics,
            now,
        };
        let started = Instant::now();
        let progress = self.telemetry.hub_progress(&source.id);
        let configuration = remote::sync_fingerprint(source, environment, &metrics);
        let (batches, batched) = mpsc::channel(1);
        let syncing = async { Ok(hub::sync(source, &context, &stored, &progress, batches).await) };
        let storing = self.store_batches(source, &configuration, lease.as_ref(), batched);
        let (SyncReport { snapshot, outcome, performance_metrics_skipped }, before) =
            match tokio::try_join!(syncing, storing) {
                Ok(both) => both,
                Err(Stopped::Superseded) => return Ok((None, SyncOutcome::Failed)),
                Err(Stopped::Store(error)) => return Err(error),
            };
        let report = self.finish_sync(source, &configuration, snapshot, outcome, lease, started).await?;
        let Some(mut report) = report else { return Ok((None, outcome)) };
        report.written += before;
        self.telemetry.record_skipped_metrics(&source.id, performance_metrics_skipped);
        Ok((Some(report), outcome))
    }

    /// Stores the result of a sync with the time of the next one, and reports it.
    async fn finish_sync(
        &self,
        source: &Source,
        configuration: &str,
        mut snapshot: SourceSnapshot,
        outcome: SyncOutcome,
        lease: Option<Lease>,
        started: Instant,
    ) -> Result<Option<LoadReport>, StoreError> {
        report_ignored_configuration(&mut snapshot, &self.configuration());
        if outcome == SyncOutcome::Complete {
            let next_time = self.after(remote::sync_interval(source));
            snapshot.next_sync = Some(NextSync { configuration: configuration.to_owned(), next_time });
        }
        let Some((report, snapshot)) = self.store_snapshot(configuration, snapshot, lease).await? else {
            return Ok(None);
        };
        self.telemetry.record_load(&snapshot, started.elapsed(), self.store.inner().clock().now());
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
            "source synced"
        );
        Ok(Some(report))
    }

    /// Stores the batches of a sync. Returns the number of models written.
    async fn store_batches(
        &self,
        source: &Source,
        configuration: &str,
        lease: Option<&Lease>,
        mut batches: mpsc::Receiver<ModelBatch>,
    ) -> Result<usize, Stopped> {
        let mut written = 0;
        let mut stored = 0;
        while let Some(ModelBatch { items, found }) = batches.recv().await {
            stored += items.len();
            let snapshot = SourceSnapshot {
                source_id: source.id.clone(),
                status: "partially-available",
                error: Some(format!("sync with the hub in progress: {stored} of {found} models so far")),
                skipped: 0,
                ignored: 0,
                items: Some(items),
                kept: Vec::new(),
                is_part: true,
                next_sync: None,
            };
            let report = self.store_snapshot(configuration, snapshot, lease.cloned()).await?;
            written += report.ok_or(Stopped::Superseded)?.0.written;
        }
        Ok(written)
    }

    /// Writes a snapshot of a source, if its configuration is unchanged and this replica still holds the lease.
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
        self.after_load(&report).await;
        Ok(load.snapshots.pop().map(|snapshot| (report, snapshot)))
    }

    /// The stored origin of each skill of a source.
    async fn stored_skills(&self, source_id: &str) -> Result<KnownSkills, StoreError> {
        let mut stored = KnownSkills::new();
        for (property, field) in [
            ("repository", (|skill| &mut skill.repository) as fn(&mut KnownSkill) -> &mut String),
            ("version", |skill| &mut skill.version),
            ("resolvedCommit", |skill| &mut skill.commit),
        ] {
            for (key, value) in self.store.list_string_properties(source_id, property).await? {
                *field(stored.entry(key).or_default()) = value;
            }
        }
        Ok(stored)
    }

    /// The stored revision and access of each model of a source.
    async fn stored_models(&self, source_id: &str) -> Result<HashMap<String, KnownModel>, StoreError> {
        let mut stored: HashMap<String, KnownModel> = HashMap::new();
        for (name, revision) in self.store.list_string_properties(source_id, hub::REVISION).await? {
            stored.insert(name, KnownModel { revision, ..KnownModel::default() });
        }
        for (property, field) in [
            (hub::GATED, (|model| &mut model.gated) as fn(&mut KnownModel) -> &mut String),
            (hub::PRIVATE, |model| &mut model.private),
        ] {
            for (name, value) in self.store.list_string_properties(source_id, property).await? {
                *field(stored.entry(name).or_default()) = value;
            }
        }
        Ok(stored)
    }
}

/// When a source is due, in milliseconds since the Unix epoch: at once, unless it was completely synced with the current
/// configuration.
fn due(next: Option<NextSync>, fingerprint: &str, latest: i64) -> i64 {
    let next = next.filter(|next| next.configuration == fingerprint);
    // A clock that was wrong at that time does not postpone it for ever.
    next.map_or(0, |next| next.next_time.min(latest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_due_at_the_stored_time_and_at_once_after_a_change_of_its_configuration() {
        let next = |next_time| Some(NextSync { configuration: "same".to_owned(), next_time });
        assert_eq!(due(None, "same", 100), 0);
        assert_eq!(due(next(70), "same", 100), 70);
        assert_eq!(due(next(70), "other", 100), 0);
        assert_eq!(due(next(7_000), "same", 100), 100, "the clock was wrong at that time");
    }
}
