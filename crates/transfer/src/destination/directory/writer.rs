//! Writes one file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use model_registry_base::{MemoryShare, run_blocking};

use super::state::State;
use crate::digest::Sha256;
use crate::endpoint::{Entry, FileWriter, Part, Result};
use crate::error::TransferError;

/// Smaller files are made durable together, at the end: one by one, that would take most of the time.
const SYNCHRONISED_ALONE: u64 = 1 << 20;

/// Files up to this size are opened, written and renamed at once: each step on its own would wait for a thread.
const WRITTEN_AT_ONCE: u64 = 1 << 20;

pub(super) struct Writer {
    state: Arc<State>,
    entry: Entry,
    part_file: PathBuf,
    path: PathBuf,
    /// The temporary file, once it is open.
    file: Option<File>,
    /// The whole content of a small file, which is written when the file is finished.
    whole: Option<(Vec<Bytes>, MemoryShare)>,
    size: u64,
}

impl Writer {
    /// Continues the temporary file after its first `start` bytes.
    pub(super) fn new(state: Arc<State>, path: PathBuf, entry: Entry, start: u64) -> Self {
        let part_file = state.part_file(&entry);
        Self { state, entry, part_file, path, file: None, whole: None, size: start }
    }

    fn at(&self) -> String {
        self.path.display().to_string()
    }

    /// Writes what waits, makes the file durable and gives it its name.
    fn complete(mut self, digest: Sha256) -> Result<()> {
        let at = self.at();
        let failed = |error: io::Error| TransferError::io(&at, &error);
        let start = if self.whole.is_some() { 0 } else { self.size };
        let mut file = match self.file.take() {
            Some(file) => file,
            None => open(&self.part_file, start).map_err(failed)?,
        };
        if let Some((chunks, share)) = self.whole.take() {
            if let Err(error) = write_all(&mut file, &chunks) {
                // Nothing continues it, and the space may be needed.
                let _ = fs::remove_file(&self.part_file);
                return Err(failed(error));
            }
            drop(share);
        }
        if self.size >= SYNCHRONISED_ALONE || !cfg!(target_os = "linux") {
            file.sync_all().map_err(failed)?;
        } else {
            self.state.note_small_file();
        }
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(failed)?;
        fs::rename(&self.part_file, &self.path).map_err(failed)?;
        self.state.changed(parent.to_owned());
        self.state.steps.done(&self.entry, self.size, digest, None)
    }
}

/// Opens a temporary file, and continues it after its first `start` bytes.
fn open(path: &Path, start: u64) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    file.set_len(start)?;
    file.seek(SeekFrom::Start(start))?;
    Ok(file)
}

impl FileWriter for Writer {
    fn write(&mut self, part: Part) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let Part { offset, chunks, length, digest, is_last, share, .. } = part;
            let start = self.size;
            self.size += length;
            if is_last && offset == 0 && length <= WRITTEN_AT_ONCE {
                self.whole = Some((chunks, share));
                return Ok(());
            }
            let (opened, path) = (self.file.take(), self.part_file.clone());
            let written = run_blocking(move || {
                let mut file = opened.map_or_else(|| open(&path, start), Ok)?;
                write_all(&mut file, &chunks).map(|()| file)
            });
            self.file = Some(written.await.map_err(|error| TransferError::io(self.at(), &error))?);
            drop(share);
            // The last part is followed by the line of the complete file, or is repeated.
            if is_last { Ok(()) } else { self.state.steps.written(&self.entry, self.size, &digest, None) }
        })
    }

    fn finish(self: Box<Self>, digest: Sha256) -> BoxFuture<'static, Result<()>> {
        Box::pin(run_blocking(move || self.complete(digest)))
    }

    fn abandon(self: Box<Self>, keep: bool) -> BoxFuture<'static, ()> {
        Box::pin(run_blocking(move || {
            // Without a version nothing can be continued.
            if !keep || self.entry.version.is_none() || self.size == 0 {
                let _ = fs::remove_file(&self.part_file);
            }
        }))
    }
}

fn write_all(file: &mut File, chunks: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = chunks.iter().map(|chunk| IoSlice::new(chunk)).collect();
    let mut left = slices.as_mut_slice();
    while !left.is_empty() {
        match file.write_vectored(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => IoSlice::advance_slices(&mut left, count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether the path is a directory, or a link to one.
pub(super) fn is_directory_itself(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Refuses a file below something that is not a directory of the destination itself: a link may lead out of it.
pub(super) fn check_parents(root: &Path, entry: &Entry) -> Result<()> {
    let mut parents: Vec<&str> = entry.path.parents().collect();
    parents.reverse();
    for parent in parents {
        let path = root.join(parent);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(metadata) => {
                let what = if metadata.is_symlink() { "a symbolic link" } else { "a file" };
                return Err(TransferError::Names(format!(
                    "{} is {what}, not a directory: `{}` cannot be written below it",
                    path.display(),
                    entry.path
                )));
            }
            // Nor does anything below it exist.
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}
