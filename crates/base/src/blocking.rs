//! Work that blocks or computes for a while, moved off the threads of the async runtime.

use std::time::Duration;

use crate::Cancellation;

/// Starts `work` at once on the runtime's pool for blocking work; the future returns its result.
///
/// A panic of `work` continues in the task that awaits the future.
pub fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> impl Future<Output = T> {
    let running = tokio::task::spawn_blocking(work);
    async {
        match running.await {
            Ok(result) => result,
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }
}

/// Like [`run_blocking`], for work whose cost a caller chooses: it is cancelled after `limit`, and when the future is dropped
/// because its request ended.
pub fn run_cancellable<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce(&Cancellation) -> T + Send + 'static,
) -> impl Future<Output = T> {
    run(Cancellation::after(limit), work)
}

/// Like [`run_cancellable`], without a time limit of its own.
pub fn run_while_awaited<T: Send + 'static>(
    work: impl FnOnce(&Cancellation) -> T + Send + 'static,
) -> impl Future<Output = T> {
    run(Cancellation::default(), work)
}

fn run<T: Send + 'static>(
    cancellation: Cancellation,
    work: impl FnOnce(&Cancellation) -> T + Send + 'static,
) -> impl Future<Output = T> {
    let guard = CancelOnDrop(cancellation.clone());
    let running = run_blocking(move || work(&cancellation));
    async move {
        let _guard = guard;
        running.await
    }
}

struct CancelOnDrop(Cancellation);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn the_result_of_the_work_is_returned() {
        assert_eq!(run_blocking(|| 1 + 1).await, 2);
        assert_eq!(run_cancellable(Duration::from_hours(1), |work| work.check().map(|()| 2)).await, Ok(2));
    }

    #[tokio::test]
    #[should_panic(expected = "broken")]
    async fn a_panic_continues_in_the_caller() {
        run_blocking(|| panic!("broken")).await;
    }

    #[tokio::test]
    async fn work_that_is_not_awaited_any_more_ends() {
        let (sender, ended) = channel();
        let work = run_while_awaited(move |work| {
            while !work.is_cancelled() {
                std::thread::yield_now();
            }
            sender.send(()).unwrap();
        });
        drop(work);
        run_blocking(move || ended.recv().unwrap()).await;
    }
}
