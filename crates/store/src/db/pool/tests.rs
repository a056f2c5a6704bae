//! The pool over SQLite in memory: with one connection, a lost connection would lose the data.

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Executor, Sqlite};

use super::*;

async fn pool() -> Pool<Sqlite> {
    pool_with_timeout(Duration::from_secs(30)).await
}

async fn pool_with_timeout(acquire_timeout: Duration) -> Pool<Sqlite> {
    let options = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(acquire_timeout)
        .idle_timeout(None)
        .max_lifetime(None);
    let pool = Pool::new(options.connect_with(SqliteConnectOptions::new().in_memory(true)).await.unwrap());
    let mut connection = pool.acquire().await.unwrap();
    connection.execute("CREATE TABLE t (n INTEGER)").await.unwrap();
    connection.release();
    pool
}

async fn rows(pool: &Pool<Sqlite>) -> i64 {
    let mut connection = pool.acquire().await.unwrap();
    let (count,) = sqlx::query_as("SELECT count(*) FROM t").fetch_one(&mut *connection).await.unwrap();
    connection.release();
    count
}

fn count_kept(pool: &Pool<Sqlite>) -> usize {
    pool.kept().len()
}

#[tokio::test]
async fn a_released_connection_is_kept_for_reuse() {
    let pool = pool().await;
    assert_eq!(count_kept(&pool), 1);
    let connection = pool.acquire().await.unwrap();
    assert_eq!(count_kept(&pool), 0);
    assert_eq!((pool.num_idle(), pool.size()), (0, 1));
    connection.release();
    assert_eq!(count_kept(&pool), 1);
}

#[tokio::test]
async fn a_connection_that_is_dropped_without_release_goes_back_to_sqlx() {
    let pool = pool().await;
    drop(pool.acquire().await.unwrap());
    assert_eq!(count_kept(&pool), 0, "its last statement may have failed");
    assert_eq!(rows(&pool).await, 0);
}

#[tokio::test]
async fn a_connection_with_a_failed_statement_is_not_kept() {
    let pool = pool().await;
    let mut connection = pool.acquire().await.unwrap();
    connection.execute("SELECT * FROM no_such_table").await.unwrap_err();
    drop(connection);
    assert_eq!(count_kept(&pool), 0);
    assert_eq!(rows(&pool).await, 0, "sqlx has tested it, and it can be used again");
}

#[tokio::test]
async fn a_kept_connection_that_has_been_idle_goes_back_to_sqlx() {
    let pool = pool().await;
    let acquired_before = pool.kept()[0].acquired;
    pool.kept()[0].released = Instant::now().checked_sub(NO_PING_WITHIN).unwrap();
    let connection = pool.acquire().await.unwrap();
    assert!(connection.acquired > acquired_before, "acquired from sqlx's pool again");
    connection.release();
    assert_eq!(rows(&pool).await, 0);
}

#[tokio::test]
async fn a_connection_in_use_for_long_goes_back_to_sqlx() {
    let pool = pool().await;
    let mut connection = pool.acquire().await.unwrap();
    connection.acquired = Instant::now().checked_sub(MAX_KEPT).unwrap();
    connection.release();
    assert_eq!(count_kept(&pool), 0);
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
    let connection = pool.acquire().await.unwrap();
    assert!(matches!(pool.acquire().await, Err(sqlx::Error::PoolTimedOut)));
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
async fn a_closed_pool_keeps_no_connections() {
    let pool = pool().await;
    let connection = pool.acquire().await.unwrap();
    let closing = tokio::spawn({
        let pool = pool.clone();
        async move { pool.close().await }
    });
    while !pool.sqlx.is_closed() {
        tokio::task::yield_now().await;
    }
    connection.release();
    closing.await.unwrap();
    assert!(matches!(pool.acquire().await, Err(sqlx::Error::PoolClosed)));
    assert_eq!(pool.size(), 0);
}
