//! Distinguishes a statement that takes long from a dead connection.
//!
//! A firewall, proxy or load balancer that has forgotten a connection may swallow its packets: the statement is never
//! completed, and neither side notices, since a proxy confirms what it receives. A time limit would also end statements that
//! are slow but alive. So a statement that has been running for some seconds is examined: a fresh connection to the
//! same server lists the sessions that the server works for. If that of the statement is not among them, twice in a row, or
//! the server cannot be reached, the statement fails.
//!
//! Then other statements that take seconds on connections of the same age fail too, even if the server works for them: they
//! probably wait for locks of the dead session, and their connections are dead as well. One after the other, each would only be
//! found dead once it has got the lock.
//!
//! This relies on the number of a session, so a proxy that moves sessions between connections within its transactions
//! (`PgBouncer` with `pool_mode=transaction`) must not be used.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::driver::{BusySessions, Driver};
use super::pool::{Watch, open_session};

/// How long a statement runs before it is examined, and before it is examined again.
const PATIENCE: Duration = Duration::from_secs(3);
/// The pause before the second examination of a suspected connection.
const SUSPICION: Duration = Duration::from_secs(1);
/// The time limit of an examination.
const EXAMINATION_LIMIT: Duration = Duration::from_secs(2);
/// How long a statement may run on a server that the address does not lead to any more.
const ELSEWHERE_LIMIT: Duration = Duration::from_secs(8);

/// The last examination of each server. One is made at a time, for all statements that wait for it.
pub(super) struct Examinations(Vec<Mutex<Option<Examined>>>);

struct Examined {
    started: Instant,
    busy: Option<BusySessions>,
}

impl Examinations {
    pub(super) fn new(servers: usize) -> Self {
        Self((0..servers).map(|_| Mutex::default()).collect())
    }
}

enum Verdict {
    Running,
    /// The server does not work for the session, or cannot be reached.
    Dead,
    /// The address leads to another server.
    Elsewhere,
    /// The server does not say.
    Unknown,
}

impl<DB: Driver> Watch<DB> {
    /// Runs a statement; fails if its connection turns out to be dead.
    pub(super) async fn over<T>(
        self,
        statement: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        if !DB::IS_SERVER {
            return statement.await;
        }
        let mut statement = std::pin::pin!(statement);
        let started = Instant::now();
        let mut pause = PATIENCE;
        let mut is_suspected = false;
        loop {
            let verdict = tokio::select! {
                biased;
                result = &mut statement => return result,
                verdict = async {
                    tokio::time::sleep(pause).await;
                    self.examine().await
                } => verdict,
            };
            if self.pool.have_died(self.generation) {
                self.end_session();
                return Err(dead(started.elapsed()));
            }
            let is_dead = match verdict {
                Verdict::Running | Verdict::Unknown => false,
                Verdict::Dead => true,
                Verdict::Elsewhere => started.elapsed() > ELSEWHERE_LIMIT,
            };
            if is_dead && is_suspected {
                self.pool.has_died(self.generation);
                self.end_session();
                return Err(dead(started.elapsed()));
            }
            (is_suspected, pause) = (is_dead, if is_dead { SUSPICION } else { PATIENCE });
        }
    }

    async fn examine(&self) -> Verdict {
        let wanted = Instant::now();
        let Some(last) = self.pool.examinations().0.get(self.server) else { return Verdict::Unknown };
        let mut last = last.lock().await;
        if last.as_ref().is_none_or(|last| last.started < wanted) {
            let busy = tokio::time::timeout(EXAMINATION_LIMIT, self.busy_sessions()).await;
            let busy = match busy {
                Ok(Ok(busy)) => Some(busy),
                // The server responds, but accepts no further connection, or does not list its sessions.
                Ok(Err(sqlx::Error::Database(error))) => {
                    tracing::debug!(error = %error, "a slow statement could not be examined");
                    return Verdict::Unknown;
                }
                _ => None,
            };
            *last = Some(Examined { started: wanted, busy });
        }
        match last.as_ref().and_then(|last| last.busy.as_ref()) {
            Some(busy) if busy.server != self.session.server => Verdict::Elsewhere,
            Some(busy) if busy.ids.contains(&self.session.id) => Verdict::Running,
            _ => Verdict::Dead,
        }
    }

    /// Ends the session in the background: the server has not noticed that its client is gone, and keeps the locks of its
    /// transaction.
    pub(super) fn end_session(&self) {
        let (pool, session, server) = (self.pool.clone(), Arc::clone(&self.session), self.server);
        tokio::spawn(async move {
            let ended = async {
                let (mut connection, own) = open_session::<DB>(pool.server(server)).await?;
                // Numbers of sessions mean nothing on another server.
                if own.server == session.server {
                    DB::end_session(&mut connection, session.id).await?;
                }
                connection.close().await
            };
            match tokio::time::timeout(EXAMINATION_LIMIT, ended).await {
                Ok(Ok(())) => {
                    tracing::warn!("a connection to the database did not respond; its session has been ended");
                }
                Ok(Err(error)) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(
                        error,
                        "a connection to the database did not respond, and its session was not ended"
                    );
                }
                Err(_) => tracing::warn!("a connection to the database did not respond, and no other can be opened"),
            }
        });
    }

    async fn busy_sessions(&self) -> Result<BusySessions, sqlx::Error> {
        let (mut connection, _) = open_session::<DB>(self.pool.server(self.server)).await?;
        let busy = DB::busy_sessions(&mut connection).await?;
        let _ = connection.close().await;
        Ok(busy)
    }
}

fn dead(elapsed: Duration) -> sqlx::Error {
    let message = format!(
        "the connection to the database is dead: no response within {} s, and the server does not run the statement",
        elapsed.as_secs()
    );
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, message))
}
