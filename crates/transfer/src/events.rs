//! What happens during a transfer, for progress bars, logs and metrics.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

/// One event. Its texts contain no secrets.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The source is listed, and the destination examined. `bytes` is the sum of the known sizes.
    Planned {
        files: usize,
        bytes: u64,
        /// Files and bytes that are at the destination already.
        files_there: usize,
        bytes_there: u64,
    },
    /// Bytes were read from the source.
    Read { bytes: u64 },
    /// A file is at the destination.
    Finished { path: String, size: u64, sha256: String, was_there: bool },
    /// A request failed and is repeated after a pause.
    Retry {
        at: String,
        reason: String,
        #[serde(serialize_with = "seconds")]
        pause: Duration,
    },
}

fn seconds<S: serde::Serializer>(pause: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((pause.as_secs_f64() * 1000.0).round() / 1000.0)
}

/// Gets the events, from several threads.
pub trait Observer: Send + Sync {
    fn on(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync> Observer for F {
    fn on(&self, event: &Event) {
        self(event);
    }
}

/// Observer of one transfer; clones are the same.
pub type SharedObserver = Arc<dyn Observer>;

/// An observer that does nothing.
pub fn no_observer() -> SharedObserver {
    Arc::new(|_: &Event| {})
}
