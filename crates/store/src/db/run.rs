//! Runs statements built by sea-query on any of the databases, and counts them.
//!
//! This is the only place where a string becomes SQL that sqlx trusts. All values are bound, except limits and our own
//! constants ([`constant`](crate::tables::constant)).

use std::sync::atomic::Ordering;

use futures::TryStreamExt;
use sea_query::{InsertStatement, MysqlQueryBuilder, PostgresQueryBuilder, QueryStatementWriter, SqliteQueryBuilder};
use sqlx::{AssertSqlSafe, Executor, Row as _};

use super::bulk_insert::{Inserted, Insertion};
use super::row::Row;
use super::statement_text::build;
use super::{Database, Inner, Pools, Transaction};
use crate::error::Result;
use crate::explain;

// Macros, because the types of the three drivers share no trait that a function could take.
macro_rules! query_as {
    ($statement:expr, $builder:expr) => {{
        let (sql, values) = build($statement, $builder);
        explain::statement(&sql);
        sqlx::query_as_with(AssertSqlSafe(sql), values)
    }};
}

/// Runs a query on a connection of the pool.
macro_rules! pooled {
    ($query:expr, $fetch:ident, $pool:expr) => {{
        let query = $query;
        let mut connection = $pool.acquire().await?;
        let result = connection.watch().over(query.$fetch(&mut *connection)).await;
        let result = connection.checked(result)?;
        connection.release();
        result
    }};
}

/// Runs a statement of a transaction.
macro_rules! within {
    ($transaction:expr, $statement:expr) => {{
        let watch = $transaction.watch();
        let result = watch.over($statement).await;
        $transaction.checked(result)?
    }};
}

/// As `within`, for a statement that changes rows.
macro_rules! written {
    ($transaction:expr, $statement:expr) => {{
        let result = within!($transaction, $statement);
        $transaction.has_written();
        result
    }};
}

macro_rules! page {
    ($statement:expr, $builder:expr, $planning:expr, $pool:expr, $each:expr) => {{
        let (sql, values) = build($statement, $builder);
        explain::statement(&sql);
        let query = sqlx::query_with(AssertSqlSafe(sql), values).persistent($planning == Planning::Once);
        let mut connection = $pool.acquire().await?;
        let mut count = 0;
        let watch = connection.watch();
        // Row by row, so that rows reuse the memory of the preceding ones.
        let mut rows = query.fetch(&mut *connection);
        let read = watch.over(async {
            while let Some(row) = rows.try_next().await? {
                count += 1;
                let each: Result<()> = $each(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                if each.is_err() {
                    return Ok(each);
                }
            }
            Ok(Ok(()))
        });
        let read = read.await;
        drop(rows);
        connection.checked(read)??;
        connection.release();
        explain::returned(count);
    }};
}

/// When a statement is planned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planning {
    /// Once per connection, as a prepared statement: its best plan does not depend on its values.
    Once,
    /// On PostgreSQL at every execution: filters are too various to stay prepared, and their best plan depends on the values.
    ForValues,
}

impl Database {
    pub async fn fetch_all<R: Row>(&self, statement: &(impl QueryStatementWriter + Sync)) -> Result<Vec<R>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let rows: Vec<R> = match &self.pools {
            Pools::Sqlite { read, .. } => pooled!(query_as!(statement, SqliteQueryBuilder), fetch_all, read),
            Pools::Postgres(pool) => pooled!(query_as!(statement, PostgresQueryBuilder), fetch_all, pool),
            Pools::MySql(pool) => pooled!(query_as!(statement, MysqlQueryBuilder), fetch_all, pool),
        };
        explain::returned(rows.len());
        Ok(rows)
    }

    /// As [`Self::fetch_all`], planned for the values of its parameters.
    pub async fn fetch_filtered<R: Row>(&self, statement: &(impl QueryStatementWriter + Sync)) -> Result<Vec<R>> {
        let Pools::Postgres(pool) = &self.pools else { return self.fetch_all(statement).await };
        self.statements.fetch_add(1, Ordering::Relaxed);
        let rows: Vec<R> = pooled!(query_as!(statement, PostgresQueryBuilder).persistent(false), fetch_all, pool);
        explain::returned(rows.len());
        Ok(rows)
    }

    /// Passes each row of a page to `each`: the id, the sort key and the document, if it is not a large one.
    pub(crate) async fn fetch_page(
        &self,
        statement: &(impl QueryStatementWriter + Sync),
        planning: Planning,
        mut each: impl FnMut(i64, i64, Option<&str>) -> Result<()>,
    ) -> Result<()> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        match &self.pools {
            Pools::Sqlite { read, .. } => page!(statement, SqliteQueryBuilder, Planning::Once, read, each),
            Pools::Postgres(pool) => page!(statement, PostgresQueryBuilder, planning, pool, each),
            Pools::MySql(pool) => page!(statement, MysqlQueryBuilder, Planning::Once, pool, each),
        }
        Ok(())
    }

    pub async fn fetch_optional<R: Row>(&self, statement: &(impl QueryStatementWriter + Sync)) -> Result<Option<R>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let row: Option<R> = match &self.pools {
            Pools::Sqlite { read, .. } => pooled!(query_as!(statement, SqliteQueryBuilder), fetch_optional, read),
            Pools::Postgres(pool) => pooled!(query_as!(statement, PostgresQueryBuilder), fetch_optional, pool),
            Pools::MySql(pool) => pooled!(query_as!(statement, MysqlQueryBuilder), fetch_optional, pool),
        };
        explain::returned(usize::from(row.is_some()));
        Ok(row)
    }

    /// The SQL of a statement, with placeholders.
    pub(crate) fn text(&self, statement: &impl QueryStatementWriter) -> String {
        match &self.pools {
            Pools::Sqlite { .. } => build(statement, SqliteQueryBuilder).0,
            Pools::Postgres(_) => build(statement, PostgresQueryBuilder).0,
            Pools::MySql(_) => build(statement, MysqlQueryBuilder).0,
        }
    }
}

impl Transaction {
    pub async fn fetch_all<R: Row>(&mut self, statement: &(impl QueryStatementWriter + Sync)) -> Result<Vec<R>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        Ok(match &mut self.inner {
            Inner::Sqlite(tx) => within!(tx, query_as!(statement, SqliteQueryBuilder).fetch_all(&mut **tx)),
            Inner::Postgres(tx) => within!(tx, query_as!(statement, PostgresQueryBuilder).fetch_all(&mut **tx)),
            Inner::MySql(tx) => within!(tx, query_as!(statement, MysqlQueryBuilder).fetch_all(&mut **tx)),
        })
    }

    pub async fn fetch_optional<R: Row>(
        &mut self,
        statement: &(impl QueryStatementWriter + Sync),
    ) -> Result<Option<R>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        Ok(match &mut self.inner {
            Inner::Sqlite(tx) => within!(tx, query_as!(statement, SqliteQueryBuilder).fetch_optional(&mut **tx)),
            Inner::Postgres(tx) => within!(tx, query_as!(statement, PostgresQueryBuilder).fetch_optional(&mut **tx)),
            Inner::MySql(tx) => within!(tx, query_as!(statement, MysqlQueryBuilder).fetch_optional(&mut **tx)),
        })
    }

    /// Runs a statement and returns the number of rows it matched.
    pub async fn execute(&mut self, statement: &(impl QueryStatementWriter + Sync)) -> Result<u64> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        Ok(match &mut self.inner {
            Inner::Sqlite(tx) => {
                let (sql, values) = build(statement, SqliteQueryBuilder);
                written!(tx, sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **tx)).rows_affected()
            }
            Inner::Postgres(tx) => {
                let (sql, values) = build(statement, PostgresQueryBuilder);
                written!(tx, sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **tx)).rows_affected()
            }
            Inner::MySql(tx) => {
                let (sql, values) = build(statement, MysqlQueryBuilder);
                written!(tx, sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **tx)).rows_affected()
            }
        })
    }

    pub async fn run_insertion(&mut self, Insertion { sql, values }: Insertion) -> Result<()> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let sql = AssertSqlSafe(sql);
        match (&mut self.inner, values) {
            (Inner::Postgres(tx), Inserted::Columns(columns)) => {
                let query = columns.into_iter().fold(sqlx::query(sql), |query, column| column.bind(query));
                written!(tx, query.execute(&mut **tx));
            }
            (Inner::Sqlite(tx), Inserted::Rows(values)) => {
                written!(tx, sqlx::query_with(sql, values).execute(&mut **tx));
            }
            (Inner::MySql(tx), Inserted::Rows(values)) => {
                written!(tx, sqlx::query_with(sql, values).execute(&mut **tx));
            }
            // Insertions are built for the dialect of the transaction.
            (Inner::Postgres(_), Inserted::Rows(_)) | (_, Inserted::Columns(_)) => {
                unreachable!("an insertion for another dialect")
            }
        }
        Ok(())
    }

    /// Runs SQL that sea-query cannot build. It must not contain values from clients.
    pub async fn execute_text(&mut self, sql: String) -> Result<()> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let statement = sqlx::raw_sql(AssertSqlSafe(sql));
        match &mut self.inner {
            Inner::Sqlite(tx) => {
                within!(tx, tx.execute(statement));
            }
            Inner::Postgres(tx) => {
                within!(tx, tx.execute(statement));
            }
            Inner::MySql(tx) => {
                within!(tx, tx.execute(statement));
            }
        }
        Ok(())
    }

    /// Inserts one row into a table with a generated `id` and returns the id.
    pub(crate) async fn insert(&mut self, statement: &mut InsertStatement) -> Result<i64> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        match &mut self.inner {
            Inner::Sqlite(tx) => {
                let (sql, values) = build(statement, SqliteQueryBuilder);
                let result = written!(tx, sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **tx));
                Ok(result.last_insert_rowid())
            }
            Inner::Postgres(tx) => {
                let (sql, values) = build(statement.returning_col("id"), PostgresQueryBuilder);
                let query = sqlx::query_as_with::<_, (i64,), _>(AssertSqlSafe(sql), values);
                let (id,) = written!(tx, query.fetch_one(&mut **tx));
                Ok(id)
            }
            Inner::MySql(tx) => {
                let (sql, values) = build(statement, MysqlQueryBuilder);
                let result = written!(tx, sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **tx));
                Ok(result.last_insert_id().cast_signed())
            }
        }
    }
}
