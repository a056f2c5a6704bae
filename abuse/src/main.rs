//! Faults and abuses against the executable: what is lost, how long others wait, how much memory it takes.
//!
//! **What this is.** Each scenario starts the executable on a throw-away database, causes a fault or misuses the server while other
//! clients write, and compares the figures with its limits. The result is one table; the exit code is 1 if a limit was exceeded.
//! **What it never does.** It listens and connects on this machine only, and uses no server that it did not start, except for the
//! databases that `MR_TEST_…` variables name. It ends by itself: each scenario has a time limit. **How to add a scenario.** A file in
//! `scenarios/` with its `SCENARIO`, and a line in `scenarios.rs`.

mod abused;
mod api;
mod databases;
mod faulty;
mod ledger;
mod load;
mod raw;
mod report;
mod scenario;
mod scenarios;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use clap::{Parser, ValueEnum};
use model_registry_testkit::Backend;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use databases::Databases;
use report::{Row, Verdict};
use scenario::Scenario;
use stage::Stage;

/// Command line of the abuses.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask abuse",
    about = "Causes faults and misuses the executable, and compares the effects with limits"
)]
struct Arguments {
    /// The executable to test.
    #[arg(long, default_value = "target/release/model-registry")]
    executable: PathBuf,
    /// The databases to run on, comma-separated.
    #[arg(long, value_delimiter = ',', default_value = "sqlite,postgres,mariadb")]
    db: Vec<Database>,
    /// Run only the scenarios whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// Run only the scenarios of the short form, with less load.
    #[arg(long)]
    short: bool,
    /// List the scenarios and end.
    #[arg(long)]
    list: bool,
    /// Folder for `faults.md`, `abuses.md` and `report.json`.
    #[arg(long, default_value = "target/abuse")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
    Mariadb,
}

impl Database {
    fn backend(self) -> Backend {
        match self {
            Self::Sqlite => Backend::Sqlite,
            Self::Postgres => Backend::Postgres,
            Self::Mariadb => Backend::MariaDb,
        }
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let selected: Vec<&Scenario> = scenarios::ALL
        .into_iter()
        .filter(|scenario| arguments.only.as_ref().is_none_or(|only| scenario.name.contains(only.as_str())))
        .collect();
    ensure!(!selected.is_empty(), "no scenario has this name: `--list` lists them");
    if arguments.list {
        eprint!("{}", report::list(&selected));
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.executable.exists() {
        bail!("{} does not exist: build it with `cargo build`, or use --executable", arguments.executable.display());
    }
    raise_file_limit()?;
    let rows = run(&arguments, &selected).await?;
    report::write(&arguments.out, &rows)?;
    let is_exceeded = rows.iter().any(|row| matches!(row.verdict, Verdict::Exceeded(_)));
    Ok(if is_exceeded { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn run(arguments: &Arguments, selected: &[&Scenario]) -> Result<Vec<Row>> {
    let backends: Vec<Backend> = arguments.db.iter().map(|database| database.backend()).collect();
    let of = |scenario: &Scenario| if arguments.short { scenario.short } else { scenario.databases };
    let used = |backend| backends.contains(&backend) && selected.iter().any(|scenario| of(scenario).contains(&backend));
    let databases = Databases::start(&used).await?;
    let mut rows = Vec::new();
    for scenario in selected {
        for backend in of(scenario).iter().copied().filter(|backend| backends.contains(backend)) {
            let stage = Stage {
                backend,
                executable: arguments.executable.clone(),
                admin_url: databases.admin_url(backend),
                is_short: arguments.short,
            };
            let start = Instant::now();
            let limits = if arguments.short { scenario.limits.on_a_busy_machine() } else { scenario.limits };
            let result = tokio::time::timeout(limits.duration, (scenario.run)(stage)).await;
            let result = result.unwrap_or_else(|_| bail!("did not end within {:?}", limits.duration));
            let row = Row::new(scenario, backend, result, limits, start.elapsed());
            eprintln!("{}", row.line());
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Allows this process, and servers that it starts, as many open files as the system permits: some scenarios need thousands of
/// connections.
fn raise_file_limit() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// They take minutes, so no test runs them: this one parses them.
    #[test]
    fn every_command_in_the_documentation_can_be_parsed() {
        let pages = [include_str!("../../docs/maintain.md"), include_str!("../../docs/security.md")];
        let lines = pages.iter().flat_map(|page| page.lines()).filter(|line| line.starts_with("cargo xtask abuse"));
        let commands: Vec<&str> = lines.collect();
        for command in &commands {
            let words = command.split(" #").next().unwrap_or_default().split_whitespace().skip(2);
            let parsed = Arguments::try_parse_from(words);
            assert!(parsed.is_ok(), "{command}: {}", parsed.unwrap_err());
        }
        assert!(commands.len() > 2, "{commands:?}");
    }
}
