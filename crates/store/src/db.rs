//! The database: connection pools, transactions, and the only place that runs statements.
//!
//! An enum over the three drivers instead of a trait or generics: signatures stay simple at the cost of a `match` in `run.rs`.

mod bulk_insert;
mod clock;
mod connect;
mod driver;
mod examination;
mod migrate;
mod online;
mod ownership;
mod pool;
mod probe;
mod row;
mod run;
mod statement_text;
mod storage_state;
mod url;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::{MySql, Postgres, Sqlite, SqliteConnection};

use crate::dialect::Dialect;
use crate::document_memory::DocumentLimit;
use crate::error::Result;

use pool::{Pool, PooledConnection};

pub use bulk_insert::{Insertion, insertions, rows_of_statement};
pub(crate) use bulk_insert::{and_insert, insertions_of};
pub(crate) use clock::{DatabaseClock, database_time};
pub use connect::{ConnectError, PoolOptions};
pub use row::{Row, drivers};
pub(crate) use run::Planning;
pub use url::{DatabaseTls, DatabaseUrl, DatabaseUrlError, Pem};

/// Page cache of each connection to SQLite, in kibibytes.
pub const SQLITE_CACHE: u32 = 8 * 1024;

/// How long closing the connections may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// The connection pools of one database.
#[derive(Clone)]
pub struct Database {
    pools: Pools,
    statements: Arc<AtomicU64>,
    schema_version: i64,
}

#[derive(Clone)]
enum Pools {
    /// SQLite allows one writer at a time; readers do not wait for it.
    Sqlite {
        read: Pool<Sqlite>,
        write: Pool<Sqlite>,
        /// Keeps a database in memory, while the pool may close its connections.
        _memory: Option<Arc<Mutex<SqliteConnection>>>,
    },
    Postgres(Pool<Postgres>),
    MySql(Pool<MySql>),
}

/// A transaction. Dropping it without [`Transaction::commit`] rolls it back.
pub struct Transaction {
    inner: Inner,
    statements: Arc<AtomicU64>,
    pub(crate) documents: DocumentLimit,
}

enum Inner {
    Sqlite(PooledConnection<Sqlite>),
    Postgres(PooledConnection<Postgres>),
    MySql(PooledConnection<MySql>),
}

/// The number of connections.
#[derive(Clone, Copy, Debug)]
pub struct PoolStatus {
    pub open: u32,
    pub idle: u32,
    /// The limit of open connections.
    pub max: u32,
}

impl Database {
    pub fn dialect(&self) -> Dialect {
        match self.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
            Pools::MySql(_) => Dialect::MySql,
        }
    }

    /// Statements run so far, except migrations, BEGIN and COMMIT.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// The newest applied migration.
    pub fn schema_version(&self) -> i64 {
        self.schema_version
    }

    pub fn pool_status(&self) -> PoolStatus {
        match &self.pools {
            Pools::Sqlite { read, write, .. } => {
                let (read, write) = (read.status(), write.status());
                PoolStatus { open: read.open + write.open, idle: read.idle + write.idle, max: read.max + write.max }
            }
            Pools::Postgres(pool) => pool.status(),
            Pools::MySql(pool) => pool.status(),
        }
    }

    /// Begins a transaction that may write.
    pub async fn begin(&self) -> Result<Transaction> {
        let inner = match &self.pools {
            // A deferred transaction that reads first fails at its first write if another transaction has written meanwhile.
            Pools::Sqlite { write, .. } => Inner::Sqlite(write.begin("BEGIN IMMEDIATE").await?),
            Pools::Postgres(pool) => Inner::Postgres(pool.begin("BEGIN").await?),
            Pools::MySql(pool) => Inner::MySql(pool.begin("BEGIN").await?),
        };
        Ok(self.transaction(inner))
    }

    /// Begins a read-only transaction on a snapshot of the database.
    pub async fn begin_snapshot(&self) -> Result<Transaction> {
        let inner = match &self.pools {
            // The first read of a deferred transaction takes the snapshot.
            Pools::Sqlite { read, .. } => Inner::Sqlite(read.begin_read("BEGIN DEFERRED").await?),
            Pools::Postgres(pool) => {
                Inner::Postgres(pool.begin_read("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
            }
            // The isolation level applies to the next transaction only.
            Pools::MySql(pool) => Inner::MySql(
                pool.begin_read(
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
                     START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
                )
                .await?,
            ),
        };
        Ok(self.transaction(inner))
    }

    fn transaction(&self, inner: Inner) -> Transaction {
        Transaction { inner, statements: Arc::clone(&self.statements), documents: DocumentLimit::default() }
    }

    /// As [`Self::begin_snapshot`], for transactions that may be idle for long.
    pub async fn begin_long_snapshot(&self) -> Result<Transaction> {
        let mut snapshot = self.begin_snapshot().await?;
        if self.dialect() == Dialect::Postgres {
            // Harmless: a snapshot holds no locks.
            snapshot.execute_text("SET LOCAL idle_in_transaction_session_timeout = 0".to_owned()).await?;
        }
        Ok(snapshot)
    }

    /// Closes all connections. A connection that is not returned in time is left open until the process ends: with MySQL, one
    /// whose statement was cancelled may never be returned.
    pub async fn close(&self) {
        self.close_within(CLOSE_TIMEOUT).await;
    }

    async fn close_within(&self, limit: Duration) {
        let closed = async {
            match &self.pools {
                Pools::Sqlite { read, write, .. } => {
                    read.close().await;
                    write.close().await;
                }
                Pools::Postgres(pool) => pool.close().await,
                Pools::MySql(pool) => pool.close().await,
            }
        };
        if tokio::time::timeout(limit, closed).await.is_err() {
            tracing::warn!("some connections to the database did not close in time");
        }
    }
}

impl Transaction {
    pub fn dialect(&self) -> Dialect {
        match self.inner {
            Inner::Sqlite(_) => Dialect::Sqlite,
            Inner::Postgres(_) => Dialect::Postgres,
            Inner::MySql(_) => Dialect::MySql,
        }
    }

    pub async fn commit(self) -> Result<()> {
        match self.inner {
            Inner::Sqlite(transaction) => transaction.commit().await,
            Inner::Postgres(transaction) => transaction.commit().await,
            Inner::MySql(transaction) => transaction.commit().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refused_connection_is_reported_with_its_cause_instead_of_a_timeout() {
        for url in ["postgres://u@127.0.0.1:1/models", "mysql://u@127.0.0.1:1/models"] {
            let url: DatabaseUrl = url.parse().unwrap();
            let error = Database::connect(&url, PoolOptions::default()).await.err().unwrap();
            let is_refused = |error: &std::io::Error| error.kind() == std::io::ErrorKind::ConnectionRefused;
            assert!(matches!(&error, ConnectError::Unreachable(sqlx::Error::Io(io)) if is_refused(io)), "{error:?}");
            assert!(error.is_temporary());
        }
    }

    #[tokio::test]
    async fn a_connection_that_is_never_returned_does_not_block_closing() {
        let url = DatabaseUrl::Sqlite { path: None };
        let database = Database::connect(&url, PoolOptions::default()).await.unwrap();
        let kept = database.begin().await.unwrap();
        database.close_within(Duration::from_millis(20)).await;
        assert!(database.begin().await.is_err(), "the pool is closed nevertheless");
        drop(kept);
    }
}
