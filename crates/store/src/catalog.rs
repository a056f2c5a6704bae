//! The catalog: what sources publish, kept as documents and replaced source by source.
//!
//! A load is one transaction ([`CatalogLoad`]): readers see all of the old set or all of the new one. Reads are one
//! statement each ([`CatalogList`]), or several in one snapshot ([`CatalogSnapshot`]). Lists with a filter or a search are
//! answered with an index in memory (`index.rs`); without it by the database alone, on SQLite in two statements
//! (`narrow.rs`).

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
mod vocabulary;

pub(crate) use index::IndexSlot;
pub use item::{CatalogItem, CatalogItems};
pub use kind::CatalogKind;
pub use list::{CatalogList, CatalogPage, CatalogSet};
pub use load::{CatalogLoad, LoadReport, NextSync, SourceSnapshot};
pub use options::{Options, PropertyOptions};
pub use order::CatalogOrder;
pub use read::{CatalogRecord, SourceState};
pub use snapshot::CatalogSnapshot;
pub use vocabulary::about_related;
