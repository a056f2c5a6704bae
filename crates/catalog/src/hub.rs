//! Sources of type `hf`: models of a Hugging Face hub, read over its API.
//!
//! What a source may do to the network is decided here: which hosts, which addresses, how many requests at once. Its token
//! goes to the source's own host and nowhere else, and is never logged.

mod address;
mod client;
mod limits;
mod mapping;
mod pattern;
mod preview;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use futures::StreamExt;
use model_registry_server::config::Environment;
use model_registry_store::{CatalogItems, SourceSnapshot};

use crate::configuration::Source;
use crate::pattern::NameFilter;

pub use address::HubAccess;
use client::{Hub, HubError, Listed};
use pattern::Wanted;
pub(crate) use preview::{Preview, preview};

const DEFAULT_URL: &str = "https://huggingface.co";
const DEFAULT_TOKEN_VARIABLE: &str = "HF_API_KEY";
const DEFAULT_INTERVAL: Duration = Duration::from_hours(24);
/// More often would be no courtesy to the hub.
const LEAST_INTERVAL: Duration = Duration::from_mins(1);
/// Requests to one hub at once.
const CONCURRENCY: usize = 4;

/// The custom property that holds what a model looked like when it was read: the cursor of the next sync.
pub(crate) const REVISION: &str = "hf_revision";

/// The source's own sync interval.
fn interval(source: &Source) -> Duration {
    let chosen = source.text_property("syncInterval").and_then(duration);
    chosen.map_or(DEFAULT_INTERVAL, |chosen| chosen.max(LEAST_INTERVAL))
}

/// How long to wait until the next sync, after so many in a row that did not read everything.
pub(crate) fn pause(source: &Source, failures: u32) -> Duration {
    pause_of(interval(source), failures)
}

fn pause_of(interval: Duration, failures: u32) -> Duration {
    match failures.checked_sub(1) {
        None => interval,
        Some(doublings) => LEAST_INTERVAL.saturating_mul(2_u32.saturating_pow(doublings)).min(interval),
    }
}

/// Which models the source asks for; the error is what is wrong with its configuration.
pub(crate) fn wanted(source: &Source) -> Result<Vec<Wanted>, String> {
    pattern::wanted(source.included.as_deref().unwrap_or_default(), source.text_property("allowedOrganization"))
}

/// Reads what the hub has, and tells how many requests that took. `revisions` tells what is stored already: such models
/// are not read again.
pub(crate) async fn sync(
    source: &Source,
    access: &HubAccess,
    environment: &Environment,
    revisions: &HashMap<String, String>,
    now: i64,
) -> (SourceSnapshot, u64) {
    let failed = |error: String| SourceSnapshot {
        source_id: source.id.clone(),
        status: "error",
        error: Some(error),
        skipped: 0,
        items: None,
        kept: Vec::new(),
    };
    let requests = AtomicU64::new(0);
    let snapshot = read(source, access, environment, revisions, now, &requests).await.unwrap_or_else(failed);
    (snapshot, requests.into_inner())
}

async fn read(
    source: &Source,
    access: &HubAccess,
    environment: &Environment,
    revisions: &HashMap<String, String>,
    now: i64,
    requests: &AtomicU64,
) -> Result<SourceSnapshot, String> {
    let url = source.text_property("url").unwrap_or(DEFAULT_URL).trim_end_matches('/');
    let variable = source.text_property("apiKeyEnvVar").unwrap_or(DEFAULT_TOKEN_VARIABLE);
    let hub = Hub::new(url, environment.get(variable), access, requests, now)?;
    hub.check_token().await?;
    let organization = source.text_property("allowedOrganization");
    let prefixed = |list: Option<&Vec<String>>| -> Vec<String> {
        let list = list.into_iter().flatten();
        list.map(|one| organization.map_or_else(|| one.clone(), |organization| format!("{organization}/{one}")))
            .collect()
    };
    let filter = NameFilter::new("Models", &[], &prefixed(source.excluded.as_ref()))?;
    let limit = source.properties.get("maxModels").and_then(serde_json::Value::as_u64).filter(|limit| *limit > 0);

    let mut problems: Vec<String> = Vec::new();
    let mut unlisted: Vec<&String> = Vec::new();
    // By name: two patterns may find one model.
    let mut found: BTreeMap<String, Option<Listed>> = BTreeMap::new();
    for wanted in wanted(source)? {
        match wanted {
            Wanted::Exactly(name) => {
                found.entry(name).or_default();
            }
            Wanted::Listed { organization, prefix } => match hub.list(&organization, &prefix, usize::MAX).await {
                Ok(mut listed) => {
                    listed.retain(|model| model.name().is_some_and(|name| filter.allows(name)));
                    let most = usize::try_from(limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
                    if listed.len() > most {
                        problems.push(format!(
                            "{organization}/{prefix}*: {} models, of which maxModels lets {most} in",
                            listed.len()
                        ));
                        listed.truncate(most);
                    }
                    found.extend(listed.into_iter().filter_map(|model| Some((model.name()?.to_owned(), Some(model)))));
                }
                Err(error) => {
                    problems.push(format!("{organization}/{prefix}*: {error}"));
                    // Nobody knows what is there now, unless the hub says that it is gone.
                    if !matches!(error, HubError::NotFound) {
                        let is_of = |name: &&String| is_listed(name, &organization, &prefix) && filter.allows(name);
                        unlisted.extend(revisions.keys().filter(is_of));
                    }
                }
            },
        }
    }
    unlisted.retain(|name| !found.contains_key(*name));
    unlisted.sort();
    unlisted.dedup();
    let found = found.into_iter().filter(|(name, _)| filter.allows(name));
    let reads = found.map(|(name, listed)| {
        let hub = &hub;
        async move {
            let known = revisions.get(&name);
            let read = match &listed {
                Some(listed) if known.is_some() && known == listed.revision().as_ref() => Ok(None),
                _ => hub.model(&name).await.map(Some),
            };
            (name, read)
        }
    });
    let read: Vec<(String, Result<Option<client::Model>, HubError>)> =
        futures::stream::iter(reads).buffer_unordered(CONCURRENCY).collect().await;
    let mut kept: Vec<String> = unlisted.into_iter().cloned().collect();
    let (mut items, mut failures) = (CatalogItems::default(), Vec::new());
    for (name, read) in read {
        match read {
            Ok(None) => kept.push(name),
            Ok(Some(model)) if !filter.allows(&model.name) => {}
            Ok(Some(model)) => items.push(&mapping::item(&model, &source.id, now)),
            Err(error) => {
                failures.push(format!("{name}: {error}"));
                // What was read before is better than nothing, unless the hub says that it is gone.
                if error.is_temporary() && revisions.contains_key(&name) {
                    kept.push(name);
                }
            }
        }
    }
    failures.sort();
    problems.extend(failures);
    let skipped = problems.len();
    let text = problems.join("; ");
    let snapshot =
        SourceSnapshot { source_id: source.id.clone(), status: "available", error: None, skipped, items: None, kept };
    Ok(match (skipped, items.is_empty() && snapshot.kept.is_empty()) {
        (0, _) => SourceSnapshot { items: Some(items), ..snapshot },
        (_, true) => SourceSnapshot { status: "error", error: Some(text), ..snapshot },
        (_, false) => {
            SourceSnapshot { status: "partially-available", error: Some(text), items: Some(items), ..snapshot }
        }
    })
}

/// Whether a list of an organisation with a prefix would have the model.
fn is_listed(name: &str, organization: &str, prefix: &str) -> bool {
    name.split_once('/').is_some_and(|(of, _)| of == organization) && pattern::has_prefix(name, prefix)
}

/// `90s`, `30m`, `24h`, `1h30m`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut digits = String::new();
    for character in text.trim().chars() {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        let number: u64 = digits.parse().ok()?;
        digits.clear();
        let seconds = match character {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return None,
        };
        total = total.checked_add(Duration::from_secs(number.checked_mul(seconds)?))?;
    }
    (digits.is_empty() && !total.is_zero()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_that_failed_is_repeated_soon_and_then_less_often() {
        let minutes: Vec<u64> = (0..13).map(|failures| pause_of(DEFAULT_INTERVAL, failures).as_secs() / 60).collect();
        assert_eq!(minutes[..5], [24 * 60, 1, 2, 4, 8]);
        assert_eq!(minutes[12], 24 * 60, "no more often than it would be without failures");
    }

    #[test]
    fn intervals_are_written_as_the_reference_takes_them() {
        assert_eq!(duration("1h30m"), Some(Duration::from_mins(90)));
        assert_eq!(duration("90s"), Some(Duration::from_secs(90)));
        for wrong in ["", "h", "12", "0s", "-1h", "1d"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
