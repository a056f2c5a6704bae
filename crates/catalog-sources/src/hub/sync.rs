//! One sync: what a hub has now, compared with what was read before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::sync::Arc;

use futures::StreamExt;
use model_registry_catalog_store::{CatalogItems, SourceSnapshot};
use model_registry_server::config::Environment;
use tokio::sync::mpsc::Sender;

use super::client::{Hub, HubError, LARGEST_README, Listed, Read};
use super::gate::{CONCURRENCY, Gates};
use super::pattern::{self, Wanted};
use super::progress::Progress;
use super::{HubAccess, Measured, mapping, settings};
use crate::configuration::Source;
use crate::loader;
use crate::models::Found;
use crate::pattern::NameFilter;
use crate::values::LONGEST_NAME;

/// Problems that a status shows; the others are counted.
const SHOWN: usize = 20;
/// Models that are stored together while a sync runs.
const BATCH: usize = 500;

/// How a hub may be asked.
pub struct Asking<'a> {
    pub access: &'a HubAccess,
    pub environment: &'a Environment,
    pub gates: &'a Gates,
    pub measured: &'a Arc<Measured>,
    /// In milliseconds.
    pub now: i64,
}

/// What was read of a model before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub revision: String,
    pub gated: String,
    pub private: String,
}

/// What was read before, by name.
pub(super) type Stored = HashMap<String, Seen>;

/// What a sync brought.
pub struct Synced {
    pub snapshot: SourceSnapshot,
    pub ending: Ending,
    /// Measurements that were left out.
    pub measurements_skipped: usize,
}

/// How a sync ended, which decides when the next one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// Everything that may be read was.
    Complete,
    /// The hub or the configuration refuses something, and will do so again: until somebody changes that, which often
    /// comes with a restart.
    Refused,
    /// Something failed that may be different soon.
    Failed,
}

/// Models that were read, to be stored before the sync ends: reading all may take hours, and they would be lost with the
/// process.
pub struct Batch {
    pub items: CatalogItems,
    /// How many models there will be.
    pub found: usize,
}

/// Reads what the hub has. Models that are as they were are not read again. `batches` takes what is read meanwhile; what
/// comes back is the rest.
pub async fn sync(
    source: &Source,
    asking: &Asking<'_>,
    stored: &Stored,
    progress: &Progress,
    batches: Sender<Batch>,
) -> Synced {
    let sync = async {
        match start(source, asking, progress).await {
            Ok((hub, filter, wanted)) => {
                Run { source, asking, stored, progress, hub: &hub, filter: &filter, batches: &batches }
                    .read(wanted)
                    .await
            }
            Err((error, ending)) => {
                let snapshot = SourceSnapshot {
                    source_id: source.id.clone(),
                    status: "error",
                    error: Some(error),
                    skipped: 0,
                    items: None,
                    kept: Vec::new(),
                    is_part: false,
                    next_sync: None,
                };
                Synced { snapshot, ending, measurements_skipped: 0 }
            }
        }
    };
    progress.told(&source.id, sync).await
}

/// What has to be right before anything is read.
async fn start<'a>(
    source: &Source,
    asking: &Asking<'_>,
    progress: &'a Progress,
) -> Result<(Hub<'a>, NameFilter, Vec<Wanted>), (String, Ending)> {
    let refused = |error: String| (error, Ending::Refused);
    let organization = settings::organization(source);
    let excluded = pattern::prefixed(source.excluded.as_deref().unwrap_or_default(), organization);
    let filter = NameFilter::new("Models", &[], &excluded).map_err(|empty| refused(empty.to_string()))?;
    let wanted = settings::wanted(source).map_err(refused)?;
    let token = settings::token(source, asking.environment);
    let hub = Hub::new(settings::url(source), token, asking.access, &progress.requests, asking.now).map_err(refused)?;
    let hub = hub.sharing(asking.gates);
    // It may be renewed at the hub, and asking again is one request.
    hub.check_token().await.map_err(|error| (error, Ending::Failed))?;
    Ok((hub, filter, wanted))
}

fn ending(error: &HubError) -> Ending {
    if error.is_temporary() { Ending::Failed } else { Ending::Refused }
}

/// What could not be read.
struct Problems {
    texts: Vec<String>,
    /// How many models are missing, as far as that is known.
    skipped: usize,
    ending: Ending,
}

impl Problems {
    fn add(&mut self, text: String, missing: usize, ending: Ending) {
        self.texts.push(text);
        self.skipped += missing;
        self.ending = self.ending.max(ending);
    }

    fn text(&self) -> String {
        let mut text = self.texts.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("; ");
        if self.texts.len() > SHOWN {
            let _ = write!(text, "; and {} more", self.texts.len() - SHOWN);
        }
        text
    }
}

/// All that a sync is about.
struct Run<'a> {
    source: &'a Source,
    asking: &'a Asking<'a>,
    stored: &'a Stored,
    progress: &'a Progress,
    hub: &'a Hub<'a>,
    filter: &'a NameFilter,
    batches: &'a Sender<Batch>,
}

/// What the lists and the configuration ask for.
struct Selected {
    /// By name: two patterns may find one model.
    found: BTreeMap<String, Option<Listed>>,
    /// Models that stay although no list has them: it could not be read.
    kept: BTreeSet<String>,
}

impl Run<'_> {
    async fn read(&self, wanted: Vec<Wanted>) -> Synced {
        let mut problems = Problems { texts: Vec::new(), skipped: 0, ending: Ending::Complete };
        let Selected { found, mut kept } = self.select(wanted, &mut problems).await;
        let names: BTreeSet<String> = found.keys().cloned().collect();
        let reads = found.into_iter().map(|(name, listed)| self.read_one(name, listed));
        let mut reads = futures::stream::iter(reads).buffer_unordered(CONCURRENCY);
        let (mut items, mut read, mut sent) = (CatalogItems::default(), BTreeSet::new(), BTreeSet::new());
        let (mut failures, mut notices) = (Vec::new(), Vec::new());
        let mut is_any_unknown = false;
        while let Some((name, answer)) = reads.next().await {
            self.progress.done.inc();
            match answer {
                // The hub may call a model by another name than it was asked for.
                Ok(Read::Same(name)) if self.filter.allows(&name) => {
                    kept.insert(name);
                }
                Ok(Read::New(model)) if self.filter.allows(&model.name) => {
                    if model.name.chars().count() > LONGEST_NAME {
                        let text = format!("{name}: its name has more than {LONGEST_NAME} characters");
                        failures.push((text, Ending::Refused));
                    } else if read.insert(model.name.clone()) {
                        if model.is_cut {
                            let most = LARGEST_README / 1024;
                            let text =
                                format!("{}: published without its card, which has more than {most} KiB", model.name);
                            notices.push(text);
                        }
                        // Two names may be those of one model.
                        let Asking { measured, now, .. } = self.asking;
                        let item = mapping::item(&model, &self.source.id, *now, measured.digest(&model.name));
                        items.push(&measured.attach(item).await);
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    // What was read before is better than nothing, unless the hub says that it is gone.
                    if !error.says_gone() {
                        is_any_unknown |= !self.stored.contains_key(&name);
                        kept.extend(self.stored.contains_key(&name).then(|| name.clone()));
                    }
                    tracing::debug!(source = self.source.id, model = name, %error, "model not read");
                    failures.push((format!("{name}: {error}"), ending(&error)));
                }
            }
            if items.len() >= BATCH {
                sent.clone_from(&read);
                let batch = Batch { items: std::mem::take(&mut items), found: names.len() };
                // Whoever stores them ends this sync when that is not possible.
                let _ = self.batches.send(batch).await;
            }
        }
        drop(reads);
        if is_any_unknown {
            // It may be stored under the name that the hub calls it by.
            let others = self.stored.keys().filter(|name| !names.contains(*name) && self.filter.allows(name));
            kept.extend(others.cloned());
        }
        kept.retain(|name| !read.contains(name));
        kept.extend(sent);
        failures.sort();
        for (text, ending) in failures {
            problems.add(text, 1, ending);
        }
        notices.sort();
        for text in notices {
            problems.add(text, 0, Ending::Complete);
        }
        let all = read.into_iter().chain(kept.iter().cloned()).collect();
        let Found { measurements, notices, .. } = self.asking.measured.check(all).await;
        for notice in notices.into_problems(&self.source.id) {
            tracing::warn!(place = notice.place, reason = notice.reason, "catalog source");
        }
        if measurements.count() > 0 {
            problems.add(loader::unmeasured(&measurements), 0, Ending::Complete);
        }
        Synced { measurements_skipped: measurements.count(), ..finish(self.source, &problems, items, kept) }
    }

    async fn select(&self, wanted: Vec<Wanted>, problems: &mut Problems) -> Selected {
        let (mut found, mut kept) = (BTreeMap::new(), BTreeSet::new());
        let most = settings::limit(self.source);
        for wanted in wanted {
            match wanted {
                Wanted::Exactly(name) if self.filter.allows(&name) => {
                    found.entry(name).or_default();
                }
                Wanted::Exactly(_) => {}
                Wanted::Listed { organization, prefix } => {
                    match self.hub.list(&organization, &prefix, usize::MAX).await {
                        Ok(mut listed) => {
                            listed.retain(|model| model.name().is_some_and(|name| self.filter.allows(name)));
                            if let Some(cut) = listed.len().checked_sub(most).filter(|cut| *cut > 0) {
                                let all = listed.len();
                                let text = format!(
                                    "{organization}/{prefix}*: {all} models, of which maxModels lets {most} in"
                                );
                                problems.add(text, cut, Ending::Complete);
                                listed.truncate(most);
                            }
                            let named = listed.into_iter();
                            found.extend(named.filter_map(|model| Some((model.name()?.to_owned(), Some(model)))));
                        }
                        Err(error) => {
                            problems.add(format!("{organization}/{prefix}*: {error}"), 1, ending(&error));
                            // Nobody knows what is there now, unless the hub says that it is gone.
                            if !matches!(error, HubError::NotFound) {
                                let is_of = |name: &&String| {
                                    is_listed(name, &organization, &prefix) && self.filter.allows(name)
                                };
                                kept.extend(self.stored.keys().filter(is_of).cloned());
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

    async fn read_one(&self, name: String, listed: Option<Listed>) -> (String, Result<Read, HubError>) {
        let is_same = |name: &str, listed: &Listed| {
            let measured = self.asking.measured.digest(name);
            self.stored.get(name).is_some_and(|seen| listed.is_as(seen, measured))
        };
        if listed.is_some_and(|listed| is_same(&name, &listed)) {
            return (name.clone(), Ok(Read::Same(name)));
        }
        let read = self.hub.model(&name, is_same).await;
        (name, read)
    }
}

fn finish(source: &Source, problems: &Problems, items: CatalogItems, kept: BTreeSet<String>) -> Synced {
    let snapshot = SourceSnapshot {
        source_id: source.id.clone(),
        status: "available",
        error: None,
        skipped: problems.skipped,
        items: None,
        kept: kept.into_iter().collect(),
        is_part: false,
        next_sync: None,
    };
    let error = (!problems.texts.is_empty()).then(|| problems.text());
    let snapshot = match (&error, items.is_empty() && snapshot.kept.is_empty()) {
        (None, _) => SourceSnapshot { items: Some(items), ..snapshot },
        (Some(_), true) => SourceSnapshot { status: "error", error, ..snapshot },
        (Some(_), false) => SourceSnapshot { status: "partially-available", error, items: Some(items), ..snapshot },
    };
    Synced { snapshot, ending: problems.ending, measurements_skipped: 0 }
}

/// Whether a list of an organisation with a prefix would have the model.
fn is_listed(name: &str, organization: &str, prefix: &str) -> bool {
    name.split_once('/').is_some_and(|(of, _)| of == organization) && pattern::has_prefix(name, prefix)
}
