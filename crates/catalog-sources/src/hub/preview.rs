//! Previews of sources of type `hf` before they are configured.
//!
//! Any client that may read can request one, so it does less than a configured source: it does not send a token, reads only
//! lists, and limits their length and the time. Hosts and addresses are checked as for sources.

use std::collections::HashSet;
use std::time::Duration;

use model_registry_base::{Cancellation, run_cancellable};
use prometheus_client::metrics::counter::Counter;
use tokio::time::{Instant, timeout_at};

use super::client::Hub;
use super::selector::{self, Selector};
use super::settings::DEFAULT_URL;
use super::{HubAccess, RateLimiters};
use crate::name_filter::NameFilter;

/// Time limit of a preview, including waits for rate limits.
const TIMEOUT: Duration = Duration::from_secs(20);
const DEFAULT_MODELS: usize = 500;
const MOST_MODELS: usize = 1_000;

/// The configuration of the source.
pub struct Preview<'a> {
    pub url: Option<&'a str>,
    pub included: &'a [String],
    pub excluded: &'a [String],
    pub organization: Option<&'a str>,
    /// `maxModels`; 0 means as many as a preview may read.
    pub limit: Option<usize>,
}

/// Lists the names that the hub has, each with whether it would be published; `now` is in milliseconds.
///
/// A pattern whose list cannot be read is left out, unless no names remain (parity: the Kubeflow Model Registry does so).
pub async fn preview(
    preview: &Preview<'_>,
    access: &HubAccess,
    limiters: &RateLimiters,
    now: i64,
) -> Result<Vec<(String, bool)>, String> {
    let selectors = selector::parse(preview.included, preview.organization)?;
    let excluded = selector::qualified(preview.excluded, preview.organization);
    let filter = NameFilter::new("Models", &[], &excluded).map_err(|empty| empty.to_string())?;
    let limit = preview.limit.unwrap_or(DEFAULT_MODELS);
    let limit = if limit == 0 { MOST_MODELS } else { limit.min(MOST_MODELS) };
    let requests = Counter::default();
    let hub = |url: &str| Hub::new(url.trim_end_matches('/'), None, access, &requests, now);
    // A URL that is not allowed is ignored (parity: the Kubeflow Model Registry does so).
    let hub = match preview.url.map(hub) {
        Some(Ok(hub)) => Ok(hub),
        Some(Err(reason)) => hub(DEFAULT_URL).map_err(|_| reason),
        None => hub(DEFAULT_URL),
    };
    let hub = hub.map(|hub| hub.sharing(limiters));
    let end = Instant::now() + TIMEOUT;
    let (mut names, mut seen) = (Vec::new(), HashSet::new());
    let mut first_error = None;
    for selector in selectors {
        let found = match selector {
            // Whether it exists is checked by the first sync.
            Selector::Name(name) => vec![name],
            Selector::Prefix { organization, prefix } => {
                let listed = match &hub {
                    Ok(hub) => match timeout_at(end, hub.list(&organization, &prefix, limit)).await {
                        Ok(listed) => listed.map_err(|error| error.to_string()),
                        Err(_) => Err(format!("the hub did not respond within {} seconds", TIMEOUT.as_secs())),
                    },
                    Err(reason) => Err(reason.clone()),
                };
                match listed {
                    Ok(listed) => {
                        listed.iter().take(limit).filter_map(|model| model.name().map(str::to_owned)).collect()
                    }
                    Err(reason) => {
                        first_error.get_or_insert(format!("{organization}/{prefix}*: {reason}"));
                        Vec::new()
                    }
                }
            }
        };
        names.extend(found.into_iter().filter(|name| seen.insert(name.clone())));
    }
    match first_error {
        Some(reason) if names.is_empty() => Err(reason),
        _ => {
            let decide = move |work: &Cancellation| filter.decide(names, work);
            run_cancellable(TIMEOUT, decide).await.map_err(|cancelled| cancelled.to_string())
        }
    }
}
