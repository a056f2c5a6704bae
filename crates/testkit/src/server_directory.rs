//! The place for the data of temporary servers.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::{env, fs};

use tempfile::TempDir;

use crate::error::Result;

const MEMORY: &str = "/dev/shm";
/// Space in memory below which the disk is used: several times the size of the servers' files during all tests.
const NEEDED_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// A temporary directory for the data of database servers, in memory if there is room, otherwise on disk.
///
/// In memory, because servers write to disk when they create databases and tables even if they are configured not to, and
/// every test has its own database: the registry's 121 tests on MariaDB take 43 instead of 161 s, on PostgreSQL 60 instead of
/// 89 s. Data survive the end of a server, not that of the machine. Benchmarks measure the disk, and use another directory.
///
/// Every user can read it, because servers that are started by root run as users of their own.
pub fn server_directory() -> Result<TempDir> {
    let directory = tempfile::Builder::new().prefix("model-registry-databases-").tempdir_in(parent())?;
    fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755))?;
    Ok(directory)
}

fn parent() -> PathBuf {
    let space = rustix::fs::statvfs(MEMORY).map_or(0, |space| space.f_bavail * space.f_frsize);
    if space >= NEEDED_BYTES { Path::new(MEMORY).to_owned() } else { env::temp_dir() }
}
