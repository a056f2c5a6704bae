//! The connection pool: connections are reused without a liveness ping, and only in a known state.
//!
//! A pool of sqlx pings a connection whenever it is returned: a round trip, which takes as long as reading a row, and which
//! has no time limit. Here a connection whose last statement was completed is kept as it is. Gain on PostgreSQL: 1.5 times the
//! reads by id with one connection (p50 0.23 ms, without 0.34 ms), 1.3 times with 16; a write is a fifth faster with one
//! connection and as fast with 16 (docs/performance.md).
//!
//! **State.** A connection whose last statement was rejected or cancelled is used again only after its transaction has been
//! rolled back and the server has confirmed it, within a time limit. One whose BEGIN or COMMIT failed or was cancelled, and one
//! on which an error occurred that leaves its state open (a lost connection, a full disk), is closed.
//!
//! **Time.** Opening a connection and testing an idle one have time limits. A statement has none of its own, because some
//! take long; one that takes seconds is examined over a further connection (`examination.rs`), and fails if its connection
//! turns out to be dead. An error that concerns the server, rather than one statement, discards all idle connections, and
//! the others when they are released.

use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{io, mem};

use futures::future::join_all;
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::PoolStatus;
use super::driver::{Driver, Session};
use super::examination::Examinations;
use super::storage_state::StorageState;
use crate::error::{Aftermath, Result, StorageProblem, StoreError, aftermath, is_temporary};

/// A connection that was used within this time is reused without a ping.
const NO_PING_WITHIN: Duration = Duration::from_secs(1);
/// The time limit of a ping; a new connection is opened after it.
const PING_LIMIT: Duration = Duration::from_secs(2);
/// How long the response to a rejected or cancelled statement, and the rollback, may take.
const RECOVERY_LIMIT: Duration = Duration::from_secs(5);
/// How long closing one connection may take.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// A connection that has been idle for this time is closed.
const IDLE_LIMIT: Duration = Duration::from_mins(10);
/// The age at which a connection is replaced.
const MAX_AGE: Duration = Duration::from_mins(30);
/// A server that was read-only is connected to again for a write after this time: it may be another one by now.
const READ_ONLY_TRUSTED: Duration = Duration::from_secs(1);
/// The pause after the server has refused a connection for a reason that may pass, such as too many connections.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// Clones share the connections.
pub(super) struct Pool<DB: Driver>(Arc<Shared<DB>>);

pub(super) struct PoolSettings {
    pub(super) max_connections: u32,
    /// How long to wait for a connection.
    pub(super) acquire_timeout: Duration,
    /// Whether connections are replaced after a while.
    pub(super) ages: bool,
}

struct Shared<DB: Driver> {
    /// Servers of one database; a writable one is preferred.
    servers: Vec<DB::Options>,
    /// The server to which a connection was opened last, which is tried first.
    last_server: AtomicUsize,
    settings: PoolSettings,
    /// One permit per connection in use, given in the order of requests.
    permits: Arc<Semaphore>,
    /// A stack: the connection that was released last is reused first, so that the others become idle and can be closed.
    idle: Mutex<Vec<Idle<DB>>>,
    /// Connections of earlier generations are not used again.
    generation: AtomicU64,
    /// The first generation of which no connection was found dead during a statement.
    alive_from: AtomicU64,
    is_closed: AtomicBool,
    open: Arc<AtomicU32>,
    storage: Arc<StorageState>,
    examinations: Examinations,
}

struct Idle<DB: Driver> {
    live: Live<DB>,
    released: Instant,
}

/// An open connection.
struct Live<DB: Driver> {
    connection: DB::Connection,
    session: Arc<Session>,
    /// The index of its server.
    server: usize,
    opened: Instant,
    generation: u64,
    /// Counts the open connections.
    _count: OpenCount,
}

struct OpenCount(Arc<AtomicU32>);

impl OpenCount {
    fn new(open: &Arc<AtomicU32>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(open))
    }
}

impl Drop for OpenCount {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<DB: Driver> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: Driver> Pool<DB> {
    /// A pool without connections yet.
    pub(super) fn new(servers: Vec<DB::Options>, settings: PoolSettings, storage: Arc<StorageState>) -> Self {
        let permits = usize::try_from(settings.max_connections).unwrap_or(Semaphore::MAX_PERMITS);
        Self(Arc::new(Shared {
            examinations: Examinations::new(servers.len()),
            servers,
            last_server: AtomicUsize::new(0),
            settings,
            permits: Arc::new(Semaphore::new(permits)),
            idle: Mutex::default(),
            generation: AtomicU64::default(),
            alive_from: AtomicU64::default(),
            is_closed: AtomicBool::default(),
            open: Arc::default(),
            storage,
        }))
    }

    /// Waits for a connection, up to the timeout of the settings. A connection that cannot be opened is
    /// [`StoreError::Unavailable`], whatever the server's reason.
    pub(super) async fn acquire(&self) -> Result<PooledConnection<DB>> {
        self.acquire_for(Use::Any).await
    }

    async fn acquire_for(&self, usage: Use) -> Result<PooledConnection<DB>> {
        self.try_acquire(usage).await.map_err(StoreError::Unavailable)
    }

    /// Acquires the first connection. Errors are those of the driver.
    pub(super) async fn connect(&self) -> Result<PooledConnection<DB>, sqlx::Error> {
        self.try_acquire(Use::Any).await
    }

    async fn try_acquire(&self, usage: Use) -> Result<PooledConnection<DB>, sqlx::Error> {
        let started = tokio::time::Instant::now();
        let limit = self.0.settings.acquire_timeout;
        let permit = tokio::time::timeout(limit, Arc::clone(&self.0.permits).acquire_owned());
        let permit = permit.await.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?;
        let obtain = self.obtain(usage);
        let live = tokio::time::timeout(limit.saturating_sub(started.elapsed()), obtain).await;
        let live = Some(live.unwrap_or_else(|_| Err(no_response_within(limit)))?);
        Ok(PooledConnection { live, on_drop: OnDrop::Recover, wrote: false, pool: self.clone(), permit: Some(permit) })
    }

    /// An idle connection that responds, or a new one.
    async fn obtain(&self, usage: Use) -> Result<Live<DB>, sqlx::Error> {
        loop {
            if self.0.is_closed.load(Ordering::Relaxed) {
                return Err(sqlx::Error::PoolClosed);
            }
            while let Some(idle) = self.take() {
                if usage == Use::Write
                    && idle.live.session.is_read_only
                    && idle.live.opened.elapsed() > READ_ONLY_TRUSTED
                {
                    discard(idle.live, None);
                } else if idle.released.elapsed() < NO_PING_WITHIN {
                    return Ok(idle.live);
                } else if let Some(live) = self.pinged(idle.live).await {
                    return Ok(live);
                }
            }
            match self.open().await {
                // It has too many connections, or it is starting.
                Err(sqlx::Error::Database(error)) if error.is_transient_in_connect_phase() => {
                    tracing::debug!(error = %error, "connection refused by the database; trying again");
                    tokio::time::sleep(REFUSED_PAUSE).await;
                }
                opened => return opened,
            }
        }
    }

    fn take(&self) -> Option<Idle<DB>> {
        let mut connections = self.idle();
        let now = Instant::now();
        let expired = connections.iter().take_while(|idle| now - idle.released >= IDLE_LIMIT).count();
        let expired: Vec<_> = if self.0.settings.ages { connections.drain(..expired).collect() } else { Vec::new() };
        let taken = connections.pop();
        drop(connections);
        for idle in expired {
            retire(idle.live);
        }
        taken
    }

    async fn pinged(&self, mut live: Live<DB>) -> Option<Live<DB>> {
        if let Ok(Ok(())) = tokio::time::timeout(PING_LIMIT, live.connection.ping()).await {
            return Some(live);
        }
        // Connections that are idle at the same time were lost together.
        self.discard_all();
        discard(live, None);
        None
    }

    /// Opens a connection, to a writable server if there is one. Its caller has a time limit.
    async fn open(&self) -> Result<Live<DB>, sqlx::Error> {
        let generation = self.0.generation.load(Ordering::Relaxed);
        let mut read_only = None;
        let mut failure = None;
        let number = self.0.servers.len();
        let first = self.0.last_server.load(Ordering::Relaxed);
        for server in (first..number).chain(0..first) {
            let options = &self.0.servers[server];
            // The next server gets a share of the time.
            let share = self.0.settings.acquire_timeout / u32::try_from(number).unwrap_or(1);
            let count = OpenCount::new(&self.0.open);
            match tokio::time::timeout(share, open_session::<DB>(options)).await {
                Ok(Ok((connection, session))) => {
                    let is_read_only = session.is_read_only;
                    let session = Arc::new(session);
                    let live = Live { connection, session, server, opened: Instant::now(), generation, _count: count };
                    if !is_read_only {
                        if let Some(standby) = read_only {
                            discard(standby, None);
                        }
                        self.0.last_server.store(server, Ordering::Relaxed);
                        return Ok(live);
                    }
                    if let Some(further) = read_only.replace(live) {
                        discard(further, None);
                    }
                }
                Ok(Err(error)) => failure = Some(error),
                Err(_) => failure = Some(no_response_within(share)),
            }
        }
        read_only.ok_or_else(|| failure.unwrap_or(sqlx::Error::PoolTimedOut))
    }

    /// Begins a transaction that may write with this statement.
    pub(super) async fn begin(&self, statement: &'static str) -> Result<PooledConnection<DB>> {
        self.begin_for(Use::Write, statement).await
    }

    /// Begins a transaction that reads with this statement.
    pub(super) async fn begin_read(&self, statement: &'static str) -> Result<PooledConnection<DB>> {
        self.begin_for(Use::Any, statement).await
    }

    async fn begin_for(&self, usage: Use, statement: &'static str) -> Result<PooledConnection<DB>> {
        let mut connection = self.acquire_for(usage).await?;
        // Until the response: when this future is dropped halfway, the transaction may have begun.
        connection.on_drop = OnDrop::RollBackAndClose;
        let watch = connection.watch();
        let result = watch.over(DB::run(&mut connection, statement)).await;
        connection.on_drop = if result.is_ok() { OnDrop::RollBack } else { OnDrop::Discard };
        connection.checked(result)?;
        Ok(connection)
    }

    pub(super) fn status(&self) -> PoolStatus {
        let idle = u32::try_from(self.idle().len()).unwrap_or(u32::MAX);
        PoolStatus { open: self.0.open.load(Ordering::Relaxed), idle, max: self.0.settings.max_connections }
    }

    pub(super) fn storage(&self) -> &StorageState {
        &self.0.storage
    }

    pub(super) fn server(&self, index: usize) -> &DB::Options {
        &self.0.servers[index]
    }

    /// Notes that a connection of this generation is dead.
    pub(super) fn has_died(&self, generation: u64) {
        self.0.alive_from.fetch_max(generation + 1, Ordering::Relaxed);
    }

    /// Whether a connection as old as this one is dead.
    pub(super) fn have_died(&self, generation: u64) -> bool {
        generation < self.0.alive_from.load(Ordering::Relaxed)
    }

    pub(super) fn examinations(&self) -> &Examinations {
        &self.0.examinations
    }

    /// Closes all connections; waits for those in use.
    pub(super) async fn close(&self) {
        self.0.is_closed.store(true, Ordering::Relaxed);
        let idle = mem::take(&mut *self.idle());
        join_all(idle.into_iter().map(|idle| close(idle.live))).await;
        // Requests that wait get a permit in turn, and fail. Connections in use are closed when they are dropped.
        let _all = self.0.permits.acquire_many(self.0.settings.max_connections).await;
        self.0.permits.close();
        // Kept before they could see that the pool is closed.
        let late = mem::take(&mut *self.idle());
        join_all(late.into_iter().map(|idle| close(idle.live))).await;
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle<DB>>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a connection for reuse.
    fn keep(&self, live: Live<DB>) {
        let is_current = live.generation == self.0.generation.load(Ordering::Relaxed);
        let is_old = self.0.settings.ages && live.opened.elapsed() >= MAX_AGE;
        if self.0.is_closed.load(Ordering::Relaxed) || is_old {
            retire(live);
        } else if is_current {
            self.idle().push(Idle { live, released: Instant::now() });
        } else {
            discard(live, None);
        }
    }

    /// Discards the idle connections, and the others when they are released.
    fn discard_all(&self) {
        self.0.generation.fetch_add(1, Ordering::Relaxed);
        let idle = mem::take(&mut *self.idle());
        for idle in idle {
            discard(idle.live, None);
        }
    }
}

/// Closes a connection in the background that is in a known state.
fn retire<DB: Driver>(live: Live<DB>) {
    in_background(close(live));
}

/// Closes a connection in the background without a message to the server. The permit is released afterwards, so that on SQLite
/// the next connection does not wait for the locks of this one.
fn discard<DB: Driver>(live: Live<DB>, permit: Option<OwnedSemaphorePermit>) {
    in_background(async move {
        let Live { connection, _count: count, .. } = live;
        let closed = async {
            // A file is closed when its locks are released.
            if DB::IS_SERVER { connection.close_hard().await } else { connection.close().await }
        };
        let _ = tokio::time::timeout(CLOSE_LIMIT, closed).await;
        drop((count, permit));
    });
}

/// Closes a connection with a message to the server.
async fn close<DB: Driver>(live: Live<DB>) {
    let Live { connection, _count: count, .. } = live;
    let _ = tokio::time::timeout(CLOSE_LIMIT, connection.close()).await;
    drop(count);
}

/// Runs a task; without a runtime, what it owns is dropped.
fn in_background(task: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(task);
    }
}

/// Opens a connection and sets it up.
pub(super) async fn open_session<DB: Driver>(options: &DB::Options) -> Result<(DB::Connection, Session), sqlx::Error> {
    let mut connection = options.connect().await?;
    let session = DB::begin_session(&mut connection).await?;
    Ok((connection, session))
}

fn no_response_within(limit: Duration) -> sqlx::Error {
    let seconds = limit.as_secs_f32();
    let message = format!("no response within {seconds} s: check the address, and firewalls on the way");
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, message))
}

/// What a connection is acquired for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Any,
    Write,
}

/// A connection in use, or a transaction.
pub(super) struct PooledConnection<DB: Driver> {
    /// `Some` until it is dropped.
    live: Option<Live<DB>>,
    on_drop: OnDrop,
    /// Whether its transaction has changed rows.
    wrote: bool,
    pool: Pool<DB>,
    permit: Option<OwnedSemaphorePermit>,
}

/// What happens to a connection when it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnDrop {
    /// Its last statement was completed: it is kept for reuse.
    Keep,
    /// Its last statement was rejected or may still be running: it is kept once the server has responded.
    Recover,
    /// Its transaction is rolled back, and it is kept once the server has confirmed that.
    RollBack,
    /// The same for a transaction that may have begun or ended; the connection is closed afterwards.
    RollBackAndClose,
    /// Its state is unknown: it is closed.
    Discard,
}

impl<DB: Driver> PooledConnection<DB> {
    /// Watches over statements of this connection while they run.
    pub(super) fn watch(&self) -> Watch<DB> {
        Watch::new(&self.pool, self.live())
    }

    /// Draws the conclusions from the result of a statement.
    pub(super) fn checked<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T> {
        let error = match result {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        match aftermath(&error) {
            Aftermath::Usable => {}
            Aftermath::Unknown => self.on_drop = OnDrop::Discard,
            Aftermath::ServerLost => {
                self.on_drop = OnDrop::Discard;
                self.pool.discard_all();
            }
            Aftermath::Storage(problem) => {
                self.on_drop = OnDrop::Discard;
                self.pool.0.storage.record(problem);
                if problem == StorageProblem::ReadOnly {
                    self.pool.discard_all();
                }
            }
        }
        Err(error.into())
    }

    /// Notes that the transaction has changed rows.
    pub(super) fn has_written(&mut self) {
        self.wrote = true;
    }

    /// Releases the connection for reuse, after its last statement has been completed.
    pub(super) fn release(mut self) {
        self.on_drop = OnDrop::Keep;
    }

    /// Commits a transaction and releases the connection.
    pub(super) async fn commit(mut self) -> Result<()> {
        self.on_drop = OnDrop::RollBackAndClose;
        let watch = self.watch();
        let result = watch.over(DB::run(&mut self, "COMMIT")).await;
        self.on_drop = match &result {
            Ok(()) => OnDrop::Keep,
            // It lost against a concurrent transaction. A rollback that the server confirms makes the state known.
            Err(error) if aftermath(error) == Aftermath::Usable && is_temporary(error) => OnDrop::RollBack,
            Err(_) => OnDrop::Discard,
        };
        self.checked(result)?;
        if self.wrote {
            self.pool.0.storage.clear();
        }
        Ok(())
    }

    fn live(&self) -> &Live<DB> {
        match &self.live {
            Some(live) => live,
            None => unreachable!("a connection exists until it is dropped"),
        }
    }
}

impl<DB: Driver> Drop for PooledConnection<DB> {
    fn drop(&mut self) {
        let Some(mut live) = self.live.take() else { return };
        let pool = self.pool.clone();
        let on_drop = self.on_drop;
        // The connection is back before the next request gets the permit.
        let permit = self.permit.take();
        match on_drop {
            OnDrop::Keep => pool.keep(live),
            OnDrop::Discard => discard(live, permit),
            OnDrop::Recover | OnDrop::RollBack | OnDrop::RollBackAndClose => in_background(async move {
                let recovered = async {
                    match on_drop {
                        OnDrop::Recover => live.connection.ping().await,
                        _ => DB::run(&mut live.connection, "ROLLBACK").await,
                    }
                };
                match tokio::time::timeout(RECOVERY_LIMIT, recovered).await {
                    Ok(Ok(())) if on_drop != OnDrop::RollBackAndClose => {
                        pool.keep(live);
                        drop(permit);
                    }
                    Ok(_) => discard(live, permit),
                    Err(_) => {
                        // Its statement is still running, or the connection is dead: no request waits for it any more.
                        Watch::new(&pool, &live).end_session();
                        discard(live, permit);
                    }
                }
            }),
        }
    }
}

impl<DB: Driver> Deref for PooledConnection<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        &self.live().connection
    }
}

impl<DB: Driver> DerefMut for PooledConnection<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        match &mut self.live {
            Some(live) => &mut live.connection,
            None => unreachable!("a connection exists until it is dropped"),
        }
    }
}

/// Watches over the statements of one connection.
pub(super) struct Watch<DB: Driver> {
    pub(super) pool: Pool<DB>,
    pub(super) session: Arc<Session>,
    pub(super) server: usize,
    pub(super) generation: u64,
}

impl<DB: Driver> Watch<DB> {
    fn new(pool: &Pool<DB>, live: &Live<DB>) -> Self {
        let session = Arc::clone(&live.session);
        Self { pool: pool.clone(), session, server: live.server, generation: live.generation }
    }
}

#[cfg(test)]
mod tests;
