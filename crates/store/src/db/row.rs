//! Rows decoded into structs, for every driver.

use sqlx::FromRow;
use sqlx::mysql::MySqlRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

/// A row type that every driver can decode; [`from_row`](crate::from_row) implements it.
pub trait Row:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, MySqlRow> + Send + Unpin
{
}

impl<T> Row for T where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, MySqlRow> + Send + Unpin
{
}

/// What [`from_row`](crate::from_row) expands to; not for other uses.
#[doc(hidden)]
pub mod drivers {
    pub use sqlx::mysql::MySqlRow;
    pub use sqlx::postgres::PgRow;
    pub use sqlx::sqlite::SqliteRow;
    pub use sqlx::{FromRow, Result, Row};
}

/// Implements [`Row`](crate::sql::Row) for a struct whose fields are named like the columns. The field after `with` is a
/// row itself, read from the same columns.
///
/// `#[derive(sqlx::FromRow)]` would do the same, but its macro crate compiles all three drivers a second time for the
/// compiler's own use, SQLite's C code included: a quarter of a first build.
///
/// ```ignore
/// from_row!(IntRow { sort_key }, with record);
/// ```
#[macro_export]
macro_rules! from_row {
    ($row:ident { $($column:ident),+ $(,)? } $(, with $part:ident)?) => {
        $crate::from_row!(@implement SqliteRow, $row { $($column)+ } $($part)?);
        $crate::from_row!(@implement PgRow, $row { $($column)+ } $($part)?);
        $crate::from_row!(@implement MySqlRow, $row { $($column)+ } $($part)?);
    };
    (@implement $source:ident, $row:ident { $($column:ident)+ } $($part:ident)?) => {
        impl $crate::sql::drivers::FromRow<'_, $crate::sql::drivers::$source> for $row {
            fn from_row(row: &$crate::sql::drivers::$source) -> $crate::sql::drivers::Result<Self> {
                use $crate::sql::drivers::Row as _;
                Ok(Self {
                    $($column: row.try_get(stringify!($column))?,)+
                    $($part: $crate::sql::drivers::FromRow::from_row(row)?,)?
                })
            }
        }
    };
}
