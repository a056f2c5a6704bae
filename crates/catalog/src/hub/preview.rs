//! What a source of type `hf` would publish, before anybody configures it.
//!
//! Whoever may read may ask, so this does less than a configured source: it sends no token, whatever the configuration names,
//! it reads lists alone, and both their length and the time are limited. Hosts and addresses are checked as ever.

use std::collections::HashSet;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;

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
pub(crate) struct Preview<'a> {
    pub(crate) url: Option<&'a str>,
    pub(crate) included: &'a [String],
    pub(crate) excluded: &'a [String],
    pub(crate) organization: Option<&'a str>,
    /// `maxModels`; 0 stands for the most that a preview reads.
    pub(crate) limit: Option<usize>,
}

/// The names that the hub has, each with whether it would be published; `now` is in milliseconds.
pub(crate) async fn preview(
    preview: &Preview<'_>,
    access: &HubAccess,
    gates: &Gates,
    now: i64,
) -> Result<Vec<(String, bool)>, String> {
    let read = tokio::time::timeout(TIMEOUT, read(preview, access, gates, now)).await;
    read.unwrap_or_else(|_| Err(format!("the hub did not answer within {} seconds", TIMEOUT.as_secs())))
}

async fn read(
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
    let hub = Hub::new(preview.url.unwrap_or(DEFAULT_URL).trim_end_matches('/'), None, access, &requests, now)?;
    let hub = hub.sharing(gates);
    let (mut names, mut seen) = (Vec::new(), HashSet::new());
    for wanted in wanted {
        let found = match wanted {
            // Whether there is one tells the first load.
            Wanted::Exactly(name) => vec![name],
            Wanted::Listed { organization, prefix } => {
                let listed = hub.list(&organization, &prefix, most).await;
                let listed = listed.map_err(|error| format!("{organization}/{prefix}*: {error}"))?;
                listed.iter().take(most).filter_map(|model| model.name().map(str::to_owned)).collect()
            }
        };
        names.extend(found.into_iter().filter(|name| seen.insert(name.clone())));
    }
    Ok(names.into_iter().map(|name| (name.clone(), filter.allows(&name))).collect())
}
