//! A throw-away PostgreSQL server.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::error::{Error, Result};
use crate::server::{Account, CERTIFIED_USER, Process, ServerTls, Stop, complete, find_program, free_port};

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
    has_tls: bool,
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
        Self::start_with(directory, None).await
    }

    /// The same for a server that lets nobody in without TLS.
    pub async fn start_with_tls(directory: &Path, tls: &ServerTls) -> Result<Self> {
        let server = Self::start_with(directory, Some(tls)).await?;
        let mut connection = PgConnection::connect(&server.url()).await?;
        connection.execute(AssertSqlSafe(format!("CREATE ROLE {CERTIFIED_USER} LOGIN SUPERUSER"))).await?;
        connection.close().await?;
        Ok(server)
    }

    async fn start_with(directory: &Path, tls: Option<&ServerTls>) -> Result<Self> {
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
        if let Some(tls) = tls {
            tls.write(account, directory)?;
            let rules = format!(
                "hostssl all {CERTIFIED_USER} all trust clientcert=verify-ca\nhostssl all all all trust\nhost all all all reject\n"
            );
            account.create_file(&directory.join("pg_hba.conf"), &rules)?;
        }

        let mut server = Self {
            program: programs.join("postgres"),
            account,
            directory: directory.to_owned(),
            port: free_port()?,
            has_tls: tls.is_some(),
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
        if self.has_tls {
            command.args(["-c", "ssl=on"]);
            for (setting, file) in [
                ("ssl_cert_file", ServerTls::CERTIFICATE),
                ("ssl_key_file", ServerTls::KEY),
                ("ssl_ca_file", ServerTls::AUTHORITY),
                ("hba_file", "pg_hba.conf"),
            ] {
                command.arg("-c").arg(format!("{setting}={}", self.directory.join(file).display()));
            }
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
