//! A sync: reads the models of a hub that have changed since they were read before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::sync::Arc;

use futures::StreamExt;
use model_registry_base::Environment;
use model_registry_catalog_store::{CatalogItem, CatalogItems, SourceSnapshot};
use tokio::sync::mpsc::Sender;

use super::client::Hub;
use super::error::HubError;
use super::model::{Model, ModelRead, ModelSummary};
use super::progress::Progress;
use super::rate_limiter::{CONCURRENCY, RateLimiters};
use super::selector::{self, Selector};
use super::{HubAccess, mapping, settings};
use crate::configuration::Source;
use crate::item_fields::LONGEST_NAME;
use crate::item_reader::ReadItems;
use crate::name_filter::NameFilter;
use crate::performance_metrics::PerformanceMetricsSnapshot;
use crate::source_reader;

/// Problems that the `error` of a source quotes; the others are counted.
const MOST_QUOTED: usize = 20;
/// Models that are stored together while a sync runs.
const BATCH: usize = 500;

/// What a sync uses in addition to the source.
pub struct SyncContext<'a> {
    pub access: &'a HubAccess,
    pub environment: &'a Environment,
    pub rate_limiters: &'a RateLimiters,
    pub performance_metrics: &'a Arc<PerformanceMetricsSnapshot>,
    /// Milliseconds since the Unix epoch.
    pub now: i64,
}

/// The state in which a model was read before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownModel {
    pub revision: String,
    pub gated: String,
    pub private: String,
}

/// Models that were read before, by name.
pub(crate) type KnownModels = HashMap<String, KnownModel>;

/// The result of a sync.
pub struct SyncReport {
    /// Without the items of the batches.
    pub snapshot: SourceSnapshot,
    pub outcome: SyncOutcome,
    /// Number of records of performance metrics that were left out.
    pub performance_metrics_skipped: usize,
}

/// Decides the time of the next sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SyncOutcome {
    /// Everything accessible was read.
    Complete,
    /// The hub or the configuration rejects something permanently. Also repeated at the next start: changes of the token or
    /// the configuration often come with one.
    Rejected,
    /// Something failed temporarily.
    Failed,
}

/// Models to be stored before the sync ends: it may take hours, and they would be lost with the process.
pub struct ModelBatch {
    pub items: CatalogItems,
    /// Number of models that the sync has found.
    pub found: usize,
}

/// Reads the changed models of a source. Sends them to `batches` while it runs and returns the rest in the report.
pub async fn sync(
    source: &Source,
    context: &SyncContext<'_>,
    known: &KnownModels,
    progress: &Progress,
    batches: Sender<ModelBatch>,
) -> SyncReport {
    let sync = async {
        match start(source, context, progress).await {
            Ok((hub, filter, selectors)) => {
                let run = Run { source, context, known, progress, hub: &hub, filter: &filter, batches: &batches };
                run.read(selectors).await
            }
            Err((error, outcome)) => {
                let snapshot = SourceSnapshot {
                    source_id: source.id.clone(),
                    status: "error",
                    error: Some(error),
                    skipped: 0,
                    ignored: 0,
                    items: None,
                    kept: Vec::new(),
                    is_part: false,
                    next_sync: None,
                };
                SyncReport { snapshot, outcome, performance_metrics_skipped: 0 }
            }
        }
    };
    progress.report_while(&source.id, sync).await
}

/// Checks the configuration and the token.
async fn start<'a>(
    source: &Source,
    context: &SyncContext<'_>,
    progress: &'a Progress,
) -> Result<(Hub<'a>, NameFilter, Vec<Selector>), (String, SyncOutcome)> {
    let rejected = |error: String| (error, SyncOutcome::Rejected);
    let organization = settings::organization(source);
    let [_, excluded] = source.patterns();
    let excluded = selector::qualified(&excluded, organization);
    let suffix = source.asset_type.spec().sources.patterns.unwrap_or_default();
    let filter = NameFilter::new(suffix, &[], &excluded).map_err(|empty| rejected(empty.to_string()))?;
    let selectors = settings::selectors(source).map_err(rejected)?;
    let token = settings::token(source, context.environment);
    let hub = Hub::new(settings::url(source), token, context.access, &progress.requests, context.now);
    let hub = hub.map_err(rejected)?.sharing(context.rate_limiters);
    // Temporary: a token may be renewed at the hub, and a retry is one request.
    hub.check_token().await.map_err(|error| (error.to_string(), SyncOutcome::Failed))?;
    Ok((hub, filter, selectors))
}

fn outcome_of(error: &HubError) -> SyncOutcome {
    // A token may be renewed at the hub.
    let may_succeed = error.is_temporary() || matches!(error, HubError::TokenRejected);
    if may_succeed { SyncOutcome::Failed } else { SyncOutcome::Rejected }
}

/// Problems of a sync.
struct Problems {
    messages: Vec<String>,
    /// Number of models that are missing, as far as known.
    skipped: usize,
    outcome: SyncOutcome,
}

impl Problems {
    fn add(&mut self, message: String, missing: usize, outcome: SyncOutcome) {
        self.messages.push(message);
        self.skipped += missing;
        self.outcome = self.outcome.max(outcome);
    }

    /// The first problems, joined into one line, and the number of the others.
    fn summary(&self) -> String {
        let quoted: Vec<&str> = self.messages.iter().take(MOST_QUOTED).map(String::as_str).collect();
        let mut summary = quoted.join("; ");
        if self.messages.len() > MOST_QUOTED {
            let _ = write!(summary, "; and {} more", self.messages.len() - MOST_QUOTED);
        }
        summary
    }
}

/// A running sync.
struct Run<'a> {
    source: &'a Source,
    context: &'a SyncContext<'a>,
    known: &'a KnownModels,
    progress: &'a Progress,
    hub: &'a Hub<'a>,
    filter: &'a NameFilter,
    batches: &'a Sender<ModelBatch>,
}

/// The models that the selectors of a source match.
struct Selected {
    /// By name, since two selectors may match one model; `None` for models selected by name, without a list.
    found: BTreeMap<String, Option<ModelSummary>>,
    /// Known models that stay because their list could not be read.
    kept: BTreeSet<String>,
}

impl Run<'_> {
    async fn read(&self, selectors: Vec<Selector>) -> SyncReport {
        let mut problems = Problems { messages: Vec::new(), skipped: 0, outcome: SyncOutcome::Complete };
        let Selected { found, mut kept } = self.select(selectors, &mut problems).await;
        let names: BTreeSet<String> = found.keys().cloned().collect();
        let reads = found.into_iter().map(|(name, summary)| self.read_one(name, summary));
        let mut reads = futures::stream::iter(reads).buffer_unordered(CONCURRENCY);
        let (mut items, mut read, mut sent) = (CatalogItems::default(), BTreeSet::new(), BTreeSet::new());
        let (mut failures, mut notices) = (Vec::new(), Vec::new());
        let mut is_any_unknown = false;
        while let Some((name, result)) = reads.next().await {
            self.progress.done.inc();
            match result {
                // The hub may use another name than the one that was requested.
                Ok(ModelRead::Unchanged(name)) if self.filter.allows(&name) => {
                    kept.insert(name);
                }
                Ok(ModelRead::Changed(model)) if self.filter.allows(&model.name) => {
                    if model.name.chars().count() > LONGEST_NAME {
                        let message = format!("{}: the name is longer than {LONGEST_NAME} characters", model.name);
                        failures.push((message, SyncOutcome::Rejected));
                    // Two requested names may be those of one model.
                    } else if read.insert(model.name.clone()) {
                        if let Some(problem) = &model.readme_problem {
                            notices.push(format!("{}: published without its card, {problem}", model.name));
                        }
                        match self.item(&model).await {
                            // Its performance metrics cannot be read: the stored ones stay.
                            (_, false) if self.known.contains_key(&model.name) => {
                                kept.insert(model.name.clone());
                                read.remove(&model.name);
                            }
                            (item, _) => items.push(&item),
                        }
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    // What was read before stays, unless the model is gone.
                    if !error.is_gone() {
                        is_any_unknown |= !self.known.contains_key(&name);
                        kept.extend(self.known.contains_key(&name).then(|| name.clone()));
                    }
                    tracing::debug!(source = self.source.id, model = name, %error, "model not read");
                    failures.push((format!("{name}: {error}"), outcome_of(&error)));
                }
            }
            if items.len() >= BATCH {
                sent.clone_from(&read);
                let batch = ModelBatch { items: std::mem::take(&mut items), found: names.len() };
                // The receiver cancels this sync if it cannot store them.
                let _ = self.batches.send(batch).await;
            }
        }
        drop(reads);
        if is_any_unknown {
            // A model that failed may be known by another name.
            let others = self.known.keys().filter(|name| !names.contains(*name) && self.filter.allows(name));
            kept.extend(others.cloned());
        }
        kept.retain(|name| !read.contains(name));
        kept.extend(sent);
        failures.sort();
        for (message, outcome) in failures {
            problems.add(message, 1, outcome);
        }
        notices.sort();
        for message in notices {
            problems.add(message, 0, SyncOutcome::Complete);
        }
        let all = read.into_iter().chain(kept.iter().cloned()).collect();
        let ReadItems { metrics_problems, notices, .. } = self.context.performance_metrics.check(all).await;
        for notice in notices.into_problems(&self.source.id) {
            tracing::warn!(location = notice.location, reason = notice.reason, "catalog source");
        }
        if metrics_problems.count() > 0 {
            problems.add(source_reader::metrics_error(&metrics_problems), 0, SyncOutcome::Complete);
        }
        let performance_metrics_skipped = metrics_problems.count();
        let outcome = problems.outcome;
        SyncReport { snapshot: snapshot(self.source, &problems, items, kept), outcome, performance_metrics_skipped }
    }

    /// The item of a model, and whether its performance metrics could be read.
    async fn item(&self, model: &Model) -> (CatalogItem, bool) {
        let metrics = self.context.performance_metrics;
        let file_url = |file: &str| self.hub.file_url(&model.name, file);
        let item = mapping::item(model, &self.source.id, self.context.now, metrics.checksum(&model.name), file_url);
        metrics.attach(item).await
    }

    async fn select(&self, selectors: Vec<Selector>, problems: &mut Problems) -> Selected {
        let (mut found, mut kept) = (BTreeMap::new(), BTreeSet::new());
        let limit = settings::model_limit(self.source);
        for selector in selectors {
            match selector {
                Selector::Name(name) if self.filter.allows(&name) => {
                    found.entry(name).or_default();
                }
                Selector::Name(_) => {}
                Selector::Prefix { organization, prefix } => {
                    match self.hub.list(&organization, &prefix, usize::MAX).await {
                        Ok(mut listed) => {
                            listed.retain(|model| model.name().is_some_and(|name| self.filter.allows(name)));
                            if let Some(cut) = listed.len().checked_sub(limit).filter(|cut| *cut > 0) {
                                let all = listed.len();
                                let message =
                                    format!("{organization}/{prefix}*: {limit} of {all} models, limited by maxModels");
                                problems.add(message, cut, SyncOutcome::Complete);
                                listed.truncate(limit);
                            }
                            let named = listed.into_iter();
                            found.extend(named.filter_map(|model| Some((model.name()?.to_owned(), Some(model)))));
                        }
                        Err(error) => {
                            problems.add(format!("{organization}/{prefix}*: {error}"), 1, outcome_of(&error));
                            // The known models of the list stay, unless the organisation is gone.
                            if !matches!(error, HubError::NotFound) {
                                let is_of_list = |name: &&String| {
                                    is_listed(name, &organization, &prefix) && self.filter.allows(name)
                                };
                                kept.extend(self.known.keys().filter(is_of_list).cloned());
                            }
                        }
                    }
                }
            }
            self.progress.found.set(i64::try_from(found.len()).unwrap_or(i64::MAX));
        }
        kept.retain(|name| !found.contains_key(name));
        Selected { found, kept }
    }

    async fn read_one(&self, name: String, summary: Option<ModelSummary>) -> (String, Result<ModelRead, HubError>) {
        let is_unchanged = |name: &str, summary: &ModelSummary| {
            let metrics = self.context.performance_metrics.checksum(name);
            self.known.get(name).is_some_and(|known| summary.matches(known, metrics))
        };
        if summary.is_some_and(|summary| is_unchanged(&name, &summary)) {
            return (name.clone(), Ok(ModelRead::Unchanged(name)));
        }
        let read = self.hub.model(&name, is_unchanged).await;
        (name, read)
    }
}

fn snapshot(source: &Source, problems: &Problems, items: CatalogItems, kept: BTreeSet<String>) -> SourceSnapshot {
    let snapshot = SourceSnapshot {
        source_id: source.id.clone(),
        status: "available",
        error: None,
        skipped: problems.skipped,
        ignored: 0,
        items: None,
        kept: kept.into_iter().collect(),
        is_part: false,
        next_sync: None,
    };
    let error = (!problems.messages.is_empty()).then(|| problems.summary());
    match (&error, items.is_empty() && snapshot.kept.is_empty()) {
        (None, _) => SourceSnapshot { items: Some(items), ..snapshot },
        (Some(_), true) => SourceSnapshot { status: "error", error, ..snapshot },
        (Some(_), false) => SourceSnapshot { status: "partially-available", error, items: Some(items), ..snapshot },
    }
}

/// Whether the list of an organisation with a prefix contains the model.
fn is_listed(name: &str, organization: &str, prefix: &str) -> bool {
    name.split_once('/').is_some_and(|(of, _)| of == organization) && selector::has_prefix(name, prefix)
}
