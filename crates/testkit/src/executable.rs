//! The real executable as a child process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::error::{Error, Result};
use crate::faults::network::NetworkNamespace;
use crate::server::{Process, free_port, read, tail};

/// Placeholder for the free port in arguments and in values of variables.
pub const PORT: &str = "{port}";

/// The condition that `start` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ready {
    /// `GET /readyz/health` responds with 200: the database is reachable and migrated.
    #[default]
    Healthy,
    /// Connections are accepted; the database may be down.
    Listening,
}

/// The command line, environment and files of an executable to start.
///
/// Of the environment it gets only `PATH`; its home and working directory is a new, empty one, so that the settings and
/// files of the user who runs the tests have no effect.
#[derive(Debug)]
#[must_use = "nothing runs until `start` is called"]
pub struct Launch {
    program: PathBuf,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    files: Vec<(String, String)>,
    ready: Ready,
    /// The command in front of the program, such as one that enters a network namespace.
    prefix: Vec<String>,
    host: String,
}

/// A running `model-registry`; killed when dropped.
///
/// ```no_run
/// # async fn example(database: model_registry_testkit::TestDatabase) -> model_registry_testkit::Result<()> {
/// use model_registry_testkit::Executable;
///
/// // In tests of the crate `model-registry`, use env!("CARGO_BIN_EXE_model-registry").
/// let mut server = Executable::launch("target/debug/model-registry")
///     .arguments(["server", "--port", "{port}", "--database-url", database.url()])
///     .start()
///     .await?;
/// println!("{} uses {} bytes", server.base_url(), server.resident_memory()?);
/// assert!(server.terminate().await?.success());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Executable {
    launch: Launch,
    directory: TempDir,
    port: u16,
    process: Option<Process>,
}

impl Launch {
    /// Adds arguments; `{port}` is replaced by the free port.
    pub fn arguments<I: IntoIterator<Item: Into<String>>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable; `{port}` is replaced by the free port.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a file into its working directory.
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    /// Runs it in a network namespace; it has to listen on the address of the namespace.
    pub fn within(mut self, namespace: &NetworkNamespace) -> Self {
        self.prefix = namespace.prefix().map(str::to_owned).to_vec();
        self.host = namespace.inside();
        self
    }

    pub fn ready(mut self, ready: Ready) -> Self {
        self.ready = ready;
        self
    }

    /// Starts it and waits until it is ready; fails with its output if it ends before.
    pub async fn start(self) -> Result<Executable> {
        let directory = tempfile::Builder::new().prefix("model-registry-run-").tempdir()?;
        for (name, text) in &self.files {
            let path = directory.path().join(name);
            let failed =
                |source| Error::File { what: "cannot write a file of the executable", path: path.clone(), source };
            fs::write(&path, text).map_err(failed)?;
        }
        let mut executable = Executable { launch: self, directory, port: free_port()?, process: None };
        executable.start_again().await?;
        Ok(executable)
    }

    fn command(&self, directory: &Path, port: u16) -> Command {
        let fill = |text: &str| text.replace(PORT, &port.to_string());
        let mut command = match self.prefix.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        command.args(self.arguments.iter().map(|argument| fill(argument)));
        command.env_clear().env("HOME", directory).env("RUST_BACKTRACE", "1").current_dir(directory);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, fill(value))));
        command
    }
}

impl Executable {
    pub fn launch(program: impl Into<PathBuf>) -> Launch {
        // A relative path would be resolved in the new working directory.
        let program: PathBuf = program.into();
        let program = program.canonicalize().unwrap_or(program);
        Launch {
            program,
            arguments: Vec::new(),
            variables: Vec::new(),
            files: Vec::new(),
            ready: Ready::default(),
            prefix: Vec::new(),
            host: "127.0.0.1".to_owned(),
        }
    }

    /// Starts it again after `kill` or `terminate`, with the same arguments, port, home and log.
    pub async fn start_again(&mut self) -> Result<()> {
        if self.process.is_some() {
            return Ok(());
        }
        let mut command = self.launch.command(self.directory.path(), self.port);
        let mut process = Process::start("model-registry", &mut command, &self.log_file())?;
        let (host, port, ready, client) = (self.launch.host.as_str(), self.port, self.launch.ready, client());
        process
            .wait_until(async || match ready {
                Ready::Listening => TcpStream::connect((host, port)).await.is_ok(),
                Ready::Healthy => is_healthy(&client, host, port).await,
            })
            .await?;
        self.process = Some(process);
        Ok(())
    }

    /// Where it listens, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}:{}", self.launch.host, self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its home and working directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Its output so far, for the message of a failing test.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Its process id, while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.running().ok().map(Process::id)
    }

    /// Its resident memory in bytes (`VmRSS`).
    pub fn resident_memory(&self) -> Result<u64> {
        self.memory("VmRSS:")
    }

    /// The most resident memory that it had so far, in bytes (`VmHWM`).
    pub fn peak_memory(&self) -> Result<u64> {
        self.memory("VmHWM:")
    }

    fn memory(&self, field: &str) -> Result<u64> {
        let process = self.running()?;
        let status =
            read("cannot read the status of the process", &PathBuf::from(format!("/proc/{}/status", process.id())))?;
        let kibibytes = status
            .lines()
            .find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
        kibibytes.map(|amount| amount * 1024).ok_or_else(|| process.failed("has ended".to_owned()))
    }

    /// Kills it (SIGKILL).
    pub async fn kill(&mut self) -> Result<()> {
        self.end(Signal::KILL).await?;
        Ok(())
    }

    /// Stops it gracefully (SIGTERM) and returns its exit status.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        self.end(Signal::TERM).await
    }

    async fn end(&mut self, signal: Signal) -> Result<ExitStatus> {
        self.running()?;
        let mut process = self.process.take().expect("it is running");
        process.end(signal).await
    }

    fn running(&self) -> Result<&Process> {
        self.process.as_ref().ok_or_else(|| Error::Failed {
            what: "model-registry".to_owned(),
            problem: "is not running".to_owned(),
            log: tail(&self.log_file()),
        })
    }

    fn log_file(&self) -> PathBuf {
        self.directory.path().join("log")
    }
}

async fn is_healthy(client: &reqwest::Client, host: &str, port: u16) -> bool {
    let response = client.get(format!("http://{host}:{port}/readyz/health")).send().await;
    response.is_ok_and(|response| response.status() == reqwest::StatusCode::OK)
}

fn client() -> reqwest::Client {
    let limit = Duration::from_secs(5);
    reqwest::Client::builder().no_proxy().timeout(limit).build().expect("the client's settings are valid")
}
