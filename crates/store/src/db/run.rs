//! Runs statements built by sea-query on whichever database it is, and counts them.
//!
//! This is the only place where text becomes SQL that sqlx trusts: sea-query binds every value.

use std::sync::atomic::Ordering;

use sea_query::{InsertStatement, MysqlQueryBuilder, PostgresQueryBuilder, SqliteQueryBuilder};
use sea_query_sqlx::SqlxBinder;
use sqlx::mysql::MySqlRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Executor, FromRow};

use super::{Database, Inner, Pools, Transaction};
use crate::error::Result;

/// A row type that every driver can decode; `#[derive(FromRow)]` gives it.
pub(crate) trait Row:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, MySqlRow> + Send + Unpin
{
}

impl<T> Row for T where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, MySqlRow> + Send + Unpin
{
}

// A macro, because the three drivers' types share no trait that a function could take.
macro_rules! query_as {
    ($statement:expr, $builder:expr, $fetch:ident, $executor:expr) => {{
        let (sql, values) = $statement.build_sqlx($builder);
        sqlx::query_as_with(AssertSqlSafe(sql), values).$fetch($executor).await?
    }};
}

impl Database {
    pub(crate) async fn fetch_all<R: Row>(&self, statement: &(impl SqlxBinder + Sync)) -> Result<Vec<R>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        Ok(match &self.pools {
            Pools::Sqlite { read, .. } => query_as!(statement, SqliteQueryBuilder, fetch_all, read),
            Pools::Postgres(pool) => query_as!(statement, PostgresQueryBuilder, fetch_all, pool),
            Pools::MySql(pool) => query_as!(statement, MysqlQueryBuilder, fetch_all, pool),
        })
    }

    /// As [`Self::fetch_all`], for statements with a filter: there are endlessly many texts of them, and their plan depends on
    /// the values, so they are neither kept prepared nor planned without looking at the values.
    pub(crate) async fn fetch_filtered<R: Row>(&self, statement: &(impl SqlxBinder + Sync)) -> Result<Vec<R>> {
        let Pools::Postgres(pool) = &self.pools else { return self.fetch_all(statement).await };
        self.statements.fetch_add(1, Ordering::Relaxed);
        let (sql, values) = statement.build_sqlx(PostgresQueryBuilder);
        Ok(sqlx::query_as_with(AssertSqlSafe(sql), values).persistent(false).fetch_all(pool).await?)
    }

    pub(crate) async fn fetch_optional<R: Row>(&self, statement: &(impl SqlxBinder + Sync)) -> Result<Option<R>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        Ok(match &self.pools {
            Pools::Sqlite { read, .. } => query_as!(statement, SqliteQueryBuilder, fetch_optional, read),
            Pools::Postgres(pool) => query_as!(statement, PostgresQueryBuilder, fetch_optional, pool),
            Pools::MySql(pool) => query_as!(statement, MysqlQueryBuilder, fetch_optional, pool),
        })
    }
}

impl Transaction {
    pub(crate) async fn fetch_all<R: Row>(&mut self, statement: &(impl SqlxBinder + Sync)) -> Result<Vec<R>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        Ok(match &mut self.inner {
            Inner::Sqlite(tx) => query_as!(statement, SqliteQueryBuilder, fetch_all, &mut **tx),
            Inner::Postgres(tx) => query_as!(statement, PostgresQueryBuilder, fetch_all, &mut **tx),
            Inner::MySql(tx) => query_as!(statement, MysqlQueryBuilder, fetch_all, &mut **tx),
        })
    }

    pub(crate) async fn fetch_optional<R: Row>(&mut self, statement: &(impl SqlxBinder + Sync)) -> Result<Option<R>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        Ok(match &mut self.inner {
            Inner::Sqlite(tx) => query_as!(statement, SqliteQueryBuilder, fetch_optional, &mut **tx),
            Inner::Postgres(tx) => query_as!(statement, PostgresQueryBuilder, fetch_optional, &mut **tx),
            Inner::MySql(tx) => query_as!(statement, MysqlQueryBuilder, fetch_optional, &mut **tx),
        })
    }

    /// Runs a statement and tells how many rows it matched.
    pub(crate) async fn execute(&mut self, statement: &(impl SqlxBinder + Sync)) -> Result<u64> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        Ok(match &mut self.inner {
            Inner::Sqlite(tx) => {
                let (sql, values) = statement.build_sqlx(SqliteQueryBuilder);
                sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **tx).await?.rows_affected()
            }
            Inner::Postgres(tx) => {
                let (sql, values) = statement.build_sqlx(PostgresQueryBuilder);
                sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **tx).await?.rows_affected()
            }
            Inner::MySql(tx) => {
                let (sql, values) = statement.build_sqlx(MysqlQueryBuilder);
                sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **tx).await?.rows_affected()
            }
        })
    }

    /// Runs a statement that no builder knows. Its text holds no value of a client's.
    pub(crate) async fn execute_text(&mut self, sql: String) -> Result<()> {
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
                let (sql, values) = statement.build_sqlx(SqliteQueryBuilder);
                let done = sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **tx).await?;
                Ok(done.last_insert_rowid())
            }
            Inner::Postgres(tx) => {
                let (sql, values) = statement.returning_col("id").build_sqlx(PostgresQueryBuilder);
                let (id,): (i64,) = sqlx::query_as_with(AssertSqlSafe(sql), values).fetch_one(&mut **tx).await?;
                Ok(id)
            }
            Inner::MySql(tx) => {
                let (sql, values) = statement.build_sqlx(MysqlQueryBuilder);
                let done = sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **tx).await?;
                Ok(done.last_insert_id().cast_signed())
            }
        }
    }
}
