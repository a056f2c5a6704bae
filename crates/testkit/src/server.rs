//! Common parts of all programs that tests start: ports, users, signals, waiting, clean-up.

use std::collections::HashSet;
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::authority::Issued;
use crate::error::{Error, Result};

const POLL: Duration = Duration::from_millis(10);
/// How long a server may take to start or to stop. Generous, for machines that compile at the same time.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(1);

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Rolls back open transactions, closes connections and writes everything.
    Graceful,
    /// Stops at once, without writing anything; the next start recovers.
    Hard,
}

/// A superuser of servers with TLS who has to present a client certificate of the same authority.
pub const CERTIFIED_USER: &str = "certified";

/// The certificate of a database server that accepts only connections with TLS.
#[derive(Debug)]
pub struct ServerTls {
    pub issued: Issued,
    /// The certificate of the authority that client certificates have to be issued by, PEM.
    pub authority: String,
}

impl ServerTls {
    pub(crate) const CERTIFICATE: &str = "server.pem";
    pub(crate) const KEY: &str = "server.key";
    pub(crate) const AUTHORITY: &str = "authority.pem";

    /// Writes the files into the server's directory.
    pub(crate) fn write(&self, account: Account, directory: &Path) -> Result<()> {
        account.create_file(&directory.join(Self::CERTIFICATE), &self.issued.certificate)?;
        account.create_file(&directory.join(Self::KEY), &self.issued.key)?;
        account.create_file(&directory.join(Self::AUTHORITY), &self.authority)
    }
}

/// Returns a port of 127.0.0.1 that is free now and that this process has not returned before.
///
/// The port is below Linux's range for outgoing connections, so that it stays free while a server is stopped that will be
/// started again on it.
pub fn free_port() -> Result<u16> {
    const FIRST: u64 = 15_000;
    const COUNT: u64 = 17_000;
    static RETURNED: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

    let mut returned = RETURNED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let returned = returned.get_or_insert_default();
    for _ in 0..1_000 {
        let random = RandomState::new().hash_one(std::process::id());
        let port = u16::try_from(FIRST + random % COUNT).expect("the range ends below 65536");
        if !returned.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            returned.insert(port);
            return Ok(port);
        }
    }
    Err(Error::Io(std::io::Error::new(std::io::ErrorKind::AddrInUse, "no free port found on 127.0.0.1")))
}

/// The user a database server runs as: the current one, or if that is root (which PostgreSQL refuses) the user that the
/// server's package created.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account(Option<(u32, u32)>);

impl Account {
    pub(crate) fn unprivileged(name: &str) -> Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self(None));
        }
        let users = read("cannot read the users of this machine", Path::new("/etc/passwd"))?;
        let ids = users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let found = fields.next() == Some(name);
            let user = fields.nth(1)?.parse().ok()?;
            let group = fields.next()?.parse().ok()?;
            found.then_some((user, group))
        });
        ids.map(|ids| Self(Some(ids))).ok_or_else(|| Error::Failed {
            what: format!("the user `{name}`"),
            problem: "does not exist, and the server refuses to run as root".to_owned(),
            log: String::new(),
        })
    }

    /// Creates a directory owned by this user.
    pub(crate) fn create_directory(self, directory: &Path) -> Result<()> {
        let failed =
            |source| Error::File { what: "cannot create the server's directory", path: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(failed)?;
        if let Some((user, group)) = self.0 {
            chown(directory, Some(user), Some(group)).map_err(failed)?;
        }
        Ok(())
    }

    /// Writes a file that only this user can read.
    pub(crate) fn create_file(self, path: &Path, content: &str) -> Result<()> {
        let failed = |source| Error::File { what: "cannot write the server's file", path: path.to_owned(), source };
        fs::write(path, content).map_err(failed)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        if let Some((user, group)) = self.0 {
            chown(path, Some(user), Some(group)).map_err(failed)?;
        }
        Ok(())
    }

    pub(crate) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }
}

/// Runs a command to its end; the error has its output.
pub(crate) fn complete(what: &str, command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let mut log = String::from_utf8_lossy(&output.stdout).into_owned();
    log.push_str(&String::from_utf8_lossy(&output.stderr));
    Err(Error::Failed { what: what.to_owned(), problem: format!("failed with {}", output.status), log })
}

/// A running process whose output goes to a file; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    what: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts the command; its output is appended to the log.
    pub(crate) fn start(what: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let failed = |source| Error::File { what: "cannot write the log", path: log.to_owned(), source };
        let output = File::options().create(true).append(true).open(log).map_err(failed)?;
        let child = command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).spawn()?;
        Ok(Self { what: what.to_owned(), child, log: log.to_owned() })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Polls until `is_ready` returns true; fails if the process ends first, or after [`TIMEOUT`].
    pub(crate) async fn wait_until<F>(&mut self, mut is_ready: F) -> Result<()>
    where
        F: AsyncFnMut() -> bool,
    {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Err(self.failed(format!("ended early with {status}")));
            }
            if is_ready().await {
                return Ok(());
            }
            if start.elapsed() > TIMEOUT {
                return Err(self.failed(format!("was not ready after {TIMEOUT:?}")));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Sends the signal and waits for the process to end, without blocking the runtime.
    pub(crate) async fn end(&mut self, signal: Signal) -> Result<ExitStatus> {
        self.signal(signal);
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if start.elapsed() > TIMEOUT {
                return Err(self.failed(format!("did not end {TIMEOUT:?} after {signal:?}")));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The blocking variant for `Drop`: kills the process if it does not end within 5 s.
    pub(crate) fn end_now(&mut self, signal: Signal) {
        self.signal(signal);
        for _ in 0..500 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(crate) fn failed(&self, problem: String) -> Error {
        Error::Failed { what: self.what.clone(), problem, log: tail(&self.log) }
    }

    fn signal(&mut self, signal: Signal) {
        // Checked first: the id of a process that has ended may already belong to another one.
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn read(what: &'static str, path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|source| Error::File { what, path: path.to_owned(), source })
}

/// Returns the last lines of a log.
pub(crate) fn tail(log: &Path) -> String {
    const LINES: usize = 40;
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_port_is_returned_once_and_lies_below_the_range_for_outgoing_connections() {
        let ports: HashSet<u16> = (0..50).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 50);
        assert!(ports.iter().all(|port| (15_000..32_000).contains(port)));
    }
}
