//! The database: pools, transactions, and the one place that runs statements.
//!
//! An enum over the three drivers instead of a trait or generics: signatures stay plain, and a `match` in `run.rs`
//! is the whole price.

mod bulk;
mod connect;
mod migrate;
mod pool;
mod row;
mod run;
mod source;
mod text;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::{MySql, Postgres, Sqlite};

use crate::dialect::Dialect;
use crate::error::Result;
use crate::gather::Gather;

use pool::{Lent, Pool};

pub use bulk::{Insertion, insertions, rows_of_statement};
pub(crate) use bulk::{insertions_of, together};
pub use connect::{ConnectError, PoolOptions};
pub use row::{Row, drivers};
pub(crate) use run::Planning;
pub use source::{DatabaseTls, DatabaseUrl, DatabaseUrlError, Pem};

/// Kibibytes of pages that each connection to SQLite keeps.
pub const SQLITE_CACHE: u32 = 8 * 1024;

/// How long connections may take to be closed.
const CLOSING: Duration = Duration::from_secs(5);

/// Pools of connections to one database.
#[derive(Clone)]
pub struct Database {
    pools: Pools,
    statements: Arc<AtomicU64>,
    schema_version: i64,
    pub(crate) gather: Arc<Gather>,
}

#[derive(Clone)]
enum Pools {
    /// SQLite allows one writer; readers do not wait for it.
    Sqlite {
        read: Pool<Sqlite>,
        write: Pool<Sqlite>,
    },
    Postgres(Pool<Postgres>),
    MySql(Pool<MySql>),
}

/// A transaction; dropped without [`Transaction::commit`], it is rolled back.
pub struct Transaction {
    inner: Inner,
    statements: Arc<AtomicU64>,
}

enum Inner {
    Sqlite(Lent<Sqlite>),
    Postgres(Lent<Postgres>),
    MySql(Lent<MySql>),
}

/// Connections of the pools.
#[derive(Clone, Copy, Debug)]
pub struct PoolStatus {
    pub open: u32,
    pub idle: u32,
}

impl Database {
    pub fn dialect(&self) -> Dialect {
        match self.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
            Pools::MySql(_) => Dialect::MySql,
        }
    }

    /// Statements run so far, those of migrations and BEGIN and COMMIT excepted.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// The newest migration that was applied.
    pub fn schema_version(&self) -> i64 {
        self.schema_version
    }

    pub fn pool_status(&self) -> PoolStatus {
        let (open, idle) = match &self.pools {
            Pools::Sqlite { read, write } => (read.size() + write.size(), read.num_idle() + write.num_idle()),
            Pools::Postgres(pool) => (pool.size(), pool.num_idle()),
            Pools::MySql(pool) => (pool.size(), pool.num_idle()),
        };
        PoolStatus { open, idle: u32::try_from(idle).unwrap_or(u32::MAX) }
    }

    /// Begins a transaction that may write.
    pub async fn begin(&self) -> Result<Transaction> {
        let inner = match &self.pools {
            // A deferred transaction that reads and then writes fails at once when another one wrote in between.
            Pools::Sqlite { write, .. } => Inner::Sqlite(write.begin(Some("BEGIN IMMEDIATE")).await?),
            Pools::Postgres(pool) => Inner::Postgres(pool.begin(None).await?),
            Pools::MySql(pool) => Inner::MySql(pool.begin(None).await?),
        };
        Ok(Transaction { inner, statements: Arc::clone(&self.statements) })
    }

    /// Begins a transaction that sees the database as it is now for as long as it lasts, and writes nothing.
    pub async fn begin_snapshot(&self) -> Result<Transaction> {
        let inner = match &self.pools {
            // Deferred: the first read takes the snapshot.
            Pools::Sqlite { read, .. } => Inner::Sqlite(read.begin(Some("BEGIN DEFERRED")).await?),
            Pools::Postgres(pool) => {
                Inner::Postgres(pool.begin(Some("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")).await?)
            }
            // The level counts for the next transaction only.
            Pools::MySql(pool) => Inner::MySql(
                pool.begin(Some(
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
                     START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
                ))
                .await?,
            ),
        };
        Ok(Transaction { inner, statements: Arc::clone(&self.statements) })
    }

    /// As [`Self::begin_snapshot`], for readers that may be slow.
    pub async fn begin_long_snapshot(&self) -> Result<Transaction> {
        let mut snapshot = self.begin_snapshot().await?;
        if self.dialect() == Dialect::Postgres {
            // It holds no lock.
            snapshot.execute_text("SET LOCAL idle_in_transaction_session_timeout = 0".to_owned()).await?;
        }
        Ok(snapshot)
    }

    /// Closes all connections. One that does not come back is left to the end of the process: with a statement that was given up
    /// halfway, MySQL's may never.
    pub async fn close(&self) {
        self.close_within(CLOSING).await;
    }

    async fn close_within(&self, patience: Duration) {
        let closed = async {
            match &self.pools {
                Pools::Sqlite { read, write } => {
                    read.close().await;
                    write.close().await;
                }
                Pools::Postgres(pool) => pool.close().await,
                Pools::MySql(pool) => pool.close().await,
            }
        };
        if tokio::time::timeout(patience, closed).await.is_err() {
            tracing::warn!("not all connections to the database could be closed in order");
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
            Inner::Sqlite(transaction) => transaction.commit().await?,
            Inner::Postgres(transaction) => transaction.commit().await?,
            Inner::MySql(transaction) => transaction.commit().await?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_that_is_never_given_back_does_not_keep_the_process() {
        let source = DatabaseUrl::Sqlite { path: None };
        let database = Database::connect(&source, PoolOptions::default()).await.unwrap();
        let kept = database.begin().await.unwrap();
        database.close_within(Duration::from_millis(20)).await;
        assert!(database.begin().await.is_err(), "it is closed nevertheless");
        drop(kept);
    }
}
