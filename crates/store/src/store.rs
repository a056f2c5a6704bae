//! The store as the servers use it: a database that may be away, a clock, and transactions that repeat themselves.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use model_registry_base::Clock;
use tokio::sync::SetOnce;

use crate::db::{ConnectError, Database, DatabaseUrl, PoolOptions, Transaction};
use crate::error::{Result, StoreError};
use crate::feed::Feed;

/// How often a transaction is repeated that lost against concurrent ones.
const ATTEMPTS: u32 = 60;
const FIRST_RETRY: Duration = Duration::from_millis(1);
const LONGEST_RETRY: Duration = Duration::from_millis(40);
const RECONNECT: Duration = Duration::from_secs(1);
const PURGE: Duration = Duration::from_hours(1);

/// What a transaction does; it may run several times before it commits.
pub trait Operation: Sync {
    type Output: Send;
    type Error: From<StoreError> + Send;

    /// Runs once within `tx`. An error rolls back.
    fn run(&self, tx: &mut Transaction) -> impl Future<Output = Result<Outcome<Self::Output>, Self::Error>> + Send;

    /// Whether a failure may turn out differently when the operation is repeated.
    fn may_retry(&self, error: &Self::Error) -> bool;
}

/// How one run of an operation ended.
#[derive(Debug)]
pub enum Outcome<T> {
    /// Commit.
    Done(T),
    /// Somebody else changed what this run read: roll back and run again.
    Again,
}

/// A database that is connected to in the background, for as long as it takes.
#[derive(Clone)]
pub struct Store {
    database: Arc<SetOnce<Database>>,
    clock: Clock,
    pub(crate) feed: Arc<Feed>,
}

impl Store {
    /// Gives the store at once and connects in the background.
    ///
    /// The task ends when the database is ready, and with an error when waiting cannot help.
    pub fn connect_in_background(
        source: DatabaseUrl,
        options: PoolOptions,
        clock: Clock,
    ) -> (Self, impl Future<Output = Result<(), ConnectError>> + Send + 'static) {
        let store = Self { database: Arc::new(SetOnce::new()), clock, feed: Arc::new(Feed::new()) };
        let database = Arc::clone(&store.database);
        let connect = async move {
            let mut reported = String::new();
            loop {
                match Database::connect(&source, options).await {
                    Ok(connected) => {
                        tracing::info!(database = %source, schema_version = connected.schema_version(), "database ready");
                        let _ = database.set(connected);
                        return Ok(());
                    }
                    Err(error) if error.is_temporary() => {
                        // One line per cause, not one per attempt.
                        let text = error.to_string();
                        if text != reported {
                            tracing::warn!(database = %source, error = %text, "database not reachable; retrying: start it, or correct --database");
                            reported = text;
                        }
                        tokio::time::sleep(RECONNECT).await;
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        (store, connect)
    }

    /// Connects, or fails.
    pub async fn connect(source: &DatabaseUrl, options: PoolOptions, clock: Clock) -> Result<Self, ConnectError> {
        let database = SetOnce::new_with(Some(Database::connect(source, options).await?));
        Ok(Self { database: Arc::new(database), clock, feed: Arc::new(Feed::new()) })
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The database, for reads; unavailable until the first connection succeeded.
    pub fn database(&self) -> Result<&Database> {
        self.database.get().ok_or(StoreError::Unavailable(sqlx::Error::PoolClosed))
    }

    /// Waits for the first connection, for as long as it takes.
    pub async fn connected(&self) {
        self.database.wait().await;
    }

    /// Runs an operation in a transaction, again and again while it loses against concurrent ones.
    pub async fn write<O: Operation>(&self, operation: &O) -> Result<O::Output, O::Error> {
        let output = self.write_silently(operation).await?;
        self.feed.written();
        Ok(output)
    }

    /// The same without waking those who wait for changes.
    pub(crate) async fn write_silently<O: Operation>(&self, operation: &O) -> Result<O::Output, O::Error> {
        let database = self.database()?;
        let mut pause = FIRST_RETRY;
        let mut attempt = 1;
        loop {
            let result = attempt_once(database, operation).await;
            let again = match &result {
                Ok(Outcome::Done(_)) => false,
                Ok(Outcome::Again) => true,
                Err(error) => operation.may_retry(error),
            };
            match result {
                Ok(Outcome::Done(output)) => return Ok(output),
                Err(error) if !again || attempt >= ATTEMPTS => return Err(error),
                Ok(Outcome::Again) if attempt >= ATTEMPTS => {
                    return Err(StoreError::Retry(sqlx::Error::RowNotFound).into());
                }
                _ => {}
            }
            attempt += 1;
            // The clock's last digits spread contenders well enough.
            let jitter = Duration::from_micros(u64::from(std::process::id() % 7 + attempt % 5) * 300);
            tokio::time::sleep(pause + jitter).await;
            pause = (pause * 2).min(LONGEST_RETRY);
        }
    }

    /// Deletes what is kept for a limited time; runs until the process ends.
    pub async fn housekeeping(self) -> Infallible {
        loop {
            tokio::time::sleep(PURGE).await;
            if self.database().is_err() {
                continue;
            }
            match self.delete_old_answers().await {
                Ok(0) => {}
                Ok(deleted) => tracing::debug!(deleted, "expired idempotency keys deleted"),
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "housekeeping failed"),
            }
        }
    }
}

async fn attempt_once<O: Operation>(database: &Database, operation: &O) -> Result<Outcome<O::Output>, O::Error> {
    let mut tx = database.begin().await?;
    let outcome = operation.run(&mut tx).await?;
    if matches!(outcome, Outcome::Done(_)) {
        tx.commit().await?;
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn who_waits_for_the_database_goes_on_when_it_is_connected() {
        let source = DatabaseUrl::Sqlite { path: None };
        let (store, connect) = Store::connect_in_background(source, PoolOptions::default(), Clock::stepping(0));
        let mut waiting = std::pin::pin!(store.connected());
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(store.database().is_err());
        connect.await.unwrap();
        waiting.await;
        assert!(store.database().is_ok());
    }
}
