//! The catalog: 100,000 models next to the other asset types, 10,000 agents and skills, and a Git repository of 1,000 skills.

mod list_data;
mod lists;
mod model_data;
mod models;
mod readers;
mod report;
mod repository;
mod words;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use model_registry_testkit::executable::Ready;
use model_registry_testkit::{Executable, PostgresServer, Stop};
use serde_json::Value;

use crate::connection::{Call, Connection};
use crate::load::{self, Measured};
use crate::scenario::Scenario;
use crate::{Arguments, Target, process};

/// Few, because the load generator shares the processor with the server.
const CONNECTIONS: usize = 4;
const TIMEOUT: Duration = Duration::from_mins(10);

/// All measurements.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) models: Vec<models::Outcome>,
    pub(crate) lists: Vec<lists::Outcome>,
    pub(crate) repositories: Vec<repository::Outcome>,
}

/// An empty database to measure with.
struct Database {
    name: &'static str,
    url: String,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    let mut report = Report::default();
    for name in ["SQLite", "PostgreSQL"] {
        // Each measurement has a database of its own.
        if is_selected(arguments, models::SUBJECT, name) {
            let (database, server, _files) = empty(name).await?;
            report.models.push(models::measure(arguments, &database).await?);
            stop(server).await?;
        }
        if is_selected(arguments, lists::SUBJECT, name) {
            let (database, server, _files) = empty(name).await?;
            report.lists.push(lists::measure(arguments, &database).await?);
            stop(server).await?;
        }
        if is_selected(arguments, repository::SUBJECT, name) {
            let (database, server, _files) = empty(name).await?;
            report.repositories.push(repository::measure(arguments, &database).await?);
            stop(server).await?;
        }
    }
    report::write(&arguments.out, &report)
}

/// Whether `--only` selects a measurement: its name is for example `models on SQLite`.
fn is_selected(arguments: &Arguments, subject: &str, database: &str) -> bool {
    let name = format!("{subject} on {database}");
    arguments.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
}

/// An empty database, the server that it is on, and the directory of its files.
async fn empty(name: &'static str) -> Result<(Database, Option<PostgresServer>, tempfile::TempDir)> {
    let directory = tempfile::tempdir()?;
    if name == "SQLite" {
        let url = format!("sqlite:{}", directory.path().join("catalog.db").display());
        return Ok((Database { name, url }, None, directory));
    }
    let server = PostgresServer::start(&directory.path().join("postgres")).await?;
    Ok((Database { name, url: server.url() }, Some(server), directory))
}

async fn stop(server: Option<PostgresServer>) -> Result<()> {
    if let Some(mut server) = server {
        server.stop(Stop::Hard).await?;
    }
    Ok(())
}

/// The first load of a catalog.
pub(crate) struct FirstLoad {
    pub(crate) database: &'static str,
    pub(crate) items: usize,
    /// Size of the files.
    pub(crate) bytes: u64,
    /// From the start of the process until it is ready.
    pub(crate) duration: Duration,
    /// Peak memory in bytes until then.
    pub(crate) peak_memory: u64,
}

/// A catalog whose first load has ended.
struct Started {
    target: Target,
    /// From the start of the process until it is ready.
    duration: Duration,
    /// Peak memory in bytes until then.
    peak_memory: u64,
    /// Killed when it is dropped.
    _server: Executable,
}

impl Started {
    async fn start(arguments: &Arguments, database: &Database, sources: &Path, options: &[&str]) -> Result<Self> {
        let started = Instant::now();
        let sources = sources.to_string_lossy();
        let server = Executable::launch(&arguments.executable)
            .arguments(["catalog", "--listen", "127.0.0.1:{port}", "--log-level", "warn", "--database", &database.url])
            .arguments(["--catalogs-path", &*sources])
            .arguments(options.iter().copied())
            .ready(Ready::Listening)
            .start()
            .await?;
        let target =
            Target { name: database.name.to_owned(), base_url: server.base_url(), process: server.process_id() };
        until(&target.base_url, "/readyz", |_| true).await?;
        let (duration, peak_memory) = (started.elapsed(), peak_memory(&target));
        Ok(Self { target, duration, peak_memory, _server: server })
    }

    fn first_load(&self, database: &Database, items: usize, bytes: u64) -> FirstLoad {
        FirstLoad { database: database.name, items, bytes, duration: self.duration, peak_memory: self.peak_memory }
    }

    async fn query(&self, arguments: &Arguments, scenarios: Vec<Scenario>) -> Result<Vec<Measured>> {
        let mut queries = Vec::new();
        for scenario in scenarios {
            eprintln!("{}: {}", self.target.name, scenario.name);
            let duration = Duration::from_secs(arguments.seconds);
            queries.push(load::run(&self.target, &scenario, CONNECTIONS, duration).await?);
        }
        Ok(queries)
    }
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

/// A list with a filter.
fn filtered(list: &str, filter: &str) -> Call {
    let encoded: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    Call::get(format!("{list}?filterQuery={encoded}"))
}
