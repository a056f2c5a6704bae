//! Export of the registry to a file and import: a JSON line per entity, in order of dependency (`docs/export-format.md`).
//!
//! Both work in constant memory and between all databases: a line holds what the API shows, and an import derives columns
//! and filterable properties from it again. Two exports of equal content are equal byte for byte.
//!
//! To add a kind: nothing, if its rows are in one of the tables here. To add a table: a [`line::Section`], its page in
//! `pages.rs`, its insert in `batch.rs`.

mod batch;
mod conflicts;
mod export;
mod id_offsets;
mod import;
mod import_run;
pub mod line;
mod pages;
mod verify;

use std::collections::BTreeMap;

use crate::error::StoreError;

pub use import::ImportOptions;
pub use verify::{Contents, verify};

/// The version of the format that this program writes and reads.
pub const FORMAT_VERSION: u64 = 1;

/// The number of lines per kind.
pub type Counts = BTreeMap<String, u64>;

/// Why an export or import failed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file is not an intact export.
    #[error("line {line}: {reason}")]
    Line { line: u64, reason: String },
    /// The file is intact, but it cannot be imported into this database.
    #[error("{0}")]
    Refused(String),
    #[error("cannot read or write the file")]
    File(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The result of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportReport {
    pub counts: Counts,
    /// SHA-256 of everything before the last line, in hexadecimal digits.
    pub digest: String,
}

/// The result of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportReport {
    pub counts: Counts,
    /// If the import resumed an interrupted one, the last line that was already imported.
    pub resumed_after: Option<u64>,
    /// The file had already been imported, so that nothing was done.
    pub was_complete: bool,
}

/// The progress of an export or import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Exporting { lines: u64 },
    Checking { lines: u64 },
    Importing { lines: u64, of: u64 },
    Verifying { lines: u64, of: u64 },
}

/// Called every few thousand lines.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Sync);

/// Lines between two reports of progress.
const REPORT_EVERY: u64 = 5_000;
