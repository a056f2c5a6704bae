//! What a source of type `hf` would publish, before anybody configures it.
//!
//! Whoever may read may ask, so this does less than a configured source: it sends no token, whatever the configuration names,
//! it reads lists alone, and both their length and the time are limited. Hosts and addresses are checked as ever.

use std::collections::HashSet;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::time::{Instant, timeout_at};

use super::client::Hub;
use super::pattern::{self, Wanted};
use super::settings::DEFAULT_URL;
use super::{Gates, HubAccess};
use crate::pattern::NameFilter;

/// For everything together, waits for a busy hub included.
const TIMEOUT: Duration = Duration::from_secs(20);
const DEFAULT_MODELS: usize = 500;
const MOST_MODELS: usize = 1_000;

/// The source as somebody thinks of it.
pub struct Preview<'a> {
    pub url: Option<&'a str>,
    pub included: &'a [String],
    pub excluded: &'a [String],
    pub organization: Option<&'a str>,
    /// `maxModels`; 0 stands for the most that a preview reads.
    pub limit: Option<usize>,
}

/// The names that the hub has, each with whether it would be published; `now` is in milliseconds.
///
/// A pattern whose list cannot be read is left out, unless nothing is left then (parity, catalog-service 2.12).
pub async fn preview(
    preview: &Preview<'_>,
    access: &HubAccess,
    gates: &Gates,
    now: i64,
) -> Result<Vec<(String, bool)>, String> {
    let wanted = pattern::wanted(preview.included, preview.organization)?;
    let excluded = pattern::prefixed(preview.excluded, preview.organization);
    let filter = NameFilter::new("Models", &[], &excluded).map_err(|empty| empty.to_string())?;
    let most = preview.limit.unwrap_or(DEFAULT_MODELS);
    let most = if most == 0 { MOST_MODELS } else { most.min(MOST_MODELS) };
    let requests = Counter::default();
    let hub = |url: &str| Hub::new(url.trim_end_matches('/'), None, access, &requests, now);
    // An address that sources may not read from is as good as none (parity, catalog-service 2.12).
    let hub = match preview.url.map(hub) {
        Some(Ok(hub)) => Ok(hub),
        Some(Err(reason)) => hub(DEFAULT_URL).map_err(|_| reason),
        None => hub(DEFAULT_URL),
    };
    let hub = hub.map(|hub| hub.sharing(gates));
    let end = Instant::now() + TIMEOUT;
    let (mut names, mut seen) = (Vec::new(), HashSet::new());
    let mut failed = None;
    for wanted in wanted {
        let found = match wanted {
            // Whether there is one tells the first load.
            Wanted::Exactly(name) => vec![name],
            Wanted::Listed { organization, prefix } => {
                let listed = match &hub {
                    Ok(hub) => match timeout_at(end, hub.list(&organization, &prefix, most)).await {
                        Ok(listed) => listed.map_err(|error| error.to_string()),
                        Err(_) => Err(format!("the hub did not answer within {} seconds", TIMEOUT.as_secs())),
                    },
                    Err(reason) => Err(reason.clone()),
                };
                match listed {
                    Ok(listed) => listed.iter().take(most).filter_map(|one| one.name().map(str::to_owned)).collect(),
                    Err(reason) => {
                        failed.get_or_insert(format!("{organization}/{prefix}*: {reason}"));
                        Vec::new()
                    }
                }
            }
        };
        names.extend(found.into_iter().filter(|name| seen.insert(name.clone())));
    }
    match failed {
        Some(reason) if names.is_empty() => Err(reason),
        _ => Ok(names.into_iter().map(|name| (name.clone(), filter.allows(&name))).collect()),
    }
}
