//! The catalog with a file of 100,000 models: loaded, searched, and replaced while it is read.

mod data;
mod readers;
mod report;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use model_registry_testkit::executable::Ready;
use model_registry_testkit::{Executable, PostgresServer, Stop};
use serde_json::Value;

use crate::connection::{Call, Connection};
use crate::load::{self, Measured};
use crate::scenario::Scenario;
use crate::{Arguments, Target, process};
use data::{Content, HARDWARE, WORDS};
use readers::{Readers, Reads};

pub(crate) const MODELS: &str = "/api/model_catalog/v1alpha1/models";
/// Few, because the load generator shares the processor with the server.
const CONNECTIONS: usize = 4;
const TIMEOUT: Duration = Duration::from_mins(10);
const SOURCES: &str =
    "model_catalogs:\n- {id: bench, name: Bench, type: yaml, properties: {yamlCatalogPath: models.yaml}}\n";

/// The measurements on one database.
pub(crate) struct Outcome {
    pub(crate) database: &'static str,
    /// From the start of the process until it is ready.
    pub(crate) first_load: Duration,
    /// Peak memory in bytes until then.
    pub(crate) peak_memory: u64,
    /// Peak memory in bytes of the whole run.
    pub(crate) final_peak_memory: u64,
    pub(crate) queries: Vec<Measured>,
    /// From the change of one model in the file to the first response that contains it.
    pub(crate) one_changed: Duration,
    /// The same for a change of all models.
    pub(crate) all_changed: Duration,
    pub(crate) reads: Reads,
}

/// All measurements, and the data they were made with.
pub(crate) struct Report {
    pub(crate) models: usize,
    /// Size of the file.
    pub(crate) bytes: u64,
    /// Time for reading and checking the file without a database.
    pub(crate) reading: Duration,
    pub(crate) outcomes: Vec<Outcome>,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let models = if arguments.models == crate::DEFAULT_MODELS { 100_000 } else { arguments.models };
    let sources = directory.path().join("sources.yaml");
    std::fs::write(&sources, SOURCES)?;
    let bytes = write(directory.path(), Content { models, round: 0, first: 0 })?;
    let reading = reading(&arguments.executable, &sources)?;
    let mut postgres = PostgresServer::start(&directory.path().join("postgres")).await?;
    let file = tempfile::tempdir()?;
    let sqlite = format!("sqlite:{}", file.path().join("catalog.db").display());
    let mut outcomes = Vec::new();
    for (name, url) in [("SQLite", sqlite), ("PostgreSQL", postgres.url())] {
        if arguments.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        write(directory.path(), Content { models, round: 0, first: 0 })?;
        outcomes.push(measure(arguments, name, &url, directory.path(), models).await?);
    }
    postgres.stop(Stop::Hard).await?;
    report::write(&arguments.out, &Report { models, bytes, reading, outcomes })
}

fn write(directory: &Path, content: Content) -> Result<u64> {
    data::write(&directory.join("models.yaml"), content)
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

async fn measure(
    arguments: &Arguments,
    database: &'static str,
    url: &str,
    directory: &Path,
    models: usize,
) -> Result<Outcome> {
    eprintln!("{database}: first load");
    let started = Instant::now();
    let sources = directory.join("sources.yaml");
    let sources = sources.to_string_lossy();
    let server = Executable::launch(&arguments.executable)
        .arguments(["catalog", "--listen", "127.0.0.1:{port}", "--log-level", "warn", "--database", url])
        .arguments(["--catalogs-path", &*sources])
        .ready(Ready::Listening)
        .start()
        .await?;
    let target = Target { name: database.to_owned(), base_url: server.base_url(), process: server.process_id() };
    until(&target.base_url, "/readyz", |_| true).await?;
    let first_load = started.elapsed();
    let peak_memory = peak_memory(&target);

    let mut queries = Vec::new();
    for scenario in scenarios() {
        eprintln!("{database}: {}", scenario.name);
        queries.push(load::run(&target, &scenario, CONNECTIONS, Duration::from_secs(arguments.seconds)).await?);
    }

    eprintln!("{database}: one model changed");
    write(directory, Content { models, round: 0, first: 1 })?;
    let path = format!("/api/model_catalog/v1alpha1/sources/bench/models/{}", data::name(0));
    let one_changed =
        until(&target.base_url, &path, |model| model["customProperties"]["state"]["int_value"] == "1").await?;
    eprintln!("{database}: all models changed, under readers");
    let readers = Readers::start(&target.base_url, 2);
    write(directory, Content { models, round: 1, first: 1 })?;
    let all_changed =
        until(&target.base_url, &path, |model| model["customProperties"]["round"]["string_value"] == "1").await?;
    let reads = readers.stop().await?;
    // Each scenario resets the kernel's peak.
    let peak_of_queries = queries.iter().filter_map(|query| query.memory).max().unwrap_or_default();
    let final_peak_memory = peak_memory.max(peak_of_queries).max(self::peak_memory(&target));
    Ok(Outcome { database, first_load, peak_memory, final_peak_memory, queries, one_changed, all_changed, reads })
}

fn peak_memory(target: &Target) -> u64 {
    target.process.and_then(process::peak_memory).unwrap_or_default()
}

/// Polls until the response is the expected one; returns how long that took.
async fn until(base_url: &str, path: &str, is_expected: impl Fn(&Value) -> bool) -> Result<Duration> {
    let started = Instant::now();
    loop {
        let mut connection = Connection::open(base_url).await?;
        if let Ok(body) = connection.send(&Call::get(path)).await
            && is_expected(&serde_json::from_slice(body).unwrap_or_default())
        {
            return Ok(started.elapsed());
        }
        if started.elapsed() > TIMEOUT {
            bail!("{path}: no expected response within {TIMEOUT:?}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn scenarios() -> Vec<Scenario> {
    let filtered = |filter: String| Call::get(format!("{MODELS}?filterQuery={}", encoded(&filter)));
    vec![
        Scenario::new("first page", |_| Call::get(MODELS)),
        Scenario::new("q, one word", |number| Call::get(format!("{MODELS}?q={}", WORDS[number % WORDS.len()]))),
        Scenario::new("q, part of a name", |number| {
            let part = data::mixed(number) % 1_000;
            Call::get(format!("{MODELS}?q={}-{part}", WORDS[number % WORDS.len()]))
        }),
        Scenario::new("q, nothing found", |number| Call::get(format!("{MODELS}?q=nothing-{number}"))),
        Scenario::new("filter, 3 properties", move |number| {
            filtered(format!("provider='Provider {}' AND license='MIT' AND params_billion>30", number % 50))
        }),
        Scenario::new("filter, artifacts", move |number| {
            filtered(format!("artifacts.hardware_type='{}' AND artifacts.ttft_p90<25", HARDWARE[number % 6]))
        }),
        Scenario::new("filter_options", |_| Call::get(format!("{MODELS}/filter_options"))),
    ]
}

/// Percent-encodes the characters of the filters above that a URL cannot contain.
fn encoded(filter: &str) -> String {
    filter.replace(' ', "%20").replace('<', "%3C").replace('>', "%3E")
}
