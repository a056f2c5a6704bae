//! The clock is passed around as an argument, so that tests decide the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

/// A source of the time in milliseconds since the Unix epoch.
#[derive(Clone)]
pub struct Clock {
    read: Arc<dyn Fn() -> i64 + Send + Sync>,
    is_simulated: bool,
}

impl Clock {
    /// The machine's clock.
    #[expect(clippy::disallowed_methods, reason = "every other use of the time goes through this clock")]
    pub fn system() -> Self {
        Self::real(|| {
            let since_epoch = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
            i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
        })
    }

    /// The clock of a machine on which it is wrong by these milliseconds.
    pub fn wrong_by(milliseconds: i64) -> Self {
        let system = Self::system();
        Self::real(move || system.now().saturating_add(milliseconds))
    }

    /// A clock of a machine, which may differ from those of others: what `read` returns, in milliseconds since the Unix epoch.
    pub fn real(read: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self { read: Arc::new(read), is_simulated: false }
    }

    /// A simulated clock, whose time is what `read` returns, in milliseconds since the Unix epoch.
    pub fn new(read: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self { read: Arc::new(read), is_simulated: true }
    }

    /// A clock that starts at `start` and advances by one millisecond at each reading.
    pub fn stepping(start: i64) -> Self {
        let next = AtomicI64::new(start);
        Self::new(move || next.fetch_add(1, Ordering::Relaxed))
    }

    /// Milliseconds since the Unix epoch.
    pub fn now(&self) -> i64 {
        (self.read)()
    }

    /// Whether a test decides the time, so that it must not be compared with or corrected by other clocks.
    pub fn is_simulated(&self) -> bool {
        self.is_simulated
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}
