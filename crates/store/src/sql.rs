//! Building blocks for crates that own tables in the same database: statements, rows, properties, page tokens.
//!
//! Statements are run by methods of [`Database`](crate::Database) and [`Transaction`](crate::Transaction). The migrations of
//! all tables are in this crate, because the schema has one version.

#[doc(hidden)]
pub use crate::db::drivers;
pub use crate::db::{Insertion, Row, SQLITE_CACHE, insertions, rows_of_statement};
pub use crate::document::append_wire;
pub use crate::keyset::{is_after, is_from, order};
pub use crate::large_document::{size_in_bytes, string_up_to, sum_of_sizes};
pub use crate::page_token::fingerprint;
pub use crate::property::{Properties, PropertyKey, PropertyValue, custom_properties};
pub use crate::tables::{WORKSPACE, folded, value_column};
pub use crate::write::{PROPERTY_COLUMNS, PropertyRow};
