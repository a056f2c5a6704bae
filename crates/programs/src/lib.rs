//! Finds the programs that tests and tasks start.
//!
//! **What this is.** A development-only library, shared by xtask, which reports what is missing before it builds anything,
//! and the test kit, which starts the servers. It has no dependencies, so that xtask compiles in seconds. **What it never
//! does.** It starts and installs nothing. **How to add one more program.** A function that returns its path or [`Missing`].

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A program that is not installed, and the command that installs it on Debian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    pub name: &'static str,
    pub install: &'static str,
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} is not installed; install it with: {}", self.name, self.install)
    }
}

impl std::error::Error for Missing {}

const POSTGRES: Missing =
    Missing { name: "PostgreSQL", install: "apt-get install -y --no-install-recommends postgresql" };
const MARIADB: Missing =
    Missing { name: "MariaDB", install: "apt-get install -y --no-install-recommends mariadb-server" };

const DOCKER_REGISTRY: Missing =
    Missing { name: "docker-registry", install: "apt-get install -y --no-install-recommends docker-registry" };
const SKOPEO: Missing = Missing { name: "skopeo", install: "apt-get install -y --no-install-recommends skopeo" };
const GIT: Missing = Missing { name: "Git", install: "apt-get install -y --no-install-recommends git" };

/// The programs of a MariaDB server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MariaDb {
    pub server: PathBuf,
    /// Creates a data directory.
    pub install_db: PathBuf,
}

/// Returns the directory with `initdb`, `postgres` and `pgbench`, of the newest version.
///
/// # Errors
///
/// [`Missing`], with the command that installs PostgreSQL.
pub fn postgres() -> Result<PathBuf, Missing> {
    let initdb = find_program("initdb", &debian_postgres().into_iter().collect::<Vec<_>>()).ok_or(POSTGRES)?;
    let directory = initdb.parent().ok_or(POSTGRES)?.to_owned();
    if directory.join("postgres").is_file() { Ok(directory) } else { Err(POSTGRES) }
}

/// Debian keeps PostgreSQL's server programs outside `PATH`, one directory per version.
fn debian_postgres() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed = versions.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let directory = entry.path().join("bin");
        directory.join("initdb").is_file().then_some((version, directory))
    });
    installed.max().map(|(_, directory)| directory)
}

/// Returns the programs of MariaDB.
///
/// # Errors
///
/// [`Missing`], with the command that installs MariaDB.
pub fn mariadb() -> Result<MariaDb, Missing> {
    // The `PATH` of ordinary users lacks these.
    let further = [PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")];
    let find = |name| find_program(name, &further).ok_or(MARIADB);
    Ok(MariaDb { server: find("mariadbd")?, install_db: find("mariadb-install-db")? })
}

/// Returns the program of Git, which builds and serves repositories in tests.
///
/// # Errors
///
/// [`Missing`], with the command that installs Git.
pub fn git() -> Result<PathBuf, Missing> {
    find_program("git", &[]).ok_or(GIT)
}

/// Returns the program of an OCI registry.
///
/// # Errors
///
/// [`Missing`], with the command that installs it.
pub fn docker_registry() -> Result<PathBuf, Missing> {
    find_program("docker-registry", &[]).ok_or(DOCKER_REGISTRY)
}

/// Returns skopeo, which copies images.
///
/// # Errors
///
/// [`Missing`], with the command that installs it.
pub fn skopeo() -> Result<PathBuf, Missing> {
    find_program("skopeo", &[]).ok_or(SKOPEO)
}

/// Looks for an executable file in `PATH`, then in the further directories.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_path_and_in_the_further_directories() {
        assert!(find_program("sh", &[]).is_some());
        assert_eq!(find_program("sh", &[PathBuf::from("/bin")]), find_program("sh", &[]), "PATH comes first");
        assert_eq!(find_program("no-such-program", &[PathBuf::from("/bin")]), None);
    }

    #[test]
    fn a_file_without_execute_permission_is_not_a_program() {
        assert!(find_program("passwd", &[PathBuf::from("/etc")]).is_none_or(|file| file != Path::new("/etc/passwd")));
    }
}
