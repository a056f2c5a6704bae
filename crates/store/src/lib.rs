//! All SQL of the system: connections, migrations, documents, filters, the change log.
//!
//! It never knows HTTP, and never decides what a client may do: rules live with the servers. No statement of another
//! crate reaches a database.
//!
//! To add a column or table, add a numbered migration in all three dialects under `migrations/` and list it in
//! `db/migrate.rs`; to make a field filterable, declare it in the kind: columns and properties follow from there.

mod backup;
mod change_log;
mod db;
pub mod dialect;
mod direction;
mod document;
mod error;
mod feed;
pub mod filter_sql;
mod gather;
mod idempotency;
mod lease;
mod list;
mod property;
mod read;
mod record;
mod retention;
mod signature;
pub mod sql;
mod store;
mod tables;
mod token;
mod vocabulary;
mod write;

pub use backup::{
    BackupError, Counts, ExportReport, FORMAT_VERSION, ImportOptions, ImportReport, OnProgress, Progress,
};
pub use change_log::Change;
pub use db::{
    ConnectError, Database, DatabaseTls, DatabaseUrl, DatabaseUrlError, Pem, PoolOptions, PoolStatus, Transaction,
};
pub use document::Document;
pub use error::{Result, StoreError, UniqueField};
pub use feed::Changes;
pub use idempotency::{IdempotencyKey, StoredResponse};
pub use lease::Lease;
pub use list::{ListRequest, ListScope, Page};
pub use read::{FindBy, Found};
pub use record::Record;
pub use store::{Operation, Outcome, Store};
pub use vocabulary::resolve_filter_name;
pub use write::{ArtifactKey, Author, CreationRest};
