//! One sync: what a hub has now, compared with what was read before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;

use futures::StreamExt;
use model_registry_server::config::Environment;
use model_registry_store::{CatalogItems, SourceSnapshot};

use super::client::{Hub, HubError, Listed, Read};
use super::gate::{CONCURRENCY, Gates};
use super::pattern::{self, Wanted};
use super::progress::Progress;
use super::{HubAccess, mapping, settings};
use crate::configuration::Source;
use crate::pattern::NameFilter;

/// Problems that a status shows; the others are counted.
const SHOWN: usize = 20;

/// How a hub may be asked.
pub(crate) struct Asking<'a> {
    pub(crate) access: &'a HubAccess,
    pub(crate) environment: &'a Environment,
    pub(crate) gates: &'a Gates,
    /// In milliseconds.
    pub(crate) now: i64,
}

/// What was read of a model before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) revision: String,
    pub(crate) gated: String,
    pub(crate) private: String,
}

/// What was read before, by name.
pub(crate) type Stored = HashMap<String, Seen>;

/// What a sync brought.
pub(crate) struct Synced {
    pub(crate) snapshot: SourceSnapshot,
    pub(crate) ending: Ending,
}

/// How a sync ended, which decides when the next one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// Everything that may be read was.
    Complete,
    /// The hub or the configuration refuses something, and will do so again: until somebody changes that, which often
    /// comes with a restart.
    Refused,
    /// Something failed that may be different soon.
    Failed,
}

/// Reads what the hub has. Models that are as they were are not read again.
pub(crate) async fn sync(source: &Source, asking: &Asking<'_>, stored: &Stored, progress: &Progress) -> Synced {
    let sync = async {
        match start(source, asking, progress).await {
            Ok((hub, filter, wanted)) => read(source, asking, stored, progress, &hub, &filter, wanted).await,
            Err((error, ending)) => {
                let snapshot = SourceSnapshot {
                    source_id: source.id.clone(),
                    status: "error",
                    error: Some(error),
                    skipped: 0,
                    items: None,
                    kept: Vec::new(),
                    next_sync: None,
                };
                Synced { snapshot, ending }
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
    let filter = NameFilter::new("Models", &[], &excluded).map_err(refused)?;
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

async fn read(
    source: &Source,
    asking: &Asking<'_>,
    stored: &Stored,
    progress: &Progress,
    hub: &Hub<'_>,
    filter: &NameFilter,
    wanted: Vec<Wanted>,
) -> Synced {
    let mut problems = Problems { texts: Vec::new(), skipped: 0, ending: Ending::Complete };
    let mut kept: BTreeSet<String> = BTreeSet::new();
    // By name: two patterns may find one model.
    let mut found: BTreeMap<String, Option<Listed>> = BTreeMap::new();
    let most = settings::limit(source);
    for wanted in wanted {
        match wanted {
            Wanted::Exactly(name) if filter.allows(&name) => {
                found.entry(name).or_default();
            }
            Wanted::Exactly(_) => {}
            Wanted::Listed { organization, prefix } => match hub.list(&organization, &prefix, usize::MAX).await {
                Ok(mut listed) => {
                    listed.retain(|model| model.name().is_some_and(|name| filter.allows(name)));
                    if let Some(cut) = listed.len().checked_sub(most).filter(|cut| *cut > 0) {
                        let all = listed.len();
                        let text = format!("{organization}/{prefix}*: {all} models, of which maxModels lets {most} in");
                        problems.add(text, cut, Ending::Complete);
                        listed.truncate(most);
                    }
                    found.extend(listed.into_iter().filter_map(|model| Some((model.name()?.to_owned(), Some(model)))));
                }
                Err(error) => {
                    problems.add(format!("{organization}/{prefix}*: {error}"), 1, ending(&error));
                    // Nobody knows what is there now, unless the hub says that it is gone.
                    if !matches!(error, HubError::NotFound) {
                        let is_of = |name: &&String| is_listed(name, &organization, &prefix) && filter.allows(name);
                        kept.extend(stored.keys().filter(is_of).cloned());
                    }
                }
            },
        }
        progress.found.set(i64::try_from(found.len()).unwrap_or(i64::MAX));
    }
    kept.retain(|name| !found.contains_key(name));

    let names: BTreeSet<String> = found.keys().cloned().collect();
    let reads = found.into_iter().map(|(name, listed)| read_one(hub, stored, name, listed));
    let mut reads = futures::stream::iter(reads).buffer_unordered(CONCURRENCY);
    let (mut items, mut read) = (CatalogItems::default(), BTreeSet::new());
    let mut failures = Vec::new();
    let mut is_any_unknown = false;
    while let Some((name, answer)) = reads.next().await {
        progress.done.inc();
        match answer {
            // The hub may call a model by another name than it was asked for.
            Ok(Read::Same(name)) if filter.allows(&name) => {
                kept.insert(name);
            }
            Ok(Read::New(model)) if filter.allows(&model.name) => {
                // Two names may be those of one model.
                if read.insert(model.name.clone()) {
                    items.push(&mapping::item(&model, &source.id, asking.now));
                }
            }
            Ok(_) => {}
            Err(error) => {
                // What was read before is better than nothing, unless the hub says that it is gone.
                if error.is_temporary() {
                    is_any_unknown |= !stored.contains_key(&name);
                    kept.extend(stored.contains_key(&name).then(|| name.clone()));
                }
                failures.push((format!("{name}: {error}"), ending(&error)));
            }
        }
    }
    drop(reads);
    if is_any_unknown {
        // It may be stored under the name that the hub calls it by.
        kept.extend(stored.keys().filter(|name| !names.contains(*name) && filter.allows(name)).cloned());
    }
    kept.retain(|name| !read.contains(name));
    failures.sort();
    for (text, ending) in failures {
        problems.add(text, 1, ending);
    }
    finish(source, &problems, items, kept)
}

async fn read_one(
    hub: &Hub<'_>,
    stored: &Stored,
    name: String,
    listed: Option<Listed>,
) -> (String, Result<Read, HubError>) {
    if listed.is_some_and(|listed| stored.get(&name).is_some_and(|seen| listed.is_as(seen))) {
        return (name.clone(), Ok(Read::Same(name)));
    }
    let read = hub.model(&name, |known| stored.get(known)).await;
    (name, read)
}

fn finish(source: &Source, problems: &Problems, items: CatalogItems, kept: BTreeSet<String>) -> Synced {
    let snapshot = SourceSnapshot {
        source_id: source.id.clone(),
        status: "available",
        error: None,
        skipped: problems.skipped,
        items: None,
        kept: kept.into_iter().collect(),
        next_sync: None,
    };
    let error = (!problems.texts.is_empty()).then(|| problems.text());
    let snapshot = match (&error, items.is_empty() && snapshot.kept.is_empty()) {
        (None, _) => SourceSnapshot { items: Some(items), ..snapshot },
        (Some(_), true) => SourceSnapshot { status: "error", error, ..snapshot },
        (Some(_), false) => SourceSnapshot { status: "partially-available", error, items: Some(items), ..snapshot },
    };
    Synced { snapshot, ending: problems.ending }
}

/// Whether a list of an organisation with a prefix would have the model.
fn is_listed(name: &str, organization: &str, prefix: &str) -> bool {
    name.split_once('/').is_some_and(|(of, _)| of == organization) && pattern::has_prefix(name, prefix)
}
