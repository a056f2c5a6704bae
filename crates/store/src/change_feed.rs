//! The change feed: readers that wait for changes, and when the database is polled for them.
//!
//! A write of this process wakes its readers at once. Writes of other replicas are found by polling: one statement for all
//! readers, and none while there are no readers.

use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use crate::change_log::{AssignSequences, Change};
use crate::error::Result;
use crate::retention::RetentionStatus;
use crate::store::Store;

/// The delay after which a change of another replica is seen at the latest.
const POLL: Duration = Duration::from_millis(200);
/// Writes of this process within this time get their sequence numbers together.
const DEBOUNCE: Duration = Duration::from_millis(10);
/// How often sequence numbers are assigned without readers. It limits what is left to assign when a reader comes.
const IDLE_POLL: Duration = Duration::from_secs(5);

/// The state of the change log as far as this process knows it.
pub(crate) struct ChangeFeed {
    state: watch::Sender<FeedState>,
    /// One task of the process assigns sequence numbers at a time; others would only wait for the database's lock.
    assigning: Mutex<()>,
    pub(crate) retention: RetentionStatus,
}

#[derive(Clone, Copy, Debug)]
struct FeedState {
    /// The newest sequence number.
    newest: i64,
    polled_at: Option<Instant>,
    /// Transactions that this process has committed.
    writes: u64,
    /// The same when the database was last polled.
    writes_at_poll: u64,
}

/// A page of the change feed.
#[derive(Debug)]
pub struct Changes {
    pub items: Vec<Change>,
    /// The newest sequence number in the log.
    pub newest: i64,
}

impl Changes {
    /// If changes after `after` have been deleted, the sequence number of the first change that is left.
    ///
    /// Sequence numbers have no gaps, so a page is complete if its first change is the next one.
    pub fn first_retained(&self, after: i64) -> Option<i64> {
        let first = self.items.first().map_or(self.newest + 1, |change| change.sequence);
        (first > after + 1).then_some(first)
    }
}

impl ChangeFeed {
    pub(crate) fn new() -> Self {
        let state = FeedState { newest: 0, polled_at: None, writes: 0, writes_at_poll: 0 };
        Self { state: watch::Sender::new(state), assigning: Mutex::new(()), retention: RetentionStatus::default() }
    }

    /// Wakes the readers after a write of this process.
    pub(crate) fn notify_write(&self) {
        self.state.send_modify(|state| state.writes += 1);
    }

    fn publish(&self, newest: i64, writes: u64) {
        self.state.send_modify(|state| {
            state.newest = newest;
            state.polled_at = Some(Instant::now());
            state.writes_at_poll = state.writes_at_poll.max(writes);
        });
    }
}

impl FeedState {
    /// When to poll the database next; `None` if it has not been polled yet.
    fn next_poll(&self) -> Option<Instant> {
        let interval = if self.writes > self.writes_at_poll { DEBOUNCE } else { POLL };
        self.polled_at.map(|polled_at| polled_at + interval)
    }
}

impl Store {
    /// Reads the changes after a sequence number, including those that have been committed by now on any replica.
    pub async fn changes(&self, after: i64, limit: u32) -> Result<Changes> {
        let newest = self.assign_sequences(after.saturating_add(i64::from(limit))).await?;
        let items = if newest > after { self.database()?.changes_after(after, limit).await? } else { Vec::new() };
        Ok(Changes { items, newest })
    }

    /// Returns the sequence number of the newest change.
    pub async fn newest_change(&self) -> Result<i64> {
        self.assign_sequences(i64::MAX).await
    }

    /// The newest sequence number that this process knows; does not access the database.
    pub fn newest_known_change(&self) -> i64 {
        self.change_feed.state.borrow().newest
    }

    /// Waits until there is a change after a sequence number.
    pub async fn wait_for_change(&self, after: i64) -> Result<()> {
        let mut updates = self.change_feed.state.subscribe();
        loop {
            let state = *updates.borrow_and_update();
            if state.newest > after {
                return Ok(());
            }
            match state.next_poll() {
                Some(next) if next > Instant::now() => {
                    tokio::select! {
                        _ = updates.changed() => {}
                        () = tokio::time::sleep_until(next) => {}
                    }
                }
                due => self.poll(due).await?,
            }
        }
    }

    /// Polls the database, unless another task has done so since the poll was `due`.
    async fn poll(&self, due: Option<Instant>) -> Result<()> {
        let _assigning = self.change_feed.assigning.lock().await;
        if self.change_feed.state.borrow().next_poll() == due {
            self.assign_sequences_locked(i64::MAX).await?;
        }
        Ok(())
    }

    /// Assigns sequence numbers to committed changes until the newest is at least `enough`; returns the newest.
    async fn assign_sequences(&self, enough: i64) -> Result<i64> {
        let writes = self.change_feed.state.borrow().writes;
        let state = self.database()?.log_state().await?;
        if state.pending.is_none() || state.last >= enough {
            self.change_feed.publish(state.last, if state.pending.is_none() { writes } else { 0 });
            return Ok(state.last);
        }
        let _assigning = self.change_feed.assigning.lock().await;
        self.assign_sequences_locked(enough).await
    }

    async fn assign_sequences_locked(&self, enough: i64) -> Result<i64> {
        let writes = self.change_feed.state.borrow().writes;
        let state = self.database()?.log_state().await?;
        let mut last = state.last;
        let mut may_have_more = state.pending.is_some();
        while may_have_more && last < enough {
            let assigned = self.write_silently(&AssignSequences).await?;
            (last, may_have_more) = (assigned.last, assigned.may_have_more);
        }
        self.change_feed.publish(last, if may_have_more { 0 } else { writes });
        Ok(last)
    }

    /// Assigns sequence numbers every few seconds, so that the first reader finds little left to do; runs until the
    /// process ends.
    pub async fn assign_sequences_in_background(self) -> Infallible {
        loop {
            if let Err(error) = self.assign_sequences(i64::MAX).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "sequence numbers of changes not assigned");
            }
            tokio::time::sleep(IDLE_POLL).await;
        }
    }
}

#[cfg(test)]
mod tests;
