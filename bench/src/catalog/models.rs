//! A file of 100,000 models next to the other three asset types: loaded, searched, and replaced while it is read.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::model_data::{self, Content, HARDWARE};
use super::readers::{Readers, Reads};
use super::words::{self, WORDS};
use super::{Database, FirstLoad, Started, filtered, list_data, peak_memory, until};
use crate::Arguments;
use crate::connection::Call;
use crate::load::Measured;
use crate::scenario::Scenario;

pub(crate) const SUBJECT: &str = "models";
pub(crate) const MODELS: &str = "/api/model_catalog/v1alpha1/models";
const DEFAULT_MODELS: usize = 100_000;
/// Of each of the other asset types.
const OTHERS: usize = 1_000;
const SOURCES: &str = "\
model_catalogs:
- {id: bench, name: Bench, type: yaml, properties: {yamlCatalogPath: models.yaml}}
mcp_catalogs:
- {id: servers, name: Servers, type: yaml, properties: {yamlCatalogPath: servers.yaml}}
agent_catalogs:
- {id: agents, name: Agents, type: yaml, properties: {yamlCatalogPath: agents.yaml}}
skill_catalogs:
- {id: skills, name: Skills, type: yaml, properties: {yamlCatalogPath: skills.yaml}}
";

/// The measurements on one database.
pub(crate) struct Outcome {
    pub(crate) first_load: FirstLoad,
    /// Time for reading and checking the files without a database.
    pub(crate) reading: Duration,
    /// Peak memory in bytes of the whole run.
    pub(crate) final_peak_memory: u64,
    pub(crate) queries: Vec<Measured>,
    /// From the change of one model in the file to the first response that contains it.
    pub(crate) one_changed: Duration,
    /// The same for a change of all models.
    pub(crate) all_changed: Duration,
    pub(crate) reads: Reads,
}

pub(super) async fn measure(arguments: &Arguments, database: &Database) -> Result<Outcome> {
    let name = database.name;
    let directory = tempfile::tempdir()?;
    let models = if arguments.models == crate::DEFAULT_MODELS { DEFAULT_MODELS } else { arguments.models };
    let sources = directory.path().join("sources.yaml");
    std::fs::write(&sources, SOURCES)?;
    list_data::write_servers(&directory.path().join("servers.yaml"), OTHERS)?;
    list_data::write_agents(&directory.path().join("agents.yaml"), OTHERS)?;
    list_data::write_skills(&directory.path().join("skills.yaml"), OTHERS)?;
    let bytes = write(directory.path(), Content { models, round: 0, first: 0 })?;
    eprintln!("{name}: {models} models, read without a database");
    let reading = reading(&arguments.executable, &sources)?;
    eprintln!("{name}: first load");
    let started = Started::start(arguments, database, &sources, &[]).await?;
    let queries = started.query(arguments, scenarios()).await?;

    let base_url = &started.target.base_url;
    eprintln!("{name}: one model changed");
    write(directory.path(), Content { models, round: 0, first: 1 })?;
    let path = format!("/api/model_catalog/v1alpha1/sources/bench/models/{}", model_data::name(0));
    let one_changed = until(base_url, &path, |model| model["customProperties"]["state"]["int_value"] == "1").await?;
    eprintln!("{name}: all models changed, under readers");
    let readers = Readers::start(base_url, 2);
    write(directory.path(), Content { models, round: 1, first: 1 })?;
    let all_changed = until(base_url, &path, |model| model["customProperties"]["round"]["string_value"] == "1").await?;
    let reads = readers.stop().await?;
    // Each scenario resets the kernel's peak.
    let peak_of_queries = queries.iter().filter_map(|query| query.memory).max().unwrap_or_default();
    let first_load = started.first_load(database, models, bytes);
    let final_peak_memory = first_load.peak_memory.max(peak_of_queries).max(peak_memory(&started.target));
    Ok(Outcome { first_load, reading, final_peak_memory, queries, one_changed, all_changed, reads })
}

fn write(directory: &Path, content: Content) -> Result<u64> {
    model_data::write(&directory.join("models.yaml"), content)
}

fn reading(executable: &Path, sources: &Path) -> Result<Duration> {
    let started = Instant::now();
    let output = Command::new(executable).args(["catalog", "check"]).arg(sources).output();
    let output = output.context("cannot start the executable: build it with `cargo build --release`")?;
    if !output.status.success() {
        bail!("catalog check: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(started.elapsed())
}

fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("first page", |_| Call::get(MODELS)),
        Scenario::new("q, one word", |number| Call::get(format!("{MODELS}?q={}", WORDS[number % WORDS.len()]))),
        Scenario::new("q, part of a name", |number| {
            let part = words::mixed(number) % 1_000;
            Call::get(format!("{MODELS}?q={}-{part}", WORDS[number % WORDS.len()]))
        }),
        Scenario::new("q, nothing found", |number| Call::get(format!("{MODELS}?q=nothing-{number}"))),
        Scenario::new("filter, 3 properties", |number| {
            filtered(MODELS, &format!("provider='Provider {}' AND license='MIT' AND params_billion>30", number % 50))
        }),
        Scenario::new("filter, artifacts", |number| {
            let hardware = HARDWARE[number % HARDWARE.len()];
            filtered(MODELS, &format!("artifacts.hardware_type='{hardware}' AND artifacts.ttft_p90<25"))
        }),
        Scenario::new("filter_options", |_| Call::get(format!("{MODELS}/filter_options"))),
    ]
}
