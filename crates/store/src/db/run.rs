//! Runs statements built by sea-query on whichever database it is, and counts them.
//!
//! This is the only place where text becomes SQL that sqlx trusts: every value is bound, but for the numbers
//! of limits and what is ours ([`constant`](crate::tables::constant)).

use std::sync::atomic::Ordering;

use futures::TryStreamExt;
use sea_query::{InsertStatement, MysqlQueryBuilder, PostgresQueryBuilder, QueryStatementWriter, SqliteQueryBuilder};
use sqlx::{AssertSqlSafe, Executor, Row as _};

use super::bulk::{Inserted, Insertion};
use super::row::Row;
use super::text::build;
use super::{Database, Inner, Pools, Transaction};
use crate::error::Result;

// Macros, because the three drivers' types share no trait that a function could take.
macro_rules! query_as {
    ($statement:expr, $builder:expr) => {{
        let (sql, values) = build($statement, $builder);
        sqlx::query_as_with(AssertSqlSafe(sql), values)
    }};
}

/// The answer to a query, with a connection of the pool.
macro_rules! pooled {
    ($query:expr, $fetch:ident, $pool:expr) => {{
        let query = $query;
        let mut connection = $pool.lend().await?;
        let answer = query.$fetch(&mut *connection).await?;
        connection.give_back();
        answer
    }};
}

macro_rules! page {
    ($statement:expr, $builder:expr, $planning:expr, $pool:expr, $each:expr) => {{
        let (sql, values) = build($statement, $builder);
        let query = sqlx::query_with(AssertSqlSafe(sql), values).persistent($planning == Planning::Once);
        let mut connection = $pool.lend().await?;
        // One row after the other: the memory that a row came in serves the next ones.
        let mut rows = query.fetch(&mut *connection);
        while let Some(row) = rows.try_next().await? {
            $each(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)?;
        }
        drop(rows);
        connection.give_back();
    }};
}

/// When a statement gets its plan.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planning {
    /// Once: its text says how it is best run.
    Once,
    /// On PostgreSQL for the values each time: there are endlessly many texts of filters, and their plans depend on what is
    /// asked for.
    ForValues,
}

impl Database {
    pub async fn fetch_all<R: Row>(&self, statement: &(impl QueryStatementWriter + Sync)) -> Result<Vec<R>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        Ok(match &self.pools {
            Pools::Sqlite { read, .. } => pooled!(query_as!(statement, SqliteQueryBuilder), fetch_all, read),
            Pools::Postgres(pool) => pooled!(query_as!(statement, PostgresQueryBuilder), fetch_all, pool),
            Pools::MySql(pool) => pooled!(query_as!(statement, MysqlQueryBuilder), fetch_all, pool),
        })
    }

    /// As [`Self::fetch_all`], for statements that are planned for their values.
    pub async fn fetch_filtered<R: Row>(&self, statement: &(impl QueryStatementWriter + Sync)) -> Result<Vec<R>> {
        let Pools::Postgres(pool) = &self.pools else { return self.fetch_all(statement).await };
        self.statements.fetch_add(1, Ordering::Relaxed);
        Ok(pooled!(query_as!(statement, PostgresQueryBuilder).persistent(false), fetch_all, pool))
    }

    /// Hands over the rows of a page, an `id`, the key of the order and a document each.
    pub(crate) async fn fetch_page(
        &self,
        statement: &(impl QueryStatementWriter + Sync),
        planning: Planning,
        mut each: impl FnMut(i64, i64, &str) -> Result<()>,
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
        Ok(match &self.pools {
            Pools::Sqlite { read, .. } => pooled!(query_as!(statement, SqliteQueryBuilder), fetch_optional, read),
            Pools::Postgres(pool) => pooled!(query_as!(statement, PostgresQueryBuilder), fetch_optional, pool),
            Pools::MySql(pool) => pooled!(query_as!(statement, MysqlQueryBuilder), fetch_optional, pool),
        })
    }
}

impl Transaction {
    pub async fn fetch_all<R: Row>(&mut self, statement: &(impl QueryStatementWriter + Sync)) -> Result<Vec<R>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        Ok(match &mut self.inner {
            Inner::Sqlite(tx) => query_as!(statement, SqliteQueryBuilder).fetch_all(&mut **tx).await?,
            Inner::Postgres(tx) => query_as!(statement, PostgresQueryBuilder).fetch_all(&mut **tx).await?,
            Inner::MySql(tx) => query_as!(statement, MysqlQueryBuilder).fetch_all(&mut **tx).await?,
        })
    }

    pub async fn fetch_optional<R: Row>(
        &mut self,
        statement: &(impl QueryStatementWriter + Sync),
    ) -> Result<Option<R>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        Ok(match &mut self.inner {
            Inner::Sqlite(tx) => query_as!(statement, SqliteQueryBuilder).fetch_optional(&mut **tx).await?,
            Inner::Postgres(tx) => query_as!(statement, PostgresQueryBuilder).fetch_optional(&mut **tx).await?,
            Inner::MySql(tx) => query_as!(statement, MysqlQueryBuilder).fetch_optional(&mut **tx).await?,
        })
    }

    /// Runs a statement and tells how many rows it matched.
    pub async fn execute(&mut self, statement: &(impl QueryStatementWriter + Sync)) -> Result<u64> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        Ok(match &mut self.inner {
            Inner::Sqlite(tx) => {
                let (sql, values) = build(statement, SqliteQueryBuilder);
                sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **tx).await?.rows_affected()
            }
            Inner::Postgres(tx) => {
                let (sql, values) = build(statement, PostgresQueryBuilder);
                sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **tx).await?.rows_affected()
            }
            Inner::MySql(tx) => {
                let (sql, values) = build(statement, MysqlQueryBuilder);
                sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **tx).await?.rows_affected()
            }
        })
    }

    pub async fn run_insertion(&mut self, Insertion { sql, values }: Insertion) -> Result<()> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let sql = AssertSqlSafe(sql);
        match (&mut self.inner, values) {
            (Inner::Postgres(tx), Inserted::Columns(columns)) => {
                let query = columns.into_iter().fold(sqlx::query(sql), |query, column| column.bind(query));
                query.execute(&mut **tx).await?;
            }
            (Inner::Sqlite(tx), Inserted::Rows(values)) => {
                sqlx::query_with(sql, values).execute(&mut **tx).await?;
            }
            (Inner::MySql(tx), Inserted::Rows(values)) => {
                sqlx::query_with(sql, values).execute(&mut **tx).await?;
            }
            // The dialect that it was made for is that of the transaction.
            (Inner::Postgres(_), Inserted::Rows(_)) | (_, Inserted::Columns(_)) => {
                unreachable!("an insertion for another database")
            }
        }
        Ok(())
    }

    /// Runs a statement that no builder knows. Its text holds no value of a client's.
    pub async fn execute_text(&mut self, sql: String) -> Result<()> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let statement = sqlx::raw_sql(AssertSqlSafe(sql));
        match &mut self.inner {
            Inner::Sqlite(tx) => {
                tx.execute(statement).await?;
            }
            Inner::Postgres(tx) => {
                tx.execute(statement).await?;
            }
            Inner::MySql(tx) => {
                tx.execute(statement).await?;
            }
        }
        Ok(())
    }

    /// Inserts one row into a table with a generated `id` and gives that.
    pub(crate) async fn insert(&mut self, statement: &mut InsertStatement) -> Result<i64> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        match &mut self.inner {
            Inner::Sqlite(tx) => {
                let (sql, values) = build(statement, SqliteQueryBuilder);
                let done = sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **tx).await?;
                Ok(done.last_insert_rowid())
            }
            Inner::Postgres(tx) => {
                let (sql, values) = build(statement.returning_col("id"), PostgresQueryBuilder);
                let (id,): (i64,) = sqlx::query_as_with(AssertSqlSafe(sql), values).fetch_one(&mut **tx).await?;
                Ok(id)
            }
            Inner::MySql(tx) => {
                let (sql, values) = build(statement, MysqlQueryBuilder);
                let done = sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **tx).await?;
                Ok(done.last_insert_id().cast_signed())
            }
        }
    }
}
