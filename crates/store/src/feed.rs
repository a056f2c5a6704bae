//! Who waits for changes, and when the database is asked for them.
//!
//! Writes of this process wake the waiting at once. Those of other replicas are found by asking, one statement for all
//! who wait, and none while nobody does.

use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use crate::change_log::{Change, Number};
use crate::error::Result;
use crate::retention::Kept;
use crate::store::Store;

/// How late a change of another replica may be.
const POLL: Duration = Duration::from_millis(200);
/// Changes within this time are numbered together.
const GATHER: Duration = Duration::from_millis(10);
/// How often changes are numbered that nobody waits for: so much may be left to number when a reader comes.
const IDLE_POLL: Duration = Duration::from_secs(5);

/// What a process knows of the change log.
pub(crate) struct Feed {
    known: watch::Sender<Known>,
    /// One task of the process numbers at a time; the others would only wait for the database's lock.
    gate: Mutex<()>,
    pub(crate) kept: Kept,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    newest: i64,
    asked: Option<Instant>,
    /// Transactions this process has committed, all and when the database was last asked.
    writes: u64,
    writes_asked: u64,
}

/// Numbered changes, and where the log ends.
#[derive(Debug)]
pub struct Changes {
    pub items: Vec<Change>,
    /// The newest number there is.
    pub newest: i64,
}

impl Changes {
    /// The number of the first change that is kept, where changes behind `after` are not any more: numbers have no gaps,
    /// so they are complete when the first is the next one.
    pub fn first_kept(&self, after: i64) -> Option<i64> {
        let first = self.items.first().map_or(self.newest + 1, |change| change.sequence);
        (first > after + 1).then_some(first)
    }
}

impl Feed {
    pub(crate) fn new() -> Self {
        let known = Known { newest: 0, asked: None, writes: 0, writes_asked: 0 };
        Self { known: watch::Sender::new(known), gate: Mutex::new(()), kept: Kept::default() }
    }

    /// Tells the waiting that this process has written something.
    pub(crate) fn written(&self) {
        self.known.send_modify(|known| known.writes += 1);
    }

    fn publish(&self, newest: i64, writes: u64) {
        self.known.send_modify(|known| {
            known.newest = newest;
            known.asked = Some(Instant::now());
            known.writes_asked = known.writes_asked.max(writes);
        });
    }
}

impl Known {
    /// When to ask the database again; at once if it never was.
    fn next(&self) -> Option<Instant> {
        let pause = if self.writes > self.writes_asked { GATHER } else { POLL };
        self.asked.map(|asked| asked + pause)
    }
}

impl Store {
    /// Reads changes behind a number, those included that have committed by now on any replica.
    pub async fn changes(&self, after: i64, limit: u32) -> Result<Changes> {
        let newest = self.number_changes(after.saturating_add(i64::from(limit))).await?;
        let items = if newest > after { self.database()?.numbered_changes(after, limit).await? } else { Vec::new() };
        Ok(Changes { items, newest })
    }

    /// The number of the newest change.
    pub async fn newest_change(&self) -> Result<i64> {
        self.number_changes(i64::MAX).await
    }

    /// The newest number that this process has seen; reads nothing.
    pub fn newest_known_change(&self) -> i64 {
        self.feed.known.borrow().newest
    }

    /// Returns when there is a change behind a number.
    pub async fn wait_for_change(&self, after: i64) -> Result<()> {
        let mut updates = self.feed.known.subscribe();
        loop {
            let known = *updates.borrow_and_update();
            if known.newest > after {
                return Ok(());
            }
            match known.next() {
                Some(next) if next > Instant::now() => {
                    tokio::select! {
                        _ = updates.changed() => {}
                        () = tokio::time::sleep_until(next) => {}
                    }
                }
                asked_before => self.ask(asked_before).await?,
            }
        }
    }

    /// Asks the database, unless another task did since `seen` was due.
    async fn ask(&self, seen: Option<Instant>) -> Result<()> {
        let _gate = self.feed.gate.lock().await;
        if self.feed.known.borrow().next() == seen {
            self.number_behind_gate(i64::MAX).await?;
        }
        Ok(())
    }

    /// Numbers what has committed, until there is a number as high as `enough`, and tells the newest.
    async fn number_changes(&self, enough: i64) -> Result<i64> {
        let writes = self.feed.known.borrow().writes;
        let state = self.database()?.log_state().await?;
        if state.pending.is_none() || state.last >= enough {
            self.feed.publish(state.last, if state.pending.is_none() { writes } else { 0 });
            return Ok(state.last);
        }
        let _gate = self.feed.gate.lock().await;
        self.number_behind_gate(enough).await
    }

    async fn number_behind_gate(&self, enough: i64) -> Result<i64> {
        let writes = self.feed.known.borrow().writes;
        let state = self.database()?.log_state().await?;
        let mut last = state.last;
        let mut is_full = state.pending.is_some();
        while is_full && last < enough {
            let numbered = self.write_silently(&Number).await?;
            (last, is_full) = (numbered.last, numbered.is_full);
        }
        self.feed.publish(last, if is_full { 0 } else { writes });
        Ok(last)
    }

    /// Numbers changes that nobody reads, now and then, so that the first reader finds little to do; runs until the
    /// process ends.
    pub async fn number_changes_in_background(self) -> Infallible {
        loop {
            if let Err(error) = self.number_changes(i64::MAX).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "changes not numbered");
            }
            tokio::time::sleep(IDLE_POLL).await;
        }
    }
}
