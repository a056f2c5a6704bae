//! All SQL of the registry: connections, migrations, documents, properties, lists, the change log.
//!
//! It never knows HTTP, and never decides what a client may do: rules live with the servers. Only this crate and the
//! catalog's store send statements to a database.
//!
//! To add a column or table, add a numbered migration in all three dialects under `migrations/` and list it in
//! `db/migrate.rs`; to make a field filterable, declare it in the kind: columns and properties are derived from that.

mod backoff;
pub mod backup;
mod bloom_filter;
mod change_feed;
mod change_log;
mod coalesced_reads;
mod db;
pub mod dialect;
mod document;
mod document_memory;
mod error;
mod explain;
mod filter_names;
mod filter_options;
pub mod filter_sql;
mod idempotency;
mod keyset;
mod large_document;
mod lease;
mod list;
mod load;
mod page_token;
mod property;
mod read;
mod record;
mod retention;
mod search;
pub mod sql;
mod store;
mod tables;
mod unit_of_work;
mod write;

#[cfg(test)]
mod test_support;

pub use backup::{
    BackupError, Counts, ExportReport, FORMAT_VERSION, ImportOptions, ImportReport, OnProgress, Progress,
};
pub use change_feed::Changes;
pub use change_log::Change;
pub use db::{
    ConnectError, Database, DatabaseTls, DatabaseUrl, DatabaseUrlError, Pem, PoolOptions, PoolStatus, Transaction,
};
pub use document::Document;
pub use error::{Result, StorageProblem, StoreError, UniqueField};
pub use explain::{ExplainedRange, ExplainedStatement, Explanation};
pub use filter_names::resolve_filter_name;
pub use filter_options::{FieldOptions, FilterOptions, OptionType};
pub use idempotency::{IdempotencyKey, StoredResponse};
pub use lease::Lease;
pub use list::{ListRequest, ListScope, MAX_TOTAL, PAGE_BYTES, Page, PlanLimits, Total};
pub use load::ArtifactKey;
pub use read::{FindBy, Found};
pub use record::Record;
pub use search::{Hit, MatchedField, ParentName, Rank, SearchRequest, SearchResults};
pub use store::Store;
pub use unit_of_work::{Outcome, UnitOfWork};
pub use write::{Author, PendingRows};
