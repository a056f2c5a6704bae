//! Previews of sources of type `git-skills-plugin` before they are configured.
//!
//! Any client that may read can request one, so it does less than a configured source: it sends no credentials, and has less
//! time and space. Hosts and addresses are checked as for sources.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use model_registry_base::Cancellation;

use super::protocol::Connection;
use super::transport::{TransferLimits, Transport};
use super::{read, refs};
use crate::hub::{HubAccess, Progress};
use crate::skills::{Repository, SkillSettings};

/// Limits of all repositories together.
const TIMEOUT: Duration = Duration::from_secs(20);
const MOST_BYTES: u64 = 32 << 20;
const MOST_COMMITS: usize = 10;

/// Reads the names of the skills of all repositories, each with whether it would be published. Blocks.
pub(crate) fn preview(
    settings: &SkillSettings,
    access: &HubAccess,
    work: &Cancellation,
) -> Result<Vec<(String, bool)>, String> {
    let SkillSettings::Git { repositories, .. } = settings else { return Ok(Vec::new()) };
    let end = Instant::now() + TIMEOUT;
    let (mut names, mut commits) = (Vec::new(), 0);
    for repository in repositories {
        if let Some(secret) = &repository.auth_secret_name {
            return Err(format!(
                "a preview reads no variable of the server, so not that of `{secret}` either: leave authSecretName out to \
                 see what is public"
            ));
        }
        let read = repository_names(repository, access, (end, work), &mut commits);
        names.extend(read.map_err(|reason| format!("{}: {reason}", repository.url))?);
    }
    Ok(names)
}

fn repository_names(
    repository: &Repository,
    access: &HubAccess,
    (end, work): (Instant, &Cancellation),
    commits: &mut usize,
) -> Result<Vec<(String, bool)>, String> {
    let progress = Progress::default();
    let limits = TransferLimits { bytes: MOST_BYTES, time: end.saturating_duration_since(Instant::now()) };
    let open = || {
        let transport = Transport::new(&repository.url, None, access, limits, &progress, work.flag())?;
        let connection = Connection::open(transport)?;
        let prefixes = refs::prefixes(&repository.refs);
        let listed = if prefixes.is_empty() { HashMap::new() } else { connection.refs(&prefixes)? };
        Ok::<_, super::error::GitError>((connection, listed))
    };
    let (connection, listed) = open().map_err(|error| error.to_string())?;
    let mut names = Vec::new();
    for (_, resolved) in refs::resolve(&repository.refs, &listed) {
        *commits += 1;
        if *commits > MOST_COMMITS {
            return Err(format!("a preview reads at most {MOST_COMMITS} references"));
        }
        let resolved = resolved.map_err(|error| error.to_string())?;
        let commit = read::read_commit(&connection, repository, &resolved, "", &progress);
        let commit = commit.map_err(|error| error.to_string())?;
        let included = commit.items.into_iter().filter_map(|item| Some((item.name?, true)));
        names.extend(included.chain(commit.excluded.into_iter().map(|name| (name, false))));
    }
    names.sort();
    Ok(names)
}
