//! A temporary PostgreSQL server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::error::{Error, Result};
use crate::server::{Account, CERTIFIED_USER, Process, ServerTls, Stop, TIMEOUT, complete, free_port, tail};

/// A PostgreSQL server in a temporary directory, on a free port of 127.0.0.1; stopped when dropped.
///
/// Committed data has reached the operating system but not the disk (`fsync` is off, `synchronous_commit` is on): it
/// survives [`Stop::Hard`], so that a test can count the rows that are left, but not a crash of the machine.
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
    /// Returns the directory of the server's programs; the error has the command that installs them.
    pub fn find() -> Result<PathBuf> {
        Ok(model_registry_programs::postgres()?)
    }

    /// Creates a data directory in `directory`, which must be empty or absent, and starts a server on it.
    pub async fn start(directory: &Path) -> Result<Self> {
        Self::start_with(directory, None).await
    }

    /// Starts a server that accepts only connections with TLS.
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

    /// Starts a standby of this server, which follows it by streaming replication, in an empty or absent directory.
    pub async fn start_standby(&self, directory: &Path) -> Result<Self> {
        self.account.create_directory(directory)?;
        // The directory of the program may have links to some programs only.
        let program = self.program.canonicalize()?.with_file_name("pg_basebackup");
        let mut copy = self.account.command(&program);
        copy.args([
            "--host=127.0.0.1",
            "--username=postgres",
            "--checkpoint=fast",
            "--no-sync",
            "--write-recovery-conf",
        ]);
        copy.arg(format!("--port={}", self.port)).arg("--pgdata").arg(directory.join("data")).current_dir(directory);
        complete("pg_basebackup", &mut copy)?;
        let mut standby = Self {
            program: self.program.clone(),
            account: self.account,
            directory: directory.to_owned(),
            port: free_port()?,
            has_tls: false,
            process: None,
        };
        standby.start_again().await?;
        Ok(standby)
    }

    /// Waits until this standby has applied everything that its primary has written by now.
    pub async fn catch_up_with(&self, primary: &Self) -> Result<()> {
        let mut connection = PgConnection::connect(&primary.url()).await?;
        let (written,): (String,) =
            sqlx::query_as("SELECT pg_current_wal_flush_lsn()::text").fetch_one(&mut connection).await?;
        let mut connection = PgConnection::connect(&self.url()).await?;
        let start = Instant::now();
        loop {
            let (is_applied,): (bool,) = sqlx::query_as("SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn")
                .bind(&written)
                .fetch_one(&mut connection)
                .await?;
            if is_applied {
                return Ok(());
            }
            if start.elapsed() > TIMEOUT {
                return Err(Error::Failed {
                    what: "the standby".to_owned(),
                    problem: format!("did not catch up within {TIMEOUT:?}"),
                    log: tail(&self.directory.join("log")),
                });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Makes this standby a primary server.
    pub async fn promote(&self) -> Result<()> {
        let mut connection = PgConnection::connect(&self.url()).await?;
        sqlx::query("SELECT pg_promote(true, 60)").execute(&mut connection).await?;
        Ok(connection.close().await?)
    }

    /// The URL of the administrator, who can create databases.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Stops the server; `start_again` starts it again.
    pub async fn stop(&mut self, how: Stop) -> Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        process.end(signal(how)).await?;
        Ok(())
    }

    /// Starts the stopped server again, with the same port and data, and waits until it accepts connections.
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

    /// Creates a database whose data is in a directory of its own, for example on a small disk; returns its URL.
    pub async fn create_database_in(&self, directory: &Path) -> Result<String> {
        self.account.create_directory(directory)?;
        let mut connection = PgConnection::connect(&self.url()).await?;
        let place = format!("CREATE TABLESPACE elsewhere LOCATION '{}'", directory.display());
        connection.execute(AssertSqlSafe(place)).await?;
        connection.execute("CREATE DATABASE elsewhere TABLESPACE elsewhere").await?;
        connection.close().await?;
        Ok(format!("postgres://postgres@127.0.0.1:{}/elsewhere", self.port))
    }

    fn command(&self) -> Command {
        let mut command = self.account.command(&self.program);
        command
            .current_dir(&self.directory)
            .arg("-D")
            .arg(self.directory.join("data"))
            .args(["-p", &self.port.to_string()]);
        // No Unix sockets: their paths are limited to 107 bytes.
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

// PostgreSQL's "fast" and "immediate" shutdown. SIGKILL would leave its children running.
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
