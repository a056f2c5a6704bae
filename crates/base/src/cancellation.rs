//! The end of work that runs on another thread, before it is done.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Says that work is not needed any more, or takes too long. Loops whose length a caller chooses check it.
#[derive(Clone, Debug, Default)]
pub struct Cancellation {
    is_cancelled: Arc<AtomicBool>,
    end: Option<Instant>,
}

/// The work was ended before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ended before it was complete, because it took too long or is not needed any more")]
pub struct Cancelled;

impl Cancellation {
    /// Cancels the work after this time.
    pub fn after(limit: Duration) -> Self {
        Self { is_cancelled: Arc::default(), end: Some(Instant::now() + limit) }
    }

    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Fails after the work was cancelled. It reads the clock, so it is called at most every few microseconds.
    pub fn check(&self) -> Result<(), Cancelled> {
        let is_over = || self.end.is_some_and(|end| Instant::now() >= end);
        if self.is_cancelled.load(Ordering::Relaxed) || is_over() { Err(Cancelled) } else { Ok(()) }
    }

    /// The flag that [`Self::cancel`] sets, for libraries that poll one. It does not show the time limit.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_cancelled)
    }

    pub fn is_cancelled(&self) -> bool {
        self.check().is_err()
    }

    /// A reader that fails after the work was cancelled.
    pub fn reader<R: Read>(&self, inner: R) -> impl Read + use<R> {
        Cancellable { inner, cancellation: self.clone() }
    }
}

struct Cancellable<R> {
    inner: R,
    cancellation: Cancellation,
}

impl<R: Read> Read for Cancellable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.cancellation.check().map_err(io::Error::other)?;
        self.inner.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_ends_when_it_is_cancelled_or_after_its_time_limit() {
        let cancellation = Cancellation::default();
        let mut reader = cancellation.reader(&b"ab"[..]);
        let mut byte = [0];
        assert_eq!(reader.read(&mut byte).unwrap(), 1);
        cancellation.clone().cancel();
        assert!(reader.read(&mut byte).is_err() && cancellation.is_cancelled());
        assert_eq!(Cancellation::after(Duration::ZERO).check(), Err(Cancelled));
        assert_eq!(Cancellation::after(Duration::from_hours(1)).check(), Ok(()));
    }
}
