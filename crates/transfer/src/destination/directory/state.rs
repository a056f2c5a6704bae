//! The directory with the state of a transfer: the state file, and the files that are not complete.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use model_registry_base::hex;

use crate::digest::Sha256;
use crate::endpoint::{Entry, Result};
use crate::error::TransferError;
use crate::state_file::StateFile;

pub(super) const STATE_FILE: &str = "state.jsonl";

#[derive(Debug)]
pub(super) struct State {
    directory: PathBuf,
    pub(super) state_file: StateFile,
    /// Directories whose entries changed: they are made durable once, at the end.
    changed: Mutex<HashSet<PathBuf>>,
    has_small_files: AtomicBool,
}

impl State {
    pub(super) fn new(directory: PathBuf, state_file: StateFile) -> Self {
        Self { directory, state_file, changed: Mutex::default(), has_small_files: AtomicBool::new(false) }
    }

    pub(super) fn part_file(&self, entry: &Entry) -> PathBuf {
        part_file(&self.directory, entry)
    }

    /// Notes that a directory has new entries.
    pub(super) fn changed(&self, directory: PathBuf) {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).insert(directory);
    }

    /// Notes that the content of a file is not durable yet.
    pub(super) fn note_small_file(&self) {
        self.has_small_files.store(true, Ordering::Relaxed);
    }

    /// Makes all files and their names durable.
    pub(super) fn synchronise(&self) -> Result<()> {
        #[cfg(target_os = "linux")]
        if self.has_small_files.load(Ordering::Relaxed) {
            let failed = |error: std::io::Error| TransferError::io(self.directory.display().to_string(), &error);
            let directory = File::open(&self.directory).map_err(failed)?;
            rustix::fs::syncfs(&directory).map_err(|error| failed(error.into()))?;
            return Ok(());
        }
        for directory in self.changed.lock().unwrap_or_else(PoisonError::into_inner).drain() {
            let failed = |error: std::io::Error| TransferError::io(directory.display().to_string(), &error);
            File::open(&directory).and_then(|file| file.sync_all()).map_err(failed)?;
        }
        Ok(())
    }

    pub(super) fn remove(&self) {
        self.state_file.remove();
        let _ = fs::remove_dir_all(&self.directory);
    }

    /// Removes the state if nothing was written, so that a transfer that could not begin leaves nothing.
    pub(super) fn remove_if_empty(&self) {
        let files = fs::read_dir(&self.directory).map(|entries| entries.count()).unwrap_or_default();
        let lines = fs::read_to_string(self.directory.join(STATE_FILE)).map(|text| text.lines().count());
        if files <= 1 && lines.unwrap_or_default() <= 1 {
            self.remove();
        }
    }
}

/// The temporary name of a file: a digest of its path, which is never too long.
pub(super) fn part_file(directory: &Path, entry: &Entry) -> PathBuf {
    directory.join(format!("{}.part", &Sha256::of(entry.path.as_str().as_bytes()).to_string()[..32]))
}

/// The digest of an absolute path.
pub(super) fn name_of(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    hex(Sha256::of(absolute.as_os_str().as_encoded_bytes()).bytes())
}

/// Whether the file system takes names that differ only in case for the same: the state file exists under its lower-case name.
pub(super) fn ignores_case(directory: &Path) -> bool {
    directory.join(STATE_FILE.to_uppercase()).exists()
}
