//! The catalog in the database: what sources publish, kept as documents and replaced source by source.
//!
//! A load is one transaction ([`CatalogLoad`]): readers see all of the old set or all of the new one. Reads are one
//! statement each ([`CatalogStore`]), or several in one snapshot ([`CatalogSnapshot`]). Lists with a filter or a search are
//! read with an index in memory (`index.rs`); without it by the database alone, on SQLite in two statements
//! (`narrow.rs`).
//!
//! It never reads a file, calls a hub or knows HTTP. The tables are created by the migrations of the `store` crate.
//!
//! To add a filterable field, declare it in `vocabulary.rs` and raise `FORMAT` in `item.rs`.

mod index;
mod item;
mod kind;
mod list;
mod load;
mod narrow;
mod options;
mod order;
mod read;
mod snapshot;
mod store;
mod vocabulary;

pub use item::{CatalogItem, CatalogItems};
pub use kind::CatalogKind;
pub use list::{CatalogList, CatalogPage, CatalogSet};
pub use load::{CatalogLoad, LoadReport, NextSync, SourceSnapshot};
pub use options::{Options, PropertyOptions};
pub use order::CatalogOrder;
pub use read::{CatalogRecord, SourceState};
pub use snapshot::CatalogSnapshot;
pub use store::CatalogStore;
pub use vocabulary::about_related;
