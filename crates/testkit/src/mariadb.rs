//! A temporary MariaDB server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use sqlx::{Connection, MySqlConnection};

use crate::error::Result;
use crate::server::{Account, CERTIFIED_USER, Process, ServerTls, Stop, complete, free_port};

/// A MariaDB server in a temporary directory, on a free port of 127.0.0.1; stopped when dropped.
///
/// Committed data has reached the operating system but not the disk: it survives [`Stop::Hard`], so that a test can count
/// the rows that are left, but not a crash of the machine.
#[derive(Debug)]
pub struct MariaDbServer {
    program: PathBuf,
    account: Account,
    directory: PathBuf,
    port: u16,
    has_tls: bool,
    process: Option<Process>,
}

impl MariaDbServer {
    /// Creates a data directory in `directory`, which must be empty or absent, and starts a server on it.
    pub async fn start(directory: &Path) -> Result<Self> {
        Self::start_with(directory, None).await
    }

    /// Starts a server that accepts only connections with TLS.
    pub async fn start_with_tls(directory: &Path, tls: &ServerTls) -> Result<Self> {
        Self::start_with(directory, Some(tls)).await
    }

    async fn start_with(directory: &Path, tls: Option<&ServerTls>) -> Result<Self> {
        let programs = model_registry_programs::mariadb()?;
        let account = Account::unprivileged("mysql")?;
        account.create_directory(directory)?;
        let mut initialise = account.command(&programs.install_db);
        initialise.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        initialise.args(["--innodb-flush-method=nosync", "--innodb-log-file-size=32M"]);
        initialise.arg(option("--datadir", &directory.join("data"))).current_dir(directory);
        complete("mariadb-install-db", &mut initialise)?;
        // The server runs this file at every start, before it accepts connections: no client program is needed.
        let users = format!(
            "CREATE USER IF NOT EXISTS t@'%' IDENTIFIED BY 'p';\nGRANT ALL ON *.* TO t@'%' WITH GRANT OPTION;\n\
             CREATE USER IF NOT EXISTS {CERTIFIED_USER}@'%' IDENTIFIED BY 'p' REQUIRE X509;\n\
             GRANT ALL ON *.* TO {CERTIFIED_USER}@'%';\n"
        );
        if let Some(tls) = tls {
            tls.write(account, directory)?;
        }
        fs::write(directory.join("user.sql"), users)?;

        let mut server = Self {
            program: programs.server,
            account,
            directory: directory.to_owned(),
            port: free_port()?,
            has_tls: tls.is_some(),
            process: None,
        };
        server.start_again().await?;
        Ok(server)
    }

    /// The URL of the administrator, who can create databases.
    pub fn url(&self) -> String {
        format!("mysql://t:p@127.0.0.1:{}/mysql", self.port)
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
        let mut process = Process::start("MariaDB", &mut self.command(), &self.directory.join("log"))?;
        let url = self.url();
        process.wait_until(async || can_connect(&url).await).await?;
        self.process = Some(process);
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = self.account.command(&self.program);
        // Relative to the data directory: a socket's path is limited to 107 bytes.
        command.args(["--no-defaults", "--socket=socket", "--pid-file=pid", "--bind-address=127.0.0.1"]);
        command
            .arg(option("--datadir", &self.directory.join("data")))
            .arg(option("--init-file", &self.directory.join("user.sql")));
        command.arg(format!("--port={}", self.port)).args([
            "--max-connections=300",
            "--character-set-server=utf8mb4",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-flush-method=nosync",
            "--innodb-log-file-size=32M",
            "--default-time-zone=+00:00",
        ]);
        if self.has_tls {
            command.arg("--require-secure-transport=ON");
            for (name, file) in [
                ("--ssl-cert", ServerTls::CERTIFICATE),
                ("--ssl-key", ServerTls::KEY),
                ("--ssl-ca", ServerTls::AUTHORITY),
            ] {
                command.arg(option(name, &self.directory.join(file)));
            }
        }
        command.current_dir(&self.directory);
        command
    }
}

impl Drop for MariaDbServer {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            process.end_now(signal(Stop::Hard));
        }
    }
}

fn signal(how: Stop) -> Signal {
    match how {
        Stop::Graceful => Signal::TERM,
        Stop::Hard => Signal::KILL,
    }
}

async fn can_connect(url: &str) -> bool {
    match MySqlConnection::connect(url).await {
        Ok(connection) => connection.close().await.is_ok(),
        Err(_) => false,
    }
}

fn option(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}
