//! `cargo xtask test`: starts temporary databases, creates the Python environments, and runs all tests.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, thread};

use anyhow::{Context, Result, anyhow};
use lexopt::prelude::*;

use crate::check::Report;
use crate::databases::{self, Database, Servers};
use crate::dependencies::{self, Output};
use crate::programs::{self, Program};
use crate::{check, foreign, linted_build, process, python};

/// Environment variable with the URL of a MySQL server; nothing here starts one.
const MYSQL_VARIABLE: &str = "MR_TEST_MYSQL_URL";

/// The package of the executable.
const EXECUTABLE: &str = "model-registry";
/// The package of the faults and abuses.
const ABUSE: &str = "model-registry-abuse";

/// Limit for the short form of the abuses, with the build of its program, on a machine that runs tests at the same time.
const ABUSE_LIMIT: Duration = Duration::from_mins(8);

pub(crate) const HELP: &str = "\
Start temporary databases, check the dependencies and run all tests

Usage: cargo xtask test [OPTIONS]

Options:
  --filter <NAME>   Run only the tests whose name contains this, and do not check the dependencies.
                    Tests on several databases are named after them: `--filter postgres::` runs those on
                    PostgreSQL, `--filter postgres::a_model_is_created` one of them
  --db <DATABASES>  The databases to test on, comma-separated; SQLite is always included
                    [default: sqlite,postgres,mariadb]
  --skip-python     Skip the tests that need Python programs
  --check           Also run the checks of `cargo xtask check`: lints and documentation while the project is
                    compiled, the others with low priority while the tests run
  --install         Install missing programs, as the administrator";

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    install: bool,
    databases: BTreeSet<Database>,
    filter: Option<String>,
    skip_python: bool,
    check: bool,
}

impl Arguments {
    /// Returns `None` if help is requested.
    pub(crate) fn parse(parser: &mut lexopt::Parser) -> Result<Option<Self>> {
        let databases = BTreeSet::from([Database::Sqlite, Database::Postgres, Database::MariaDb]);
        let mut parsed = Self { install: false, databases, filter: None, skip_python: false, check: false };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("install") => parsed.install = true,
                Long("db") => {
                    parsed.databases = Database::parse_list(&parser.value()?.string()?)?;
                    parsed.databases.insert(Database::Sqlite);
                }
                Long("filter") => parsed.filter = Some(parser.value()?.string()?),
                Long("skip-python") => parsed.skip_python = true,
                Long("check") => parsed.check = true,
                Long("help") | Short('h') => return Ok(None),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(Some(parsed))
    }

    fn programs(&self) -> Vec<Program> {
        let mut programs = databases::programs(&self.databases);
        programs.extend([Program::Git, Program::DockerRegistry, Program::Skopeo]);
        programs.extend([Program::Bash, Program::Zsh, Program::Fish]);
        if !self.skip_python {
            programs.push(Program::Python);
        }
        if self.filter.is_none() || self.check {
            programs.push(Program::CargoDeny);
        }
        programs
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let start = Instant::now();
    process::handle_signals()?;
    programs::require(&arguments.programs(), arguments.install)?;
    let variables = if arguments.check { linted_build::variables()? } else { Vec::new() };
    let servers = thread::scope(|scope| {
        let foreign = scope.spawn(|| foreign::prepare(arguments.install));
        let python = scope.spawn(|| if arguments.skip_python { Ok(()) } else { python::prepare_all() });
        process::complete(process::cargo(["test", "--workspace", "--locked", "--no-run"]).envs(variables.clone()))?;
        if arguments.filter.is_none() {
            process::complete(process::cargo(["build", "--locked", "--package", ABUSE]).envs(variables.clone()))?;
        }
        let servers = Servers::start(&arguments.databases)?;
        python.join().map_err(|_| anyhow!("the preparation of the Python environments panicked"))??;
        foreign.join().map_err(|_| anyhow!("the preparation of other projects' programs panicked"))??;
        anyhow::Ok(servers)
    })?;

    let (result, checks) = thread::scope(|scope| {
        let checks = scope.spawn(|| checks(arguments));
        let result = tests(arguments, &servers, &variables);
        (result, checks.join())
    });
    drop(servers);

    let checks = checks.map_err(|_| anyhow!("the checks panicked"))?.finish();
    eprintln!("{}", summary(arguments, result.is_ok(), start));
    result.context("tests failed")?;
    checks
}

/// Runs the tests of the executable, which mostly wait for processes that they started, next to all others and the short form of
/// `cargo xtask abuse`, whose output is printed afterwards.
fn tests(arguments: &Arguments, servers: &Servers, variables: &[(&'static str, OsString)]) -> Result<()> {
    let group = |packages: &[&str]| {
        let mut tests = process::cargo(["test", "--locked", "--no-fail-fast"]);
        tests.args(packages).args(&arguments.filter);
        tests.envs(servers.variables.iter().map(|(name, value)| (name, value))).envs(variables.iter().cloned());
        tests.envs(foreign::variables());
        if !arguments.skip_python {
            tests.envs(python::ENVIRONMENTS.iter().map(python::Environment::variable));
        }
        tests
    };
    thread::scope(|scope| {
        let mut others = group(&["--workspace", "--exclude", EXECUTABLE]);
        let mut abuse = abuse(arguments, servers);
        let others = scope.spawn(move || {
            let (tested, mut output) = process::complete_collected(&mut others, None);
            let Some(abuse) = &mut abuse else { return (tested, output) };
            let (abused, more) = process::complete_collected(abuse, Some(ABUSE_LIMIT));
            output.push_str(&more);
            (tested.and(abused), output)
        });
        let mut of_executable = group(&["--package", EXECUTABLE]);
        // They wait for expiring leases and restarts, so that the processors would idle.
        let threads = thread::available_parallelism().map_or(2, usize::from) * 3 / 2;
        of_executable.env("RUST_TEST_THREADS", threads.max(2).to_string());
        let (of_executable, mut all) = process::complete_and_collect(&mut of_executable);
        let (others, output) = others.join().map_err(|_| anyhow!("a thread panicked"))?;
        eprint!("{output}");
        all.push_str(&output);
        for test in failed_tests(&all) {
            eprintln!("FAILED: {test}");
        }
        of_executable.and(others)
    })
}

/// The names of the failed tests in the output of `cargo test`.
fn failed_tests(output: &str) -> impl Iterator<Item = &str> {
    output.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"))
}

/// The short form of `cargo xtask abuse` on the servers of the tests, unless single tests are run.
fn abuse(arguments: &Arguments, servers: &Servers) -> Option<Command> {
    if arguments.filter.is_some() {
        return None;
    }
    let databases: Vec<&str> = arguments.databases.iter().map(|database| database.name()).collect();
    let built = process::target().join("debug");
    // Not by `cargo run`, which would wait for the checks.
    let mut abuse = Command::new(built.join(ABUSE));
    abuse.args(["--short", "--db", &databases.join(",")]).arg("--executable").arg(built.join(EXECUTABLE));
    abuse.current_dir(process::root());
    abuse.envs(servers.variables.iter().map(|(name, value)| (name, value)));
    Some(abuse)
}

/// The checks that run next to the tests: all of them, or those that take seconds.
fn checks(arguments: &Arguments) -> Report {
    if arguments.check {
        return check::after_linted_build();
    }
    let mut report = Report::default();
    if arguments.filter.is_none() {
        report.step("dependencies", || dependencies::check(Output::Failures));
    }
    report
}

fn summary(arguments: &Arguments, passed: bool, start: Instant) -> String {
    // The tests read this variable themselves.
    let has_mysql = env::var_os(MYSQL_VARIABLE).is_some_and(|url| !url.is_empty());
    let (tested, skipped) = names(&arguments.databases, has_mysql);
    let skipped = match skipped.as_slice() {
        [] => String::new(),
        skipped => format!(", not on {}", skipped.join(", ")),
    };
    let python = if arguments.skip_python { "without" } else { "with" };
    let which =
        arguments.filter.as_ref().map_or_else(|| "all tests".to_owned(), |filter| format!("tests named `{filter}`"));
    let result = if passed { "passed" } else { "FAILED" };
    let seconds = start.elapsed().as_secs();
    format!(
        "xtask test: {which} on {}{skipped}, {python} the Python programs: {result} after {seconds} s",
        tested.join(", ")
    )
}

/// The databases that were tested on, and those that were skipped with the reason.
fn names(databases: &BTreeSet<Database>, has_mysql: bool) -> (Vec<&'static str>, Vec<String>) {
    let all = [
        ("SQLite", databases.contains(&Database::Sqlite), "see --db".to_owned()),
        ("PostgreSQL", databases.contains(&Database::Postgres), "see --db".to_owned()),
        ("MariaDB", databases.contains(&Database::MariaDb), "see --db".to_owned()),
        ("MySQL", has_mysql, format!("{MYSQL_VARIABLE} is not set")),
    ];
    let tested = all.iter().filter(|(_, is_tested, _)| *is_tested).map(|(name, ..)| *name).collect();
    let skipped = all.iter().filter(|(_, is_tested, _)| !is_tested);
    (tested, skipped.map(|(name, _, reason)| format!("{name} ({reason})")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_tests_of_all_groups_are_named() {
        let output = "running 2 tests\ntest one::works ... ok\ntest sqlite::two ... FAILED\n\nfailures:\n\n---- sqlite::two stdout ----\n\
                      test three ... FAILED\ntest result: FAILED. 1 passed; 1 failed\n";
        assert_eq!(failed_tests(output).collect::<Vec<_>>(), ["sqlite::two", "three"]);
    }

    #[test]
    fn databases_that_were_not_tested_on_are_named() {
        let some = BTreeSet::from([Database::Sqlite, Database::MariaDb]);
        let (tested, skipped) = names(&some, false);
        assert_eq!(tested, ["SQLite", "MariaDB"]);
        assert_eq!(skipped, ["PostgreSQL (see --db)", "MySQL (MR_TEST_MYSQL_URL is not set)"]);
        let all = BTreeSet::from([Database::Sqlite, Database::Postgres, Database::MariaDb]);
        assert_eq!(names(&all, true), (vec!["SQLite", "PostgreSQL", "MariaDB", "MySQL"], vec![]));
    }
}
