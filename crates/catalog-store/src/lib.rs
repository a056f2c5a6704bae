//! The catalog in the database: what sources publish, stored as documents and replaced source by source.
//!
//! A load is one transaction ([`CatalogLoad`]): readers see all of the previous items or all of the new ones. Reads are one
//! statement each ([`CatalogStore`]), or several in one snapshot ([`CatalogSnapshot`]), as for large documents (`documents.rs`). Lists with a filter or a search are
//! read with an index in memory (`index.rs`), and without it by the database alone, on SQLite in two statements
//! (`prefilter.rs`).
//!
//! It never reads a file, calls a hub or handles HTTP. The migrations of the `store` crate create its tables.
//!
//! To add a filterable field, declare it in `api/src/catalog/asset_types/`: the next load writes the items that have it
//! again. To add an asset type, declare it there; nothing in this crate names one.

mod documents;
mod encoding;
mod fields;
mod filter_names;
mod filter_options;
mod index;
mod item;
mod items;
mod kind;
mod list;
mod load;
mod order;
mod packed_properties;
mod packing;
mod page_token;
mod prefilter;
mod read;
mod snapshot;
#[cfg(test)]
mod sql_snapshots;
mod store;

pub use model_registry_api::catalog::CatalogKind;

pub use filter_options::{Options, PropertyOptions};
pub use index::ListCounts;
pub use item::CatalogItem;
pub use items::CatalogItems;
pub use list::{CatalogList, CatalogPage, CatalogSet};
pub use load::{CatalogLoad, LoadReport, NextSync, SourceSnapshot};
pub use order::CatalogOrder;
pub use read::{CatalogHead, CatalogRecord, SourceState};
pub use snapshot::CatalogSnapshot;
pub use store::CatalogStore;
