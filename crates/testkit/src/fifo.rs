//! FIFOs in the place of files.
#![cfg(unix)]

use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

/// Makes a FIFO without a writer, which blocks whoever opens it.
///
/// # Panics
///
/// If it cannot be made.
pub fn make_fifo(path: &Path) {
    let mode = Mode::RUSR | Mode::WUSR;
    if let Err(error) = mknodat(CWD, path, FileType::Fifo, mode, 0) {
        panic!("cannot make the FIFO {}: {error}", path.display());
    }
}
