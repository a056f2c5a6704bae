//! Progress of a sync: metrics and log lines while it runs.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

/// Time between two log lines about a running sync.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The metrics of one source; clones share them.
#[derive(Clone, Default)]
pub struct Progress {
    /// Requests sent by all syncs.
    pub requests: Counter,
    /// 1 while a sync runs.
    pub running: Gauge,
    /// Models that the running or the last sync has found.
    pub found: Gauge,
    /// Those of them that were read or are unchanged.
    pub done: Gauge,
}

impl Progress {
    /// Runs a sync and reports its progress until it ends.
    pub(crate) async fn report_while<T>(&self, source: &str, sync: impl Future<Output = T>) -> T {
        let _running = Running::begin(self);
        let before = self.requests.get();
        let mut lines = tokio::time::interval(LOG_INTERVAL);
        // The first tick is immediate.
        lines.tick().await;
        let mut sync = std::pin::pin!(sync);
        loop {
            tokio::select! {
                biased;
                result = &mut sync => return result,
                _ = lines.tick() => tracing::info!(
                    source,
                    found = self.found.get(),
                    done = self.done.get(),
                    requests = self.requests.get() - before,
                    "sync in progress"
                ),
            }
        }
    }
}

/// Resets the metrics also when a sync is cancelled: another replica takes over, or its source changes.
struct Running(Gauge);

impl Running {
    fn begin(progress: &Progress) -> Self {
        progress.found.set(0);
        progress.done.set(0);
        progress.running.set(1);
        Self(progress.running.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.set(0);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    // Paused clock: only the sleeps advance it.
    #[tokio::test(start_paused = true)]
    async fn a_running_sync_logs_its_progress() {
        let lines = Lines::default();
        let written = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || written.clone()).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let progress = Progress::default();
        progress.requests.inc_by(100);
        let running = progress.report_while("hub", async {
            progress.found.set(9);
            for _ in 0..3 {
                progress.done.inc();
                progress.requests.inc_by(2);
                tokio::time::sleep(LOG_INTERVAL + Duration::from_millis(1)).await;
            }
            assert_eq!(progress.running.get(), 1);
        });
        running.await;
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(text.contains("sync in progress source=\"hub\" found=9 done=1 requests=2"), "{text}");
        assert!(text.contains("done=2 requests=4"), "{text}");
        assert_eq!((progress.running.get(), progress.done.get()), (0, 3));
        let cancelled =
            tokio::time::timeout(LOG_INTERVAL, progress.report_while("hub", std::future::pending::<()>())).await;
        assert!(cancelled.is_err());
        assert_eq!((progress.running.get(), progress.done.get()), (0, 0));
    }
}
