//! How far a sync is: numbers that move while it runs, and lines in the log.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

/// How often the log says how far a sync is.
const LINES: Duration = Duration::from_secs(10);

/// The numbers of one source; clones count together.
#[derive(Clone, Default)]
pub struct Progress {
    /// Requests sent, of all syncs together.
    pub requests: Counter,
    /// 1 while a sync runs.
    pub running: Gauge,
    /// Models that the running sync, or else the last one, has found.
    pub found: Gauge,
    /// Those of them that are read, or known to be as they were.
    pub done: Gauge,
}

impl Progress {
    /// Runs a sync, and tells how far it is until it ends.
    pub(super) async fn told<T>(&self, source: &str, sync: impl Future<Output = T>) -> T {
        let _running = Running::begin(self);
        let before = self.requests.get();
        let mut lines = tokio::time::interval(LINES);
        // The first tick is at once.
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
                    "hub is being read"
                ),
            }
        }
    }
}

/// A sync may be given up at any time: when another replica takes over, or its source changes.
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

    // The clock stands still but for the sleeps.
    #[tokio::test(start_paused = true)]
    async fn a_sync_says_how_far_it_is_while_it_runs() {
        let lines = Lines::default();
        let written = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || written.clone()).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let progress = Progress::default();
        progress.requests.inc_by(100);
        let told = progress.told("hub", async {
            progress.found.set(9);
            for _ in 0..3 {
                progress.done.inc();
                progress.requests.inc_by(2);
                tokio::time::sleep(LINES + Duration::from_millis(1)).await;
            }
            assert_eq!(progress.running.get(), 1);
        });
        told.await;
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(text.contains("hub is being read source=\"hub\" found=9 done=1 requests=2"), "{text}");
        assert!(text.contains("done=2 requests=4"), "{text}");
        assert_eq!((progress.running.get(), progress.done.get()), (0, 3));
        let given_up = tokio::time::timeout(LINES, progress.told("hub", std::future::pending::<()>())).await;
        assert!(given_up.is_err());
        assert_eq!((progress.running.get(), progress.done.get()), (0, 0));
    }
}
