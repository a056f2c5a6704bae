//! Everything in one file, and back: a JSON line per entity, in order of dependency (`docs/export-format.md`).
//!
//! Both ways work in constant memory, and on every database: what a line says is what the API shows, and columns and
//! filterable values are derived from it again. Two exports of equal content are equal byte for byte.
//!
//! To add a kind: nothing, if its rows are in one of the tables here. To add a table: a [`line::Section`], its page in
//! `rows.rs`, its insert in `batch.rs`.

mod batch;
mod conflicts;
mod export;
mod import;
mod line;
mod rows;
mod run;
mod shift;
mod verify;

use std::collections::BTreeMap;

use crate::error::StoreError;

pub use import::ImportOptions;

/// The version of the format that this program writes, and the newest it reads.
pub const FORMAT_VERSION: u64 = 1;

/// Lines per kind.
pub type Counts = BTreeMap<String, u64>;

/// Why an export or import did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file is not one that an export has written.
    #[error("line {line}: {reason}")]
    Line { line: u64, reason: String },
    /// The file is fine, but cannot go into this database.
    #[error("{0}")]
    Refused(String),
    #[error("cannot read or write the file")]
    File(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an export has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportReport {
    pub counts: Counts,
    /// SHA-256 of everything before the last line.
    pub digest: String,
}

/// What an import has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportReport {
    pub counts: Counts,
    /// The line behind which a run went on that had been cut off.
    pub resumed_after: Option<u64>,
    /// The file had been imported before: nothing was done.
    pub was_complete: bool,
}

/// How far an export or import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Exporting { lines: u64 },
    Checking { lines: u64 },
    Importing { lines: u64, of: u64 },
    Verifying { lines: u64, of: u64 },
}

/// Told every few thousand lines.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Sync);

/// Lines between two reports of progress.
const REPORT_EVERY: u64 = 5_000;
