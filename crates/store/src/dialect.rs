//! The three SQL dialects.

use sea_query::Expr;

/// Which SQL a database speaks.
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

    /// What a subquery selects that is asked of one row at a time: the limit keeps other planners from making a join of
    /// it, MySQL has to be told. It would begin with the subquery, read all its rows and sort what it finds.
    pub(crate) fn asked_of_each_row(self) -> Expr {
        match self {
            Self::Sqlite | Self::Postgres => Expr::cust("1"),
            // MariaDB, to most versions of which this is a comment, leaves such subqueries alone.
            Self::MySql => Expr::cust("/*+ NO_SEMIJOIN() */ 1"),
        }
    }
}
