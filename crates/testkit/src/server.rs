//! What all programs have in common that tests start: finding them, ports, users, signals, waiting, clean-up.

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
/// How long a server may take to answer or to end. Generous, for machines that build something at the same time.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Open transactions are rolled back, connections closed, everything written.
    Graceful,
    /// As if the machine had lost power: the next start recovers.
    Hard,
}

/// A user whom a server with TLS lets in with a certificate of the same authority alone; may do everything.
pub const CERTIFIED_USER: &str = "certified";

/// The certificate of a database server with TLS. It lets nobody in without.
#[derive(Debug)]
pub struct ServerTls {
    pub issued: Issued,
    /// Whose certificates clients may show, PEM.
    pub authority: String,
}

impl ServerTls {
    pub(crate) const CERTIFICATE: &str = "server.pem";
    pub(crate) const KEY: &str = "server.key";
    pub(crate) const AUTHORITY: &str = "authority.pem";

    /// Puts the files where the server finds them.
    pub(crate) fn write(&self, account: Account, directory: &Path) -> Result<()> {
        account.create_file(&directory.join(Self::CERTIFICATE), &self.issued.certificate)?;
        account.create_file(&directory.join(Self::KEY), &self.issued.key)?;
        account.create_file(&directory.join(Self::AUTHORITY), &self.authority)
    }
}

/// Looks for a program in `PATH`, then in the further directories.
pub fn find_program(name: &str, further: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(further.iter().cloned())
        .map(|directory| directory.join(name))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Returns a port of 127.0.0.1 that is free now and that this process has not handed out before.
///
/// It lies below the range that Linux takes the ports of outgoing connections from, so that nothing takes it while a
/// server that is to come back on it is down.
pub fn free_port() -> Result<u16> {
    const FIRST: u64 = 15_000;
    const COUNT: u64 = 17_000;
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

    let mut given = GIVEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let given = given.get_or_insert_default();
    for _ in 0..1_000 {
        let random = RandomState::new().hash_one(std::process::id());
        let port = u16::try_from(FIRST + random % COUNT).expect("the range ends below 65536");
        if !given.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            given.insert(port);
            return Ok(port);
        }
    }
    Err(Error::Io(std::io::Error::new(std::io::ErrorKind::AddrInUse, "no free port found on 127.0.0.1")))
}

/// The user a database server runs as: itself, or when we are root (which PostgreSQL refuses) the one its package made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account(Option<(u32, u32)>);

impl Account {
    pub(crate) fn unprivileged(name: &str) -> Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self(None));
        }
        let users = read("the users of this machine", Path::new("/etc/passwd"))?;
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

    /// Makes a directory that belongs to this user.
    pub(crate) fn create_directory(self, directory: &Path) -> Result<()> {
        let failed =
            |source| Error::File { what: "cannot make the server's directory", path: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(failed)?;
        if let Some((user, group)) = self.0 {
            chown(directory, Some(user), Some(group)).map_err(failed)?;
        }
        Ok(())
    }

    /// Writes a file that belongs to this user, and that nobody else can read.
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

/// Runs a command to its end and fails, with what it wrote, when it does.
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

    /// Asks again and again until the answer is true; fails when the process ends first or the time is up.
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
            if start.elapsed() > PATIENCE {
                return Err(self.failed(format!("was not ready after {PATIENCE:?}")));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Sends the signal and waits for the end, without blocking the runtime.
    pub(crate) async fn end(&mut self, signal: Signal) -> Result<ExitStatus> {
        self.signal(signal);
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if start.elapsed() > PATIENCE {
                return Err(self.failed(format!("did not end {PATIENCE:?} after {signal:?}")));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The same for `Drop`: blocks, and kills what does not obey.
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
        // Asking first keeps us from signalling a stranger that got the number of a process that has ended.
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

/// The last lines of a log.
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
    fn hands_out_each_port_once_and_below_the_outgoing_ones() {
        let ports: HashSet<u16> = (0..50).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 50);
        assert!(ports.iter().all(|port| (15_000..32_000).contains(port)));
    }

    #[test]
    fn finds_programs_in_the_further_directories() {
        assert!(find_program("sh", &[]).is_some());
        assert!(find_program("passwd", &[PathBuf::from("/etc")]).is_none_or(|file| file != Path::new("/etc/passwd")));
    }
}
