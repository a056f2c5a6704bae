//! A sync: reads the skills of the repositories whose references have moved since they were read before.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model_registry_base::Environment;
use model_registry_catalog_store::{CatalogItems, SourceSnapshot};

use super::error::GitError;
use super::protocol::Connection;
use super::refs::{self, Resolved};
use super::transport::{TransferLimits, Transport};
use super::{credentials, read};
use crate::configuration::Source;
use crate::hub::{HubAccess, Progress, SyncOutcome};
use crate::skills::{self, Repository};

/// Problems that the `error` of a source quotes; the others are counted.
const MOST_QUOTED: usize = 20;
/// Limits of one repository in one sync.
const LIMITS: TransferLimits = TransferLimits { bytes: 256 << 20, time: Duration::from_mins(10) };

/// What a sync uses in addition to the source.
pub struct GitContext {
    pub access: HubAccess,
    pub environment: Environment,
    /// A digest of all that decides what is read.
    pub fingerprint: String,
}

/// A skill that the source publishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownSkill {
    pub repository: String,
    pub version: String,
    pub commit: String,
}

/// Skills that the source publishes, by key.
pub type KnownSkills = HashMap<String, KnownSkill>;

/// What the syncs of this process read, so that unchanged references are not read again.
#[derive(Default)]
pub struct GitMemory(Mutex<HashMap<String, SourceMemory>>);

#[derive(Default)]
struct SourceMemory {
    fingerprint: String,
    /// By URL and configured name.
    refs: HashMap<(String, String), RefResult>,
}

/// What a commit contains.
#[derive(Clone, Debug, Default)]
struct RefResult {
    version: String,
    commit: String,
    keys: Vec<String>,
    /// What was left out, and warnings.
    problems: Vec<String>,
    skipped: usize,
}

/// The result of a sync.
pub struct GitReport {
    pub snapshot: SourceSnapshot,
    pub outcome: SyncOutcome,
}

/// Stops a running sync when it is dropped.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Reads the skills of a source on a thread of its own. `trusts_known`: the last sync was complete and of the same
/// configuration, so that what is published of a commit is all of it.
pub async fn sync(
    source: &Source,
    context: GitContext,
    memory: Arc<GitMemory>,
    known: KnownSkills,
    trusts_known: bool,
    progress: &Progress,
) -> GitReport {
    let is_cancelled = Arc::new(AtomicBool::new(false));
    let _cancel = CancelOnDrop(Arc::clone(&is_cancelled));
    let (source_of_run, progress_of_run) = (source.clone(), progress.clone());
    let run = model_registry_base::run_blocking(move || {
        let before = memory.of(&source_of_run.id, &context.fingerprint);
        let mut run = Run {
            source: &source_of_run,
            context: &context,
            known: &known,
            trusts_known,
            before,
            progress: &progress_of_run,
            is_cancelled,
            items: CatalogItems::default(),
            kept: BTreeSet::new(),
            keys: BTreeSet::new(),
            results: HashMap::new(),
            problems: Vec::new(),
            skipped: 0,
            outcome: SyncOutcome::Complete,
        };
        for repository in skills::repositories(&source_of_run) {
            run.repository(repository);
        }
        let (report, results) = run.finish();
        memory.replace(&source_of_run.id, &context.fingerprint, results);
        report
    });
    progress.report_while(&source.id, run).await
}

/// A connection, and the configured references: each was found or not.
type Opened<'a> = (Connection<'a>, Vec<(String, Result<Resolved, GitError>)>);

struct Run<'a> {
    source: &'a Source,
    context: &'a GitContext,
    known: &'a KnownSkills,
    trusts_known: bool,
    before: HashMap<(String, String), RefResult>,
    progress: &'a Progress,
    is_cancelled: Arc<AtomicBool>,
    items: CatalogItems,
    /// Keys of published skills that stay.
    kept: BTreeSet<String>,
    /// Keys of all skills, new and kept.
    keys: BTreeSet<String>,
    results: HashMap<(String, String), RefResult>,
    problems: Vec<String>,
    skipped: usize,
    outcome: SyncOutcome,
}

impl<'a> Run<'a> {
    fn repository(&mut self, repository: &Repository) {
        let (connection, resolved) = match self.open(repository) {
            Ok(opened) => opened,
            Err(error) => {
                self.fail(&repository.url, &error);
                let names = if repository.refs.is_empty() { vec![String::new()] } else { repository.refs.clone() };
                self.keep(repository, &names, &BTreeSet::new());
                return;
            }
        };
        let mut failed = Vec::new();
        let mut versions = BTreeSet::new();
        for (name, result) in resolved {
            let read = result.and_then(|resolved| {
                let version = resolved.version.clone();
                self.reference(&connection, repository, resolved).map(|()| version)
            });
            match read {
                Ok(version) => _ = versions.insert(version),
                Err(error) => {
                    let shown =
                        if name.is_empty() { repository.url.clone() } else { format!("{} {name}", repository.url) };
                    self.fail(&shown, &error);
                    failed.push(name);
                }
            }
        }
        if !failed.is_empty() {
            self.keep(repository, &failed, &versions);
        }
    }

    fn open(&self, repository: &Repository) -> Result<Opened<'a>, GitError> {
        let authorization = repository.auth_secret_name.as_deref();
        let authorization = authorization.map(|secret| credentials::authorization(secret, &self.context.environment));
        let authorization = authorization.transpose().map_err(GitError::NotAllowed)?;
        let cancelled = Arc::clone(&self.is_cancelled);
        let (access, progress): (&'a HubAccess, &'a Progress) = (&self.context.access, self.progress);
        let transport = Transport::new(&repository.url, authorization, access, LIMITS, progress, cancelled)?;
        let connection = Connection::open(transport)?;
        let prefixes = refs::prefixes(&repository.refs);
        let listed = if prefixes.is_empty() { HashMap::new() } else { connection.refs(&prefixes)? };
        Ok((connection, refs::resolve(&repository.refs, &listed)))
    }

    /// Reads a reference, unless what is published of it is known to be complete.
    fn reference(
        &mut self,
        connection: &Connection<'_>,
        repository: &Repository,
        resolved: Resolved,
    ) -> Result<(), GitError> {
        let id = (repository.url.clone(), resolved.name.clone());
        let unchanged = match self.before.get(&id) {
            Some(before) => Some(before.clone()).filter(|before| {
                before.commit == resolved.commit
                    && before.version == resolved.version
                    && before.keys.iter().all(|key| self.known.contains_key(key))
            }),
            None => self.published(repository, &resolved),
        };
        if let Some(result) = unchanged {
            self.add(id, result, true);
            return Ok(());
        }
        let commit = read::read_commit(connection, repository, &resolved, &self.source.id, self.progress)?;
        let mut result = RefResult {
            version: resolved.version,
            commit: resolved.commit,
            keys: Vec::new(),
            problems: commit.problems,
            skipped: commit.skipped,
        };
        for key in commit.left_out.into_iter().filter(|key| self.known.contains_key(key)) {
            self.kept.insert(key.clone());
            result.keys.push(key);
        }
        for item in commit.items {
            if self.keys.contains(&item.key) || result.keys.contains(&item.key) {
                let name = item.name.as_deref().unwrap_or_default();
                result
                    .problems
                    .push(format!("skill `{name}` is left out: another repository of the source has it, too"));
                result.skipped += 1;
                continue;
            }
            result.keys.push(item.key.clone());
            self.items.push(&item);
        }
        self.add(id, result, false);
        Ok(())
    }

    /// What is published of a reference, if it is all of its commit.
    fn published(&self, repository: &Repository, resolved: &Resolved) -> Option<RefResult> {
        if !self.trusts_known {
            return None;
        }
        let of_ref = self
            .known
            .iter()
            .filter(|(_, skill)| skill.repository == repository.canonical_url && skill.version == resolved.version);
        let (mut keys, mut is_current) = (Vec::new(), true);
        for (key, skill) in of_ref {
            is_current &= skill.commit == resolved.commit;
            keys.push(key.clone());
        }
        let (version, commit) = (resolved.version.clone(), resolved.commit.clone());
        (is_current && !keys.is_empty()).then(|| RefResult { version, commit, keys, ..RefResult::default() })
    }

    fn add(&mut self, id: (String, String), result: RefResult, is_kept: bool) {
        self.skipped += result.skipped;
        let place = if id.1.is_empty() { id.0.clone() } else { format!("{} {}", id.0, id.1) };
        self.problems.extend(result.problems.iter().map(|problem| format!("{place}: {problem}")));
        self.keys.extend(result.keys.iter().cloned());
        if is_kept {
            self.kept.extend(result.keys.iter().cloned());
        }
        self.results.insert(id, result);
    }

    fn fail(&mut self, place: &str, error: &GitError) {
        self.problems.push(format!("{place}: {error}"));
        let outcome = if error.is_temporary() { SyncOutcome::Failed } else { SyncOutcome::Rejected };
        self.outcome = self.outcome.max(outcome);
    }

    /// Keeps what was published of references that could not be read. `versions` are those that were read.
    fn keep(&mut self, repository: &Repository, names: &[String], versions: &BTreeSet<String>) {
        let mut is_any_unknown = false;
        for name in names {
            let id = (repository.url.clone(), name.clone());
            match self.before.get(&id).cloned() {
                Some(before) => {
                    self.kept.extend(before.keys.iter().cloned());
                    self.results.insert(id, before);
                }
                None => is_any_unknown = true,
            }
        }
        if is_any_unknown {
            let of_repository = self.known.iter().filter(|(_, skill)| {
                skill.repository == repository.canonical_url && !versions.contains(&skill.version)
            });
            self.kept.extend(of_repository.map(|(key, _)| key.clone()));
        }
    }

    fn finish(self) -> (GitReport, HashMap<(String, String), RefResult>) {
        let Self { items, kept, problems, skipped, outcome, known, .. } = self;
        let kept: Vec<String> = kept.into_iter().filter(|key| known.contains_key(key)).collect();
        let error = (!problems.is_empty()).then(|| skills::summary(&problems, MOST_QUOTED));
        let status = match (&error, items.is_empty() && kept.is_empty()) {
            (None, _) => "available",
            (Some(_), false) => "partially-available",
            (Some(_), true) => "error",
        };
        // Nothing is deleted where nothing could be read.
        let items = (status != "error").then_some(items);
        let snapshot = SourceSnapshot {
            source_id: self.source.id.clone(),
            status,
            error,
            skipped,
            ignored: 0,
            items,
            kept,
            is_part: false,
            next_sync: None,
        };
        (GitReport { snapshot, outcome }, self.results)
    }
}

impl GitMemory {
    fn of(&self, source_id: &str, fingerprint: &str) -> HashMap<(String, String), RefResult> {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = memory.get(source_id).filter(|memory| memory.fingerprint == fingerprint);
        same.map(|memory| memory.refs.clone()).unwrap_or_default()
    }

    fn replace(&self, source_id: &str, fingerprint: &str, refs: HashMap<(String, String), RefResult>) {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        memory.insert(source_id.to_owned(), SourceMemory { fingerprint: fingerprint.to_owned(), refs });
    }

    /// Forgets what was read of a source, because it was not stored.
    pub fn forget(&self, source_id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(source_id);
    }
}
