//! `cargo xtask databases`: temporary database servers, for `cargo xtask test` and for single tests run with cargo.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use lexopt::prelude::*;

use crate::process;
use crate::programs::{self, Program};

pub(crate) const HELP: &str = "\
Start temporary PostgreSQL and MariaDB servers, print their variables for the tests, and stop them at Ctrl-C

Usage: cargo xtask databases [OPTIONS]

Options:
  --db <DATABASES>  The servers to start, comma-separated [default: postgres,mariadb]
  --install         Install missing programs, as the administrator

With the variables set, cargo runs single tests on these databases:
  cargo test --package model-registry-registry postgres::NAME_OF_THE_TEST";

/// A database product that tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
    MariaDb,
}

impl Database {
    const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::MariaDb];

    /// Parses a comma-separated list.
    pub(crate) fn parse_list(list: &str) -> Result<BTreeSet<Self>> {
        list.split(',')
            .map(|name| {
                let found = Self::ALL.into_iter().find(|database| database.name() == name.trim());
                found.with_context(|| format!("unknown database `{name}`; known are sqlite, postgres, mariadb"))
            })
            .collect()
    }

    /// Its name on command lines.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::MariaDb => "mariadb",
        }
    }

    /// The program that the database's server needs, and its name as an argument of `test-servers`; SQLite has no server.
    fn server(self) -> Option<(Program, &'static str)> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some((Program::Postgres, "postgres")),
            Self::MariaDb => Some((Program::MariaDb, "mariadb")),
        }
    }
}

/// The programs that the servers of these databases need.
pub(crate) fn programs(databases: &BTreeSet<Database>) -> Vec<Program> {
    databases.iter().filter_map(|database| Some(database.server()?.0)).collect()
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    databases: BTreeSet<Database>,
    install: bool,
}

impl Arguments {
    /// Returns `None` if help is requested.
    pub(crate) fn parse(parser: &mut lexopt::Parser) -> Result<Option<Self>> {
        let mut parsed = Self { databases: BTreeSet::from([Database::Postgres, Database::MariaDb]), install: false };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("db") => parsed.databases = Database::parse_list(&parser.value()?.string()?)?,
                Long("install") => parsed.install = true,
                Long("help") | Short('h') => return Ok(None),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(Some(parsed))
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    process::handle_signals()?;
    programs::require(&programs(&arguments.databases), arguments.install)?;
    let build = ["build", "--locked", "--package", "model-registry-testkit", "--bin", "test-servers"];
    process::complete(&mut process::cargo(build))?;
    let mut servers = Servers::start(&arguments.databases)?;
    eprintln!("\nIn another terminal, to test on these databases:\n");
    for (variable, url) in &servers.variables {
        eprintln!("export {variable}={url}");
    }
    eprintln!("\nCtrl-C stops them and deletes their data.");
    while !process::is_stopped() {
        ensure!(servers.child.try_wait()?.is_none(), "the database servers have stopped");
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// Running database servers; stopped, and their data deleted, when dropped.
pub(crate) struct Servers {
    child: Child,
    /// Environment variables for the tests: name and URL.
    pub(crate) variables: Vec<(String, String)>,
}

impl Servers {
    /// Starts `test-servers`, which has to be built, and waits until the servers accept connections.
    pub(crate) fn start(databases: &BTreeSet<Database>) -> Result<Self> {
        let program = process::target().join("debug/test-servers");
        let mut command = Command::new(&program);
        command.args(databases.iter().filter_map(|database| Some(database.server()?.1)));
        // A pipe that is never written to: it ends with this process, however that ends, and the servers with it.
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let child = child.with_context(|| format!("cannot start {}", program.display()))?;
        let mut servers = Self { child, variables: Vec::new() };
        let output = servers.child.stdout.take().context("test-servers has no output")?;
        for line in BufReader::new(output).lines() {
            let line = line?;
            let Some((variable, url)) = line.split_once('=') else { return Ok(servers) };
            servers.variables.push((variable.to_owned(), url.to_owned()));
        }
        bail!("the database servers did not start")
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
