//! Building blocks for crates that own tables in the same database: statements, rows, properties, page tokens.
//!
//! Statements run by methods of [`Database`](crate::Database) and [`Transaction`](crate::Transaction). Migrations of all
//! tables are in this crate, because there is one schema with one version.

#[doc(hidden)]
pub use crate::db::drivers;
pub use crate::db::{Insertion, Row, SQLITE_CACHE, insertions, rows_of_statement};
pub use crate::direction::{is_after, is_from, order};
pub use crate::document::append_wire;
pub use crate::property::{Properties, PropertyKey, PropertyValue, custom_properties};
pub use crate::tables::{WORKSPACE, folded, value_column};
pub use crate::token::fingerprint;
pub use crate::write::{PROPERTY_COLUMNS, PropertyRow};
