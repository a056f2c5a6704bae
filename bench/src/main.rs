//! Load on a running registry, beside what its database can do alone.
//!
//! **What this is.** A closed loop of connections drives the executable (or any server that speaks v1alpha3, with
//! `--base-url`), records latencies, the server's processor time, memory and statements, and runs the equivalent statement
//! by pgbench on the same database in the same run. **What it never does.** It asserts nothing: it reports ratios.
//! **How to add a scenario.** A constructor in `scenario.rs`, and its limit in `limit.rs` where the database has one; of the
//! catalog, a line in `catalog.rs`.

mod backup;
mod catalog;
mod connection;
mod data;
mod limit;
mod load;
mod process;
mod report;
mod scenario;
mod start;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use model_registry_testkit::{Executable, PostgresServer};

use data::Size;
use load::Measured;
use scenario::Scenario;

const DEFAULT_MODELS: usize = 10_000;

/// What to measure.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", about = "Measures a registry beside the limit of its database")]
struct Arguments {
    /// The executable to measure.
    #[arg(long, default_value = "target/release/model-registry")]
    executable: PathBuf,
    /// Another server that speaks v1alpha3, put under the same load; may be given several times.
    #[arg(long)]
    base_url: Vec<String>,
    /// Measure the catalog: a file of 100,000 models loaded, searched and replaced, on SQLite and PostgreSQL.
    #[arg(long)]
    catalog: bool,
    /// Measure starts: time until it is ready, and memory while nobody asks anything.
    #[arg(long, conflicts_with = "catalog")]
    start: bool,
    /// Models to make; each gets ten versions with ten properties and two artifacts.
    #[arg(long, default_value_t = DEFAULT_MODELS)]
    models: usize,
    /// 100,000 models with a million versions.
    #[arg(long)]
    large: bool,
    /// Connections.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Seconds each scenario runs.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Only scenarios (of the catalog: databases) whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// Where `report.md`, `report.json` and `report.svg` go.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

/// One server under load.
struct Target {
    name: String,
    base_url: String,
    process: Option<u32>,
}

/// One thread, as pgbench: another one that waits for the sockets would have to wake this one for every answer.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.catalog {
        return catalog::run(&arguments).await;
    }
    if arguments.start {
        return start::run(&arguments.executable, &arguments.out).await;
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
    let size = Size { models: if arguments.large { 100_000 } else { arguments.models }, versions_per_model: 10 };
    let mut results = Vec::new();
    let mut copied = Vec::new();
    for target in &targets {
        let data = data::make(&target.base_url, size).await?;
        if target.process.is_some() {
            limit::analyse(&postgres.url())?;
        }
        // Before pgbench adds rows that only look like entities.
        if target.process.is_some() && arguments.only.as_ref().is_none_or(|only| backup::NAME.contains(only.as_str())) {
            copied = backup::run(&arguments.executable, &postgres.url()).await?;
        }
        for scenario in Scenario::all(&data) {
            if arguments.only.as_ref().is_some_and(|only| !scenario.name.contains(only.as_str())) {
                continue;
            }
            eprintln!("{}: {}", target.name, scenario.name);
            let duration = Duration::from_secs(arguments.seconds);
            let measured = load::run(target, &scenario, arguments.connections, duration).await?;
            let limit = if target.process.is_some() {
                limit::run(&scenario, &data, &postgres.url(), arguments.connections, duration)?
            } else {
                None
            };
            results.push(Row { target: target.name.clone(), measured, limit });
        }
    }
    report::write(&arguments.out, &results, &copied, size, arguments.connections)?;
    postgres.stop(model_registry_testkit::Stop::Hard).await?;
    Ok(())
}

/// A scenario's numbers and the limit beside them.
struct Row {
    target: String,
    measured: Measured,
    /// Transactions a second of the equivalent statements by pgbench.
    limit: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// They run for minutes, so no test runs them; that they are understood is tested here.
    #[test]
    fn every_benchmark_that_the_manual_names_is_understood() {
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
