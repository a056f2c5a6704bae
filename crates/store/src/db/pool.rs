//! Connections that are lent out again without being asked anything.
//!
//! sqlx's pool asks a connection whether it still answers each time one comes back: a round trip, which takes a database as
//! long as reading a row. So a connection that was used to the end of its answer is kept here instead, for the next one who
//! needs it. Every other one goes back to sqlx's pool, which opens, tests, replaces and closes connections as ever.
//!
//! What it never does: keep a connection whose last statement failed or was given up, or whose transaction was left open.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Database, SqlSafeStr};
use sqlx_core::transaction::TransactionManager;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a connection that answered is trusted to answer again.
pub(super) const TRUSTED: Duration = Duration::from_secs(1);

/// How long a busy connection stays here before sqlx's pool sees it again, and decides whether it has become too old.
const KEPT: Duration = Duration::from_mins(1);

/// What connections are kept in: the last one to come back is the first to be lent, the others may be closed when there is
/// less to do.
type Keep<DB> = Arc<Mutex<Vec<Kept<DB>>>>;

pub(super) struct Pool<DB: Database> {
    opened: sqlx::Pool<DB>,
    /// One for each connection; those who wait get them in order.
    permits: Arc<Semaphore>,
    kept: Keep<DB>,
    patience: Duration,
}

struct Kept<DB: Database> {
    connection: PoolConnection<DB>,
    acquired: Instant,
    since: Instant,
}

impl<DB: Database> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        Self {
            opened: self.opened.clone(),
            permits: Arc::clone(&self.permits),
            kept: Arc::clone(&self.kept),
            patience: self.patience,
        }
    }
}

impl<DB: Database> Pool<DB> {
    pub(super) fn new(opened: sqlx::Pool<DB>) -> Self {
        let options = opened.options();
        let (connections, patience) = (options.get_max_connections(), options.get_acquire_timeout());
        let permits = Arc::new(Semaphore::new(usize::try_from(connections).unwrap_or(Semaphore::MAX_PERMITS)));
        Self { opened, permits, kept: Arc::default(), patience }
    }

    /// Waits for a connection as long as the pool's options say.
    pub(super) async fn lend(&self) -> Result<Lent<DB>, sqlx::Error> {
        let lent = async {
            let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
            let (connection, acquired) = match self.take() {
                Some(kept) => (kept.connection, kept.acquired),
                None => (self.opened.acquire().await?, Instant::now()),
            };
            let connection = Some(connection);
            Ok(Lent { connection, acquired, end: End::Untold, pool: self.clone(), _permit: permit })
        };
        tokio::time::timeout(self.patience, lent).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    fn take(&self) -> Option<Kept<DB>> {
        let mut kept = self.kept();
        let now = Instant::now();
        let distrusted = kept.iter().take_while(|kept| now - kept.since >= TRUSTED).count();
        // Dropped, they go to sqlx's pool, which asks them.
        kept.drain(..distrusted);
        kept.pop()
    }

    /// Begins a transaction, by another statement than BEGIN if there is one.
    pub(super) async fn begin(&self, statement: Option<&'static str>) -> Result<Lent<DB>, sqlx::Error> {
        let mut lent = self.lend().await?;
        // From here on: given up halfway, it may have begun.
        lent.end = End::RolledBack;
        DB::TransactionManager::begin(&mut lent, statement.map(SqlSafeStr::into_sql_str)).await?;
        Ok(lent)
    }

    pub(super) fn size(&self) -> u32 {
        self.opened.size()
    }

    pub(super) fn num_idle(&self) -> usize {
        self.opened.num_idle() + self.kept().len()
    }

    /// Ends when all connections are closed.
    pub(super) async fn close(&self) {
        let closed = self.opened.close();
        // Closed from here on: what is given back now is not kept.
        self.kept().clear();
        closed.await;
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept<DB>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a connection for the next one who needs it.
    fn keep(&self, connection: PoolConnection<DB>, acquired: Instant) {
        let mut kept = self.kept();
        if !self.opened.is_closed() && acquired.elapsed() < KEPT {
            kept.push(Kept { connection, acquired, since: Instant::now() });
        }
    }
}

/// A connection in use, or a transaction.
pub(super) struct Lent<DB: Database> {
    /// There until it is dropped.
    connection: Option<PoolConnection<DB>>,
    acquired: Instant,
    end: End,
    pool: Pool<DB>,
    /// Dropped last: the connection is on its way before another one is asked for.
    _permit: OwnedSemaphorePermit,
}

/// What becomes of a connection when its use ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Its last statement may have failed, or not have been answered yet.
    Untold,
    Kept,
    RolledBack,
}

impl<DB: Database> Lent<DB> {
    /// Gives the connection back after its last statement was answered.
    pub(super) fn give_back(mut self) {
        self.end = End::Kept;
    }

    /// Ends a transaction.
    pub(super) async fn commit(mut self) -> Result<(), sqlx::Error> {
        DB::TransactionManager::commit(&mut self).await?;
        self.end = End::Kept;
        Ok(())
    }
}

impl<DB: Database> Drop for Lent<DB> {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        match self.end {
            End::Kept => self.pool.keep(connection, self.acquired),
            // It is sent when sqlx's pool asks the connection whether it answers.
            End::RolledBack => DB::TransactionManager::start_rollback(&mut connection),
            End::Untold => {}
        }
    }
}

impl<DB: Database> Deref for Lent<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("a connection is there until it is dropped"),
        }
    }
}

impl<DB: Database> DerefMut for Lent<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("a connection is there until it is dropped"),
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
    use sqlx::{Executor, Sqlite};

    use super::*;

    /// A pool of one connection to an in-memory database: what is lost would be missed.
    async fn pool() -> Pool<Sqlite> {
        let options = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let pool = Pool::new(options.connect_with(SqliteConnectOptions::new().in_memory(true)).await.unwrap());
        let mut connection = pool.lend().await.unwrap();
        connection.execute("CREATE TABLE t (n INTEGER)").await.unwrap();
        connection.give_back();
        pool
    }

    async fn rows(pool: &Pool<Sqlite>) -> i64 {
        let mut connection = pool.lend().await.unwrap();
        let (count,) = sqlx::query_as("SELECT count(*) FROM t").fetch_one(&mut *connection).await.unwrap();
        connection.give_back();
        count
    }

    fn count_kept(pool: &Pool<Sqlite>) -> usize {
        pool.kept().len()
    }

    #[tokio::test]
    async fn a_connection_that_was_given_back_is_lent_again_without_a_test() {
        let pool = pool().await;
        assert_eq!(count_kept(&pool), 1);
        let connection = pool.lend().await.unwrap();
        assert_eq!(count_kept(&pool), 0);
        assert_eq!((pool.num_idle(), pool.size()), (0, 1));
        drop(connection);
        assert_eq!(count_kept(&pool), 0, "nobody said that it answered");
        assert_eq!(rows(&pool).await, 0);
    }

    #[tokio::test]
    async fn everybody_who_waits_gets_a_connection() {
        let pool = pool().await;
        let tasks: Vec<_> = (0..200)
            .map(|number| {
                let pool = pool.clone();
                tokio::spawn(async move {
                    let mut connection = pool.lend().await.unwrap();
                    connection.execute("INSERT INTO t VALUES (1)").await.unwrap();
                    // Some forget to say that all went well.
                    if number % 3 > 0 {
                        connection.give_back();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(rows(&pool).await, 200);
    }

    #[tokio::test]
    async fn a_transaction_is_there_when_it_is_committed_and_gone_when_it_is_dropped() {
        let pool = pool().await;
        for commit in [true, false] {
            let mut transaction = pool.begin(Some("BEGIN IMMEDIATE")).await.unwrap();
            transaction.execute("INSERT INTO t VALUES (1)").await.unwrap();
            if commit {
                transaction.commit().await.unwrap();
            }
        }
        assert_eq!(rows(&pool).await, 1);
        pool.begin(None).await.unwrap().commit().await.unwrap();
    }

    #[tokio::test]
    async fn a_closed_pool_keeps_nothing() {
        let pool = pool().await;
        let connection = pool.lend().await.unwrap();
        let closing = tokio::spawn({
            let pool = pool.clone();
            async move { pool.close().await }
        });
        while !pool.opened.is_closed() {
            tokio::task::yield_now().await;
        }
        connection.give_back();
        closing.await.unwrap();
        assert!(matches!(pool.lend().await, Err(sqlx::Error::PoolClosed)));
        assert_eq!(pool.size(), 0);
    }
}
