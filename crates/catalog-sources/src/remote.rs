//! Sources that are read over the network: hubs and Git repositories. Each is synced by a task of its own, when it is due.

use std::time::Duration;

use model_registry_api::catalog::SourceType;
use model_registry_base::{Environment, hex};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::configuration::Source;
use crate::git::credentials_variable;
use crate::hub;
use crate::performance_metrics::PerformanceMetricsSnapshot;
use crate::skills::{self, SkillSettings};

/// Increment it whenever the same commit becomes other skills: then all repositories are read again.
const SKILL_FORMAT: u8 = 1;
/// Time between two syncs of repositories.
const REPOSITORY_INTERVAL: Duration = Duration::from_hours(1);

/// What a source is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remote {
    Hub,
    Repositories,
}

impl Remote {
    /// What a source is read from; `None` for sources that are read from files, and for those with a mistake in their
    /// configuration, which reading the sources reports.
    pub fn of(source: &Source) -> Option<Self> {
        let source_type = source.asset_type.spec().sources.source_type(&source.source_type)?;
        match source_type {
            SourceType::Hub if hub::is_hub_source(source) => Some(Self::Hub),
            SourceType::Git if is_git_source(source) => Some(Self::Repositories),
            _ => None,
        }
    }
}

/// Whether a source is read over the network.
pub fn is_remote(source: &Source) -> bool {
    Remote::of(source).is_some()
}

fn is_git_source(source: &Source) -> bool {
    source.enabled && source.problem.is_none() && !skills::repositories(source).is_empty()
}

/// Time between two syncs.
pub fn sync_interval(source: &Source) -> Duration {
    match source.skills.as_deref() {
        Some(SkillSettings::Git { interval, .. }) => interval.unwrap_or(REPOSITORY_INTERVAL),
        _ => hub::sync_interval(source),
    }
}

/// Time until the next sync: the interval, or after failures an exponential back-off up to the interval.
pub fn next_sync_delay(source: &Source, failures_in_a_row: u32) -> Duration {
    hub::back_off(sync_interval(source), failures_in_a_row)
}

/// A checksum of everything that decides what a sync reads. The name and labels of the source do not count, nor do the values
/// of credentials.
pub fn sync_fingerprint(source: &Source, environment: &Environment, metrics: &PerformanceMetricsSnapshot) -> String {
    let Some(settings) = &source.skills else { return hub::sync_fingerprint(source, environment, metrics) };
    let secrets = skills::repositories(source).iter().filter_map(|repository| repository.auth_secret_name.as_deref());
    let has_credentials: Vec<bool> =
        secrets.map(|secret| environment.get(&credentials_variable(secret)).is_some()).collect();
    let read = json!([SKILL_FORMAT, settings, has_credentials]);
    hex(&Sha256::digest(read.to_string().as_bytes()))
}
