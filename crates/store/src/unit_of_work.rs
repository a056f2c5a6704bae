//! Transactions that are retried when they lose against concurrent ones (optimistic concurrency).

use std::future::Future;

use crate::backoff::Backoff;
use crate::db::{Database, Transaction};
use crate::document_memory::{DocumentLimit, DocumentMemory};
use crate::error::{Result, StoreError};
use crate::store::Store;

/// Attempts of one unit of work; with the back-off's pauses they take about two seconds.
const ATTEMPTS: u32 = 60;

/// The work of one transaction. It may run several times before it commits.
pub trait UnitOfWork: Sync {
    type Output: Send;
    type Error: From<StoreError> + Send;

    /// Runs once within `tx`. An error rolls the transaction back.
    fn run(&self, tx: &mut Transaction) -> impl Future<Output = Result<Outcome<Self::Output>, Self::Error>> + Send;

    /// Whether another attempt may succeed after this error.
    fn may_retry(&self, error: &Self::Error) -> bool;
}

/// The result of one run of a unit of work.
#[derive(Debug)]
pub enum Outcome<T> {
    /// Commit.
    Done(T),
    /// A concurrent transaction changed what this run has read: roll back and run again.
    Again,
}

impl Store {
    /// Runs a unit of work in a transaction and wakes the readers of the change feed. It is retried, after a pause with
    /// exponential back-off, while it loses against concurrent transactions.
    pub async fn write<W: UnitOfWork>(&self, work: &W) -> Result<W::Output, W::Error> {
        let output = self.write_silently(work).await?;
        self.change_feed.notify_write();
        Ok(output)
    }

    /// As [`Self::write`], without waking the readers of the change feed.
    pub(crate) async fn write_silently<W: UnitOfWork>(&self, work: &W) -> Result<W::Output, W::Error> {
        let database = self.database()?;
        let (mut backoff, mut memory) = (Backoff::new(), DocumentMemory::default());
        for _ in 1..ATTEMPTS {
            let (result, lacking) = attempt(database, work, memory.limit()).await;
            if lacking > 0 {
                memory.provide(lacking, self.memory_of_updates()).await;
                continue;
            }
            match result {
                Ok(Outcome::Done(output)) => return Ok(output),
                Ok(Outcome::Again) => {}
                Err(error) if work.may_retry(&error) => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(backoff.pause()).await;
        }
        match attempt(database, work, memory.limit()).await.0? {
            Outcome::Done(output) => Ok(output),
            Outcome::Again => Err(StoreError::Retry(sqlx::Error::RowNotFound).into()),
        }
    }
}

/// Runs the work once. Also returns the size of the documents that it was not allowed to read.
async fn attempt<W: UnitOfWork>(
    database: &Database,
    work: &W,
    documents: DocumentLimit,
) -> (Result<Outcome<W::Output>, W::Error>, usize) {
    let mut tx = match database.begin().await {
        Ok(tx) => tx,
        Err(error) => return (Err(error.into()), 0),
    };
    tx.documents = documents;
    let outcome = work.run(&mut tx).await;
    let lacking = if outcome.is_err() { tx.documents.lacking() } else { 0 };
    if matches!(outcome, Ok(Outcome::Done(_)))
        && let Err(error) = tx.commit().await
    {
        return (Err(error.into()), 0);
    }
    (outcome, lacking)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::test_support::sqlite_store;

    /// Asks for another run, or fails, before it succeeds.
    struct Failing {
        runs: AtomicU32,
        succeeds_at: u32,
        result: fn() -> Result<Outcome<u32>>,
    }

    impl Failing {
        fn until(succeeds_at: u32, result: fn() -> Result<Outcome<u32>>) -> Self {
            Self { runs: AtomicU32::new(0), succeeds_at, result }
        }
    }

    impl UnitOfWork for Failing {
        type Output = u32;
        type Error = StoreError;

        async fn run(&self, _: &mut Transaction) -> Result<Outcome<u32>> {
            let run = self.runs.fetch_add(1, Ordering::Relaxed) + 1;
            if run >= self.succeeds_at { Ok(Outcome::Done(run)) } else { (self.result)() }
        }

        fn may_retry(&self, error: &StoreError) -> bool {
            matches!(error, StoreError::Retry(_))
        }
    }

    fn lost() -> Result<Outcome<u32>> {
        Err(StoreError::Retry(sqlx::Error::RowNotFound))
    }

    #[tokio::test]
    async fn a_unit_of_work_is_repeated_until_it_succeeds() {
        let store = sqlite_store().await;
        assert_eq!(store.write(&Failing::until(4, || Ok(Outcome::Again))).await.unwrap(), 4);
        assert_eq!(store.write(&Failing::until(3, lost)).await.unwrap(), 3);
    }

    #[tokio::test]
    async fn a_permanent_error_is_not_retried() {
        let store = sqlite_store().await;
        let work = Failing::until(2, || Err(StoreError::Database(sqlx::Error::RowNotFound)));
        assert!(matches!(store.write(&work).await, Err(StoreError::Database(_))));
        assert_eq!(work.runs.into_inner(), 1);
    }

    #[tokio::test]
    async fn the_number_of_attempts_is_limited() {
        let store = sqlite_store().await;
        let work = Failing::until(u32::MAX, lost);
        assert!(matches!(store.write(&work).await, Err(StoreError::Retry(_))));
        assert_eq!(work.runs.into_inner(), ATTEMPTS);
    }
}
