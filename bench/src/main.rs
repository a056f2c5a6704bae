//! Load on a running registry, compared with the database alone.
//!
//! **What this is.** A closed loop of connections sends requests to the executable (or with `--base-url` to any server of
//! v1alpha3), and records latencies and the server's processor time, memory and statements. In the same run, pgbench runs the
//! equivalent statements on the same database. **What it never does.** It asserts nothing: it reports ratios. **How to add a
//! scenario.** A line in `scenario.rs`, or for a filter in `shapes.rs`, and its statements in `database_alone.rs` if it has equivalent ones; for the catalog,
//! a line in `catalog/models.rs` or `catalog/lists.rs`; for transfers, a measurement in `transfer/large.rs`.

mod backup;
mod catalog;
mod connection;
mod data;
mod database_alone;
mod latencies;
mod load;
mod process;
mod report;
mod scenario;
mod shapes;
mod start;
mod transfer;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use model_registry_testkit::{Executable, PostgresServer};

use data::Size;
use load::Measured;
use scenario::Scenario;

const DEFAULT_MODELS: usize = 10_000;

/// Command line of the benchmark.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
#[command(name = "cargo xtask bench", about = "Measures a registry under load, and its database alone")]
struct Arguments {
    /// The executable to measure.
    #[arg(long, default_value = "target/release/model-registry")]
    executable: PathBuf,
    /// Another server of the API v1alpha3 to measure with the same load; can be repeated.
    #[arg(long)]
    base_url: Vec<String>,
    /// Measure the catalog on SQLite and PostgreSQL: 100,000 models, 10,000 agents and skills, a repository of 1,000 skills.
    #[arg(long)]
    catalog: bool,
    /// Measure starts: time until the server is ready, and its memory when idle.
    #[arg(long, conflicts_with = "catalog")]
    start: bool,
    /// Measure every shape of filters on SQLite, PostgreSQL and MariaDB.
    #[arg(long, conflicts_with_all = ["catalog", "start"])]
    shapes: bool,
    /// With `--shapes`, the databases to measure; can be repeated.
    #[arg(long, requires = "shapes", value_parser = shapes::DATABASE_NAMES)]
    database: Vec<String>,
    /// Measure transfers of model files, next to boto3 and skopeo: rate, memory, many small files, kills.
    #[arg(long, conflicts_with_all = ["catalog", "start", "shapes"])]
    transfer: bool,
    /// With `--transfer`: the size of all 20 large files in GiB, such as 10 or 0.1; 2.2 times as much disk is needed.
    #[arg(long, default_value_t = 1.0)]
    gib: f64,
    /// With `--transfer`: the number of files of 1 KiB; 0 leaves this part out.
    #[arg(long, default_value_t = 20_000)]
    small_files: usize,
    /// With `--transfer`: the number of transfers that are killed at a random moment; 0 leaves this part out.
    #[arg(long, default_value_t = 50)]
    kills: usize,
    /// Serve a directory as an S3 store: the server of `--transfer`.
    #[arg(long, hide = true)]
    serve_s3: Option<PathBuf>,
    /// Accept requests without signatures.
    #[arg(long, hide = true)]
    public: bool,
    /// Number of models; each has ten versions with ten properties and two artifacts.
    #[arg(long, default_value_t = DEFAULT_MODELS)]
    models: usize,
    /// Use 100,000 models with a million versions.
    #[arg(long)]
    large: bool,
    /// Number of connections.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Duration of each scenario in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Run only the scenarios whose name contains this (with `--catalog`, the measurements: `models on SQLite`, `agents and
    /// skills on PostgreSQL`, `repository on SQLite` ...; with `--transfer`, `large`, `small` or `kills`).
    #[arg(long)]
    only: Option<String>,
    /// Folder for `report.md`, `report.json` and `report.svg`.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

impl Arguments {
    fn size(&self) -> Size {
        Size { models: if self.large { 100_000 } else { self.models }, versions_per_model: 10 }
    }
}

/// A server under load.
struct Target {
    name: String,
    base_url: String,
    process: Option<u32>,
}

/// One thread, like pgbench: with more, a thread that waits for sockets would have to wake another one for every response.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(directory) = &arguments.serve_s3 {
        return transfer::serve_s3(directory, arguments.public);
    }
    if arguments.transfer {
        return transfer::run(&arguments).await;
    }
    if arguments.catalog {
        return catalog::run(&arguments).await;
    }
    if arguments.start {
        return start::run(&arguments.executable, &arguments.out).await;
    }
    if arguments.shapes {
        return shapes::run(&arguments).await;
    }
    let directory = tempfile::tempdir()?;
    let mut postgres = PostgresServer::start(directory.path()).await?;
    let server = Executable::launch(&arguments.executable)
        .arguments(["server", "--listen", "127.0.0.1:{port}", "--log-level", "warn", "--database", &postgres.url()])
        .start()
        .await
        .context("cannot start the executable: build it with `cargo build --release`")?;
    let mut targets =
        vec![Target { name: "model-registry".into(), base_url: server.base_url(), process: server.process_id() }];
    for base_url in &arguments.base_url {
        targets.push(Target { name: base_url.clone(), base_url: base_url.clone(), process: None });
    }
    let size = arguments.size();
    let mut results = Vec::new();
    let mut copies = Vec::new();
    for target in &targets {
        let data = data::make(&target.base_url, size).await?;
        if target.process.is_some() {
            database_alone::analyse(&postgres.url())?;
        }
        // Before pgbench inserts rows that are not valid entities.
        if target.process.is_some() && arguments.only.as_ref().is_none_or(|only| backup::NAME.contains(only.as_str())) {
            copies = backup::run(&arguments.executable, &postgres.url()).await?;
        }
        for scenario in Scenario::all(&data) {
            if arguments.only.as_ref().is_some_and(|only| !scenario.name.contains(only.as_str())) {
                continue;
            }
            eprintln!("{}: {}", target.name, scenario.name);
            let duration = Duration::from_secs(arguments.seconds);
            let measured = load::run(target, &scenario, arguments.connections, duration).await?;
            let database_alone = if target.process.is_some() {
                database_alone::run(&scenario, &data, &postgres.url(), arguments.connections, duration)?
            } else {
                None
            };
            results.push(Row { target: target.name.clone(), measured, database_alone });
        }
    }
    report::write(&arguments.out, &results, &copies, size, arguments.connections)?;
    postgres.stop(model_registry_testkit::Stop::Hard).await?;
    Ok(())
}

/// The measurements of a scenario.
struct Row {
    target: String,
    measured: Measured,
    /// Transactions per second of the equivalent statements by pgbench.
    database_alone: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// They take minutes, so no test runs them: this one parses them.
    #[test]
    fn every_benchmark_in_the_documentation_can_be_parsed() {
        let page = include_str!("../../docs/performance.md");
        let commands: Vec<&str> = page.lines().filter(|line| line.starts_with("cargo xtask bench")).collect();
        for command in &commands {
            let words = command.split(" #").next().unwrap_or_default().split_whitespace().skip(2);
            let parsed = Arguments::try_parse_from(words);
            assert!(parsed.is_ok(), "{command}: {}", parsed.unwrap_err());
        }
        assert!(commands.len() > 4, "{commands:?}");
    }
}
