//! A throw-away PostgreSQL server.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use sqlx::{Connection, PgConnection};

use crate::error::{Error, Result};
use crate::server::{Account, Process, Stop, complete, find_program, free_port};

pub const INSTALL: &str = "apt-get install -y --no-install-recommends postgresql";

/// A PostgreSQL server of our own, on a free port of 127.0.0.1; gone when dropped.
///
/// What is committed has reached the operating system but not the disk (`fsync` is off, `synchronous_commit` is not): it
/// survives [`Stop::Hard`], so that a test can count what is left, but no crash of the machine.
#[derive(Debug)]
pub struct PostgresServer {
    program: PathBuf,
    account: Account,
    directory: PathBuf,
    port: u16,
    process: Option<Process>,
}

impl PostgresServer {
    /// Whether a server could be started here; the error names the command that installs one.
    pub fn find() -> Result<PathBuf> {
        let programs = programs().ok_or(Error::Missing { what: "PostgreSQL", install: INSTALL })?;
        Ok(programs)
    }

    /// Makes a data directory in `directory`, which must be empty or absent, and starts a server on it.
    pub async fn start(directory: &Path) -> Result<Self> {
        let programs = Self::find()?;
        let account = Account::unprivileged("postgres")?;
        account.create_directory(directory)?;
        let mut initialise = account.command(&programs.join("initdb"));
        initialise.args([
            "--username=postgres",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--pgdata",
        ]);
        initialise.arg(directory.join("data")).current_dir(directory);
        complete("initdb", &mut initialise)?;

        let mut server = Self {
            program: programs.join("postgres"),
            account,
            directory: directory.to_owned(),
            port: free_port()?,
            process: None,
        };
        server.start_again().await?;
        Ok(server)
    }

    /// The URL of the administrator, who may create databases.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Stops the server; `start_again` brings it back.
    pub async fn stop(&mut self, how: Stop) -> Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        process.end(signal(how)).await?;
        Ok(())
    }

    /// Starts the stopped server again, on the same port and data, and waits until it answers.
    pub async fn start_again(&mut self) -> Result<()> {
        if self.process.is_some() {
            return Ok(());
        }
        let mut process = Process::start("PostgreSQL", &mut self.command(), &self.directory.join("log"))?;
        let url = self.url();
        process.wait_until(async || can_connect(&url).await).await?;
        self.process = Some(process);
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = self.account.command(&self.program);
        command
            .current_dir(&self.directory)
            .arg("-D")
            .arg(self.directory.join("data"))
            .args(["-p", &self.port.to_string()]);
        // Without sockets in the file system the length of the directory's path does not matter.
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=300",
            "fsync=off",
            "full_page_writes=off",
            "timezone=UTC",
        ] {
            command.args(["-c", setting]);
        }
        command
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            process.end_now(signal(Stop::Hard));
        }
    }
}

// PostgreSQL's "fast" and "immediate" shutdown. SIGKILL would leave its children behind.
fn signal(how: Stop) -> Signal {
    match how {
        Stop::Graceful => Signal::INT,
        Stop::Hard => Signal::QUIT,
    }
}

async fn can_connect(url: &str) -> bool {
    match PgConnection::connect(url).await {
        Ok(connection) => connection.close().await.is_ok(),
        Err(_) => false,
    }
}

/// The directory of the server's programs. Debian keeps them out of `PATH`, one directory for each version.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, directory)| directory.join("initdb").is_file())
        .collect();
    versions.sort();
    let newest = versions.pop().map(|(_, directory)| directory);
    let further: Vec<PathBuf> = newest.into_iter().collect();
    let initdb = find_program("initdb", &further)?;
    let directory = initdb.parent()?.to_owned();
    directory.join("postgres").is_file().then_some(directory)
}
