//! A Git repository of 1,000 skills, served by `git http-backend`: the first sync, compared with a clone by `git`, and a sync
//! when nothing has changed.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use model_registry_testkit::{GitRepository, GitServer};

use super::words::{mixed, sentence, word};
use super::{Database, Started, TIMEOUT};
use crate::Arguments;
use crate::connection::Connection;

pub(crate) const SUBJECT: &str = "repository";
const SKILLS: u32 = 1_000;
const SOURCE: &str = "bench";
/// Time between two looks at the metrics.
const POLL: Duration = Duration::from_millis(100);

/// The measurements on one database.
pub(crate) struct Outcome {
    pub(crate) database: &'static str,
    pub(crate) skills: u32,
    /// `git clone --depth 1` from the same server.
    pub(crate) clone: Duration,
    /// From the first request to the end of the transaction that stores the skills.
    pub(crate) first_sync: Duration,
    /// The same when nothing has changed.
    pub(crate) unchanged_sync: Duration,
}

pub(super) async fn measure(arguments: &Arguments, database: &Database) -> Result<Outcome> {
    let directory = tempfile::tempdir()?;
    let server = GitServer::start().await?;
    let repository = server.create("skills.git")?;
    write_skills(&repository)?;
    let started = Instant::now();
    repository.clone_shallow(&directory.path().join("clone")).await?;
    let clone = started.elapsed();
    let sources = directory.path().join("sources.yaml");
    std::fs::write(
        &sources,
        format!(
            "skill_catalogs:\n- id: {SOURCE}\n  name: Bench\n  type: git-skills-plugin\n  \
             properties: {{syncIntervalMinutes: 1, repositories: [{{url: '{}'}}]}}\n",
            repository.url()
        ),
    )?;
    let started = Started::start(arguments, database, &sources, &["--allow-private-hubs"]).await?;
    eprintln!("{}: first sync of {SKILLS} skills", database.name);
    let base_url = &started.target.base_url;
    let (first_sync, ended) = sync_after(base_url, 0.0).await?;
    let published = metric(base_url, "catalog_source_items").await?;
    if published.is_none_or(|published| published < f64::from(SKILLS)) {
        bail!("not all skills were published: {published:?}");
    }
    eprintln!("{}: waiting a minute for the second sync", database.name);
    let (unchanged_sync, _) = sync_after(base_url, ended).await?;
    Ok(Outcome { database: database.name, skills: SKILLS, clone, first_sync, unchanged_sync })
}

/// Skills with instructions of 2 KB and two supporting files.
fn write_skills(repository: &GitRepository) -> Result<()> {
    for number in 0..SKILLS {
        let mixed = mixed(usize::try_from(number)?);
        let name = format!("{}-{number}", word(mixed, 1));
        let steps: Vec<String> = (0..30).map(|step| format!("{step}. {}\n", sentence(mixed + step))).collect();
        let text = steps.concat();
        let skill =
            format!("---\nname: {name}\ndescription: {}\nlicense: MIT\n---\n\n# {name}\n\n{text}", sentence(mixed));
        repository.write(&format!("skills/{name}/SKILL.md"), skill)?;
        repository.write(&format!("skills/{name}/scripts/run.sh"), format!("echo {name}\n"))?;
        repository.write(&format!("skills/{name}/templates/report.md"), text)?;
    }
    repository.commit()?;
    Ok(())
}

/// Waits for a sync that ends after this time; returns its duration and its end, in seconds since the Unix epoch.
async fn sync_after(base_url: &str, before: f64) -> Result<(Duration, f64)> {
    let started = Instant::now();
    while started.elapsed() < TIMEOUT {
        let ended = metric(base_url, "catalog_source_last_success_timestamp_seconds").await?.unwrap_or_default();
        if ended > before {
            let seconds = metric(base_url, "catalog_source_load_seconds").await?.context("the sync has no duration")?;
            return Ok((Duration::from_secs_f64(seconds), ended));
        }
        tokio::time::sleep(POLL).await;
    }
    bail!("no sync within {TIMEOUT:?}")
}

/// The value of a metric of the source; `None` before it has one.
async fn metric(base_url: &str, name: &str) -> Result<Option<f64>> {
    let mut connection = Connection::open(base_url).await?;
    let text = String::from_utf8_lossy(connection.exchange("GET", "/metrics", "").await?).into_owned();
    let start = format!("model_registry_{name}{{source=\"{SOURCE}\"}} ");
    let value = text.lines().find_map(|line| line.strip_prefix(&start));
    value.map(|value| value.trim().parse().with_context(|| format!("{name} is not a number"))).transpose()
}
