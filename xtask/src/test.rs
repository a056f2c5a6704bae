//! `cargo xtask test`: checks the dependencies, starts the throw-away databases, makes the Python environments, runs all
//! tests, stops everything.

use std::any::Any;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use model_registry_testkit::database::{MARIADB_VARIABLE, MYSQL_VARIABLE, POSTGRES_VARIABLE};
use model_registry_testkit::{MariaDbServer, PostgresServer};
use tempfile::TempDir;

use crate::dependencies::Telling;
use crate::programs::Program;
use crate::{cargo, dependencies, programs, python};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Install what is missing, as the administrator.
    #[arg(long)]
    install: bool,
    /// The databases to test on; SQLite is always one of them.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "sqlite,postgres,mariadb")]
    db: Vec<Database>,
    /// Run only the tests whose name contains this, and do not check the dependencies.
    #[arg(long)]
    filter: Option<String>,
    /// Leave out the tests that need Python programs.
    #[arg(long)]
    skip_python: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
    Mariadb,
}

/// What the tests find in their environment, and what lives as long as they run.
struct Servers {
    variables: Vec<(&'static str, OsString)>,
    running: Vec<Box<dyn Any>>,
    // Last: the servers are stopped before their files are removed.
    directory: TempDir,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    let start = Instant::now();
    let databases: BTreeSet<Database> = arguments.db.iter().copied().chain([Database::Sqlite]).collect();
    let mut needed = Vec::new();
    if databases.contains(&Database::Postgres) {
        needed.push(Program::Postgres);
    }
    if databases.contains(&Database::Mariadb) {
        needed.push(Program::MariaDb);
    }
    if !arguments.skip_python {
        needed.push(Program::Python);
    }
    if arguments.filter.is_none() {
        needed.push(Program::CargoDeny);
    }
    programs::require(&needed, arguments.install).await?;

    let mut build = cargo::command(["test", "--workspace", "--locked", "--no-run"]);
    let (servers, ..) =
        tokio::try_join!(start_servers(&databases), prepare_python(arguments), cargo::complete(&mut build))?;

    let mut tests = cargo::command(["test", "--workspace", "--locked", "--no-fail-fast"]);
    tests.args(&arguments.filter).envs(servers.variables.iter().map(|(name, value)| (name, value)));
    if !arguments.skip_python {
        tests.envs(python::ENVIRONMENTS.iter().map(python::Environment::variable));
    }
    let dependencies = if arguments.filter.is_none() { dependencies::check(Telling::Failures).await } else { Ok(()) };
    let result = cargo::complete(&mut tests).await;
    drop(servers);

    eprintln!("{}", summary(arguments, &databases, result.is_ok(), start));
    result.context("tests failed")?;
    dependencies.context("the dependencies are not as deny.toml wants them")
}

async fn start_servers(databases: &BTreeSet<Database>) -> Result<Servers> {
    let directory = tempfile::Builder::new().prefix("model-registry-databases-").tempdir()?;
    // The database servers run as users of their own and have to get to their directories.
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let mut servers = Servers { variables: Vec::new(), running: Vec::new(), directory };
    if databases.contains(&Database::Postgres) {
        let server = PostgresServer::start(&servers.directory.path().join("postgres")).await?;
        servers.variables.push((POSTGRES_VARIABLE, server.url().into()));
        servers.running.push(Box::new(server));
    }
    if databases.contains(&Database::Mariadb) {
        let server = MariaDbServer::start(&servers.directory.path().join("mariadb")).await?;
        servers.variables.push((MARIADB_VARIABLE, server.url().into()));
        servers.running.push(Box::new(server));
    }
    Ok(servers)
}

async fn prepare_python(arguments: &Arguments) -> Result<()> {
    if arguments.skip_python { Ok(()) } else { python::prepare_all().await }
}

fn summary(arguments: &Arguments, databases: &BTreeSet<Database>, passed: bool, start: Instant) -> String {
    // The tests themselves look for this server.
    let has_mysql = std::env::var_os(MYSQL_VARIABLE).is_some_and(|url| !url.is_empty());
    let (there, absent) = names(databases, has_mysql);
    let absent = match absent.as_slice() {
        [] => String::new(),
        absent => format!(", not on {}", absent.join(", ")),
    };
    let python = if arguments.skip_python { "without" } else { "with" };
    let which =
        arguments.filter.as_ref().map_or_else(|| "all tests".to_owned(), |filter| format!("tests named `{filter}`"));
    let result = if passed { "passed" } else { "FAILED" };
    let seconds = start.elapsed().as_secs();
    format!(
        "xtask test: {which} on {}{absent}, {python} the Python programs: {result} after {seconds} s",
        there.join(", ")
    )
}

/// The databases that were tested on, and the others with what it takes to test on them.
fn names(databases: &BTreeSet<Database>, has_mysql: bool) -> (Vec<&'static str>, Vec<String>) {
    let all = [
        ("SQLite", databases.contains(&Database::Sqlite), "--db sqlite".to_owned()),
        ("PostgreSQL", databases.contains(&Database::Postgres), "--db postgres".to_owned()),
        ("MariaDB", databases.contains(&Database::Mariadb), "--db mariadb".to_owned()),
        ("MySQL", has_mysql, format!("{MYSQL_VARIABLE} names no server")),
    ];
    let there = all.iter().filter(|(_, there, _)| *there).map(|(name, ..)| *name).collect();
    let absent =
        all.iter().filter(|(_, there, _)| !there).map(|(name, _, remedy)| format!("{name} ({remedy})")).collect();
    (there, absent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_tested_on_is_named() {
        let some = BTreeSet::from([Database::Sqlite, Database::Mariadb]);
        let (there, absent) = names(&some, false);
        assert_eq!(there, ["SQLite", "MariaDB"]);
        assert_eq!(absent, ["PostgreSQL (--db postgres)", "MySQL (MR_TEST_MYSQL_URL names no server)"]);
        let all = BTreeSet::from([Database::Sqlite, Database::Postgres, Database::Mariadb]);
        assert_eq!(names(&all, true), (vec!["SQLite", "PostgreSQL", "MariaDB", "MySQL"], vec![]));
    }
}
