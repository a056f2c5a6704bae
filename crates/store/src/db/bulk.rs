//! Many new rows for one table, several to a statement.

use sea_query::{Expr, MysqlQueryBuilder, PostgresQueryBuilder, Query, SqliteQueryBuilder};
use sea_query_sqlx::SqlxValues;

use super::Transaction;
use super::text::build;
use crate::dialect::Dialect;
use crate::error::Result;

/// Values in a statement at most; SQLite's limit is 32,766, and longer statements are not faster.
const VALUES: usize = 8_000;

/// A statement that is ready to be sent: making its text takes about as long as a database takes to run it, and can be done
/// while it runs another one.
pub(crate) struct Insertion {
    pub(super) sql: String,
    pub(super) values: SqlxValues,
}

/// How many rows of so many columns one statement inserts at most.
pub(crate) const fn rows_of_statement(columns: usize) -> usize {
    VALUES / if columns == 0 { 1 } else { columns }
}

/// Statements that insert rows whose values stand in the order of the columns.
pub(crate) fn insertions<R: IntoIterator<Item = Expr>>(
    dialect: Dialect,
    table: &'static str,
    columns: &[&'static str],
    rows: impl IntoIterator<Item = R>,
) -> Vec<Insertion> {
    let mut insertions = Vec::new();
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut insert = Query::insert();
        insert.into_table(table).columns(columns.iter().copied());
        for row in rows.by_ref().take(rows_of_statement(columns.len())) {
            insert.values_panic(row);
        }
        let (sql, values) = match dialect {
            Dialect::Sqlite => build(&insert, SqliteQueryBuilder),
            Dialect::Postgres => build(&insert, PostgresQueryBuilder),
            Dialect::MySql => build(&insert, MysqlQueryBuilder),
        };
        insertions.push(Insertion { sql, values });
    }
    insertions
}

impl Transaction {
    /// Inserts rows whose values stand in the order of the columns.
    pub(crate) async fn insert_rows<R: IntoIterator<Item = Expr> + Send>(
        &mut self,
        table: &'static str,
        columns: &[&'static str],
        rows: Vec<R>,
    ) -> Result<()> {
        for insertion in insertions(self.dialect(), table, columns, rows) {
            self.run_insertion(insertion).await?;
        }
        Ok(())
    }
}
