//! Export and import through the API of a server, with the rights of the caller: for those who cannot reach its database.
//!
//! The file is that of the export of a database (`docs/export-format.md`). The API does not show revisions, nor which of several
//! owners of an artifact is the first; and it assigns ids and times itself.

mod export;
mod import;
mod journal;

pub(crate) use export::export;
pub(crate) use import::{ApiImportOptions, import};
