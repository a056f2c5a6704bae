//! Writes one file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use model_registry_base::run_blocking;

use super::state::State;
use crate::digest::Sha256;
use crate::endpoint::{Entry, FileWriter, Part, Result};
use crate::error::TransferError;

/// Smaller files are made durable together, at the end: one by one, that would take most of the time.
const SYNCHRONISED_ALONE: u64 = 1 << 20;

pub(super) struct Writer {
    state: Arc<State>,
    entry: Entry,
    part_file: PathBuf,
    path: PathBuf,
    /// Absent while a part is written.
    file: Option<File>,
    size: u64,
}

/// Opens the temporary file, and continues it after its first `start` bytes.
pub(super) fn create(state: Arc<State>, path: PathBuf, entry: Entry, start: u64) -> Result<Writer> {
    let part_file = state.part_file(&entry);
    let failed = |error: io::Error| TransferError::io(path.display().to_string(), &error);
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&part_file).map_err(failed)?;
    file.set_len(start).map_err(failed)?;
    file.seek(SeekFrom::Start(start)).map_err(failed)?;
    Ok(Writer { state, entry, part_file, path, file: Some(file), size: start })
}

impl Writer {
    fn at(&self) -> String {
        self.path.display().to_string()
    }
}

impl FileWriter for Writer {
    fn write(&mut self, part: Part) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let at = self.at();
            let Some(mut file) = self.file.take() else {
                return Err(TransferError::failed(at, "a part is written already"));
            };
            let Part { chunks, length, digest, is_last, share, .. } = part;
            let (file, written) = run_blocking(move || {
                let written = write_all(&mut file, &chunks);
                (file, written)
            })
            .await;
            self.file = Some(file);
            written.map_err(|error| TransferError::io(at, &error))?;
            drop(share);
            self.size += length;
            // The last part is followed by the line of the complete file, or is repeated.
            if is_last { Ok(()) } else { self.state.state_file.written(&self.entry, self.size, &digest, None) }
        })
    }

    fn finish(self: Box<Self>, digest: Sha256) -> BoxFuture<'static, Result<()>> {
        Box::pin(run_blocking(move || {
            let failed = |error: io::Error| TransferError::io(self.path.display().to_string(), &error);
            match &self.file {
                Some(file) if self.size >= SYNCHRONISED_ALONE || !cfg!(target_os = "linux") => {
                    file.sync_all().map_err(failed)?;
                }
                _ => self.state.note_small_file(),
            }
            let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            fs::create_dir_all(parent).map_err(failed)?;
            fs::rename(&self.part_file, &self.path).map_err(failed)?;
            self.state.changed(parent.to_owned());
            self.state.state_file.done(&self.entry, self.size, digest, None)
        }))
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
