//! The pool over SQLite in memory, with one connection.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Executor, Sqlite};

use super::*;

/// A pool, and the connection that keeps its database.
struct TestPool {
    pool: Pool<Sqlite>,
    _kept: SqliteConnection,
}

impl Deref for TestPool {
    type Target = Pool<Sqlite>;

    fn deref(&self) -> &Pool<Sqlite> {
        &self.pool
    }
}

async fn pool() -> TestPool {
    pool_with_timeout(Duration::from_secs(30)).await
}

async fn pool_with_timeout(acquire_timeout: Duration) -> TestPool {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let options =
        SqliteConnectOptions::new().filename(format!("/pool-test-{number}")).vfs("memdb").create_if_missing(true);
    let mut kept = options.connect().await.unwrap();
    kept.execute("CREATE TABLE t (n INTEGER)").await.unwrap();
    let settings = PoolSettings { max_connections: 1, acquire_timeout, ages: true };
    TestPool { pool: Pool::new(vec![options], settings, Arc::default()), _kept: kept }
}

async fn rows(pool: &Pool<Sqlite>) -> i64 {
    let mut connection = pool.acquire().await.unwrap();
    let (count,) = sqlx::query_as("SELECT count(*) FROM t").fetch_one(&mut *connection).await.unwrap();
    connection.release();
    count
}

/// When the only connection was opened.
fn opened(pool: &Pool<Sqlite>) -> Instant {
    pool.idle()[0].live.opened
}

/// Runs a statement and draws the conclusions from its error.
async fn fail(connection: &mut PooledConnection<Sqlite>, statement: &'static str) -> StoreError {
    let result = connection.execute(statement).await;
    connection.checked(result).unwrap_err()
}

#[tokio::test]
async fn a_released_connection_is_kept_for_reuse() {
    let pool = pool().await;
    assert_eq!(rows(&pool).await, 0);
    let before = opened(&pool);
    let connection = pool.acquire().await.unwrap();
    assert_eq!((pool.status().idle, pool.status().open), (0, 1));
    connection.release();
    assert_eq!(opened(&pool), before);
}

#[tokio::test]
async fn a_connection_with_a_rejected_statement_is_kept_once_it_responds() {
    let pool = pool().await;
    assert_eq!(rows(&pool).await, 0);
    let before = opened(&pool);
    let mut connection = pool.acquire().await.unwrap();
    connection.execute("CREATE UNIQUE INDEX i ON t (n); INSERT INTO t VALUES (1)").await.unwrap();
    assert!(matches!(fail(&mut connection, "INSERT INTO t VALUES (1)").await, StoreError::Database(_)));
    drop(connection);
    assert_eq!(rows(&pool).await, 1);
    assert_eq!(opened(&pool), before);
}

#[tokio::test]
async fn an_idle_connection_that_does_not_respond_is_replaced() {
    let pool = pool().await;
    assert_eq!(rows(&pool).await, 0);
    let before = opened(&pool);
    {
        let mut idle = pool.idle();
        idle[0].released = Instant::now().checked_sub(NO_PING_WITHIN).unwrap();
    }
    assert_eq!(rows(&pool).await, 0);
    assert_eq!(opened(&pool), before, "it responded to the ping");
    pool.discard_all();
    assert_eq!(rows(&pool).await, 0);
    assert!(opened(&pool) > before);
}

#[tokio::test]
async fn an_old_connection_is_replaced() {
    let pool = pool().await;
    let mut connection = pool.acquire().await.unwrap();
    connection.live.as_mut().unwrap().opened = Instant::now().checked_sub(MAX_AGE).unwrap();
    connection.release();
    assert_eq!(pool.status().idle, 0);
    assert_eq!(rows(&pool).await, 0);
}

#[tokio::test]
async fn all_requests_get_a_connection_in_turn() {
    let pool = pool().await;
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let mut connection = pool.acquire().await.unwrap();
                connection.execute("INSERT INTO t VALUES (1)").await.unwrap();
                // Some drop the connection without releasing it.
                if number % 3 > 0 {
                    connection.release();
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
async fn a_request_fails_when_no_connection_is_free_in_time() {
    let pool = pool_with_timeout(Duration::from_millis(20)).await;
    let connection = pool.connect().await.unwrap();
    assert!(matches!(pool.connect().await, Err(sqlx::Error::PoolTimedOut)));
    connection.release();
    assert_eq!(rows(&pool).await, 0);
}

#[tokio::test]
async fn a_cancelled_request_does_not_take_a_connection() {
    let pool = pool().await;
    let connection = pool.acquire().await.unwrap();
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { pool.acquire().await.map(drop) }
    });
    tokio::task::yield_now().await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    connection.release();
    assert_eq!(rows(&pool).await, 0);
}

#[tokio::test]
async fn a_transaction_is_stored_when_committed_and_rolled_back_when_dropped() {
    let pool = pool().await;
    for commit in [true, false] {
        let mut transaction = pool.begin("BEGIN IMMEDIATE").await.unwrap();
        transaction.execute("INSERT INTO t VALUES (1)").await.unwrap();
        if commit {
            transaction.commit().await.unwrap();
        }
    }
    assert_eq!(rows(&pool).await, 1);
    pool.begin("BEGIN").await.unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn a_connection_whose_transaction_ended_by_itself_is_replaced() {
    let pool = pool().await;
    assert_eq!(rows(&pool).await, 0);
    let before = opened(&pool);
    let mut transaction = pool.begin("BEGIN IMMEDIATE").await.unwrap();
    // As SQLite does when the disk is full: ROLLBACK is an error from then on.
    transaction.execute("ROLLBACK").await.unwrap();
    drop(transaction);
    let mut next = pool.begin("BEGIN IMMEDIATE").await.unwrap();
    next.execute("INSERT INTO t VALUES (1)").await.unwrap();
    next.commit().await.unwrap();
    assert!(opened(&pool) > before);
    assert_eq!(rows(&pool).await, 1);
}

#[tokio::test]
async fn a_connection_whose_commit_failed_is_replaced() {
    let pool = pool().await;
    assert_eq!(rows(&pool).await, 0);
    let before = opened(&pool);
    let mut transaction = pool.begin("BEGIN IMMEDIATE").await.unwrap();
    transaction.execute("COMMIT").await.unwrap();
    assert!(transaction.commit().await.is_err(), "no transaction is active");
    assert_eq!(rows(&pool).await, 0);
    assert!(opened(&pool) > before);
}

/// A future that is dropped at any of its await points must not leave a transaction open for the next request.
#[tokio::test]
async fn a_transaction_that_is_cancelled_anywhere_leaves_nothing_behind() {
    let pool = pool().await;
    let mut committed = 0;
    for polls in 0..60_u32 {
        let work = async {
            let mut transaction = pool.begin("BEGIN IMMEDIATE").await?;
            let result = transaction.execute("INSERT INTO t VALUES (1)").await;
            transaction.checked(result)?;
            transaction.commit().await
        };
        let mut work = std::pin::pin!(work);
        let mut polled = 0;
        let ended = std::future::poll_fn(|context| {
            polled += 1;
            match work.as_mut().poll(context) {
                std::task::Poll::Ready(result) => std::task::Poll::Ready(Some(result)),
                std::task::Poll::Pending if polled > polls => std::task::Poll::Ready(None),
                std::task::Poll::Pending => std::task::Poll::Pending,
            }
        });
        if let Some(result) = ended.await {
            result.unwrap();
            committed += 1;
        }
    }
    let mut next = pool.begin("BEGIN IMMEDIATE").await.unwrap();
    next.execute("INSERT INTO t VALUES (2)").await.unwrap();
    next.commit().await.unwrap();
    assert!(committed > 0);
    // A COMMIT that was sent before its future was dropped may have been executed.
    assert!(rows(&pool).await > committed);
}

#[tokio::test]
async fn a_closed_pool_keeps_no_connections() {
    let pool = pool().await;
    let connection = pool.acquire().await.unwrap();
    let closing = tokio::spawn({
        let pool = pool.clone();
        async move { pool.close().await }
    });
    while !pool.0.is_closed.load(Ordering::Relaxed) {
        tokio::task::yield_now().await;
    }
    connection.release();
    closing.await.unwrap();
    assert!(matches!(pool.connect().await, Err(sqlx::Error::PoolClosed)));
    while pool.status().open > 0 {
        tokio::task::yield_now().await;
    }
}
