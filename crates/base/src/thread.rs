//! Work that computes or blocks for a while, on a thread where nobody waits for it to yield.

/// Starts the work at once; the future gives what it made. A panic goes on in whoever awaits it.
pub fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> impl Future<Output = T> {
    let working = tokio::task::spawn_blocking(work);
    async {
        match working.await {
            Ok(made) => made,
            Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
        }
    }
}
