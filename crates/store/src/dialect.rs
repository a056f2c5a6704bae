//! The three SQL dialects.

use sea_query::Expr;

/// The SQL dialect of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
    /// MySQL and MariaDB.
    MySql,
}

impl Dialect {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
        }
    }

    /// The column of a subquery that must be evaluated once per outer row. Its `LIMIT 1 OFFSET 0` keeps the other planners from
    /// turning it into a join; MySQL needs a hint, or it reads and sorts all rows of the subquery first.
    pub(crate) fn per_row_subquery_column(self) -> Expr {
        match self {
            Self::Sqlite | Self::Postgres => Expr::cust("1"),
            // A comment for most versions of MariaDB, which does not turn such subqueries into joins.
            Self::MySql => Expr::cust("/*+ NO_SEMIJOIN() */ 1"),
        }
    }
}
