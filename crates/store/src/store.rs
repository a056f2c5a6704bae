//! The store as the servers use it: a database that may be unreachable for a while, a clock, coalesced reads, the change feed.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use model_registry_base::{Clock, ConnectionProblem, MemoryBudget, MemoryPool};
use tokio::sync::SetOnce;

use crate::change_feed::ChangeFeed;
use crate::coalesced_reads::CoalescedReads;
use crate::db::{ConnectError, Database, DatabaseClock, DatabaseUrl, PoolOptions};
use crate::error::{Result, StoreError};
use crate::explain::{self, Explanation};
use crate::list::{ListRequest, Page, PlanLimits};

/// The pause between two attempts to connect.
const RECONNECT: Duration = Duration::from_secs(1);
/// The interval in which expired rows are deleted.
const HOUSEKEEPING: Duration = Duration::from_hours(1);

/// A database that is connected to in the background, and what all its users in this process share.
#[derive(Clone)]
pub struct Store {
    database: Arc<SetOnce<Database>>,
    clock: Clock,
    database_clock: Arc<DatabaseClock>,
    pub(crate) coalesced_reads: CoalescedReads,
    pub(crate) change_feed: Arc<ChangeFeed>,
    memory: MemoryBudget,
    plan_limits: PlanLimits,
}

impl Store {
    fn new(database: SetOnce<Database>, clock: Clock) -> Self {
        let database_clock = DatabaseClock::new(clock);
        Self {
            database: Arc::new(database),
            clock: database_clock.clock(),
            database_clock,
            coalesced_reads: CoalescedReads::default(),
            change_feed: Arc::new(ChangeFeed::new()),
            memory: MemoryBudget::default(),
            plan_limits: PlanLimits::default(),
        }
    }

    /// Sets the memory budget that reads of large documents share with the requests of the process.
    #[must_use]
    pub fn with_memory(self, memory: MemoryBudget) -> Self {
        Self { memory, ..self }
    }

    /// Sets the limits between the ways to read a filtered list; for tests.
    #[must_use]
    pub fn with_plan_limits(self, plan_limits: PlanLimits) -> Self {
        Self { plan_limits, ..self }
    }

    pub(crate) fn plan_limits(&self) -> PlanLimits {
        self.plan_limits
    }

    /// The memory for large documents.
    pub fn memory(&self) -> &MemoryPool {
        &self.memory.work
    }

    /// The memory for large documents that are updated.
    pub(crate) fn memory_of_updates(&self) -> &MemoryPool {
        &self.memory.updates
    }

    /// Reads a page of a list: see [`Database::list`].
    pub async fn list(&self, request: &ListRequest<'_>) -> Result<Page> {
        self.database()?.list(request, &self.plan_limits, self.memory()).await
    }

    /// Reads a page, and explains how.
    pub async fn explain_list(&self, request: &ListRequest<'_>) -> Result<(Page, Explanation)> {
        let (page, explanation) = Box::pin(explain::explained(self.list(request))).await;
        Ok((page?, explanation))
    }

    /// Returns the store at once, and a task that connects to the database, retrying for as long as it takes.
    ///
    /// The task ends with success when the database is ready, and with an error when retrying cannot help.
    pub fn connect_in_background(
        url: DatabaseUrl,
        options: PoolOptions,
        clock: Clock,
    ) -> (Self, impl Future<Output = Result<(), ConnectError>> + Send + 'static) {
        let store = Self::new(SetOnce::new(), clock);
        let (database, clock) = (Arc::clone(&store.database), Arc::clone(&store.database_clock));
        let connect = async move {
            let mut reported = String::new();
            loop {
                match connect_and_measure(&url, options, &clock).await {
                    Ok(connected) => {
                        tracing::info!(database = %url, schema_version = connected.schema_version(), "database ready");
                        let _ = database.set(connected);
                        return Ok(());
                    }
                    Err(error) if error.is_temporary() => {
                        // One line per cause, not one per attempt.
                        let message = error.to_string();
                        if message != reported {
                            let remedy = ConnectionProblem::of(&error).map(ConnectionProblem::remedy);
                            tracing::warn!(database = %url, error = %message, remedy, "database not reachable; retrying: start it, or correct --database");
                            reported = message;
                        }
                        tokio::time::sleep(RECONNECT).await;
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        (store, connect)
    }

    /// Connects once.
    pub async fn connect(url: &DatabaseUrl, options: PoolOptions, clock: Clock) -> Result<Self, ConnectError> {
        let store = Self::new(SetOnce::new(), clock);
        let database = connect_and_measure(url, options, &store.database_clock).await?;
        // It is new.
        let _ = store.database.set(database);
        Ok(store)
    }

    /// Fails if the database is not reachable or cannot store anything; see [`StoreError::Storage`]. Measures the clock.
    pub async fn probe(&self) -> Result<()> {
        let measured = self.database()?.probe().await?;
        self.database_clock.measured(measured.time, measured.round_trip);
        Ok(())
    }

    /// Seconds by which the clock of this machine is ahead of that of the database, once it has been measured.
    pub fn clock_skew(&self) -> Option<f64> {
        self.database_clock.skew_seconds()
    }

    /// The clock of the database, by which all replicas compare stored times: see `db/clock.rs`.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The database, for reads; an error until the first connection has succeeded.
    pub fn database(&self) -> Result<&Database> {
        self.database.get().ok_or(StoreError::Unavailable(sqlx::Error::PoolClosed))
    }

    /// Waits for the first connection, for as long as it takes.
    pub async fn connected(&self) {
        self.database.wait().await;
    }

    /// Deletes expired idempotency keys every hour; runs until the process ends.
    pub async fn housekeeping(self) -> Infallible {
        loop {
            tokio::time::sleep(HOUSEKEEPING).await;
            if self.database().is_err() {
                continue;
            }
            match self.delete_expired_responses().await {
                Ok(0) => {}
                Ok(deleted) => tracing::debug!(deleted, "expired idempotency keys deleted"),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "expired idempotency keys not deleted");
                }
            }
        }
    }
}

/// Connects, and sets the clock before the database is used.
async fn connect_and_measure(
    url: &DatabaseUrl,
    options: PoolOptions,
    clock: &DatabaseClock,
) -> Result<Database, ConnectError> {
    let database = Database::connect(url, options).await?;
    let measured = database.time().await.map_err(ConnectError::Time)?;
    clock.measured(measured.time, measured.round_trip);
    Ok(database)
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn waiting_for_the_database_ends_when_it_is_connected() {
        let url = DatabaseUrl::Sqlite { path: None };
        let (store, connect) = Store::connect_in_background(url, PoolOptions::default(), Clock::stepping(0));
        let mut waiting = std::pin::pin!(store.connected());
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(store.database().is_err());
        connect.await.unwrap();
        waiting.await;
        assert!(store.database().is_ok());
    }
}
