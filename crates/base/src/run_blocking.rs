//! Work that blocks or computes for a while, moved off the threads of the async runtime.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_result_of_the_work_is_returned() {
        assert_eq!(run_blocking(|| 1 + 1).await, 2);
    }

    #[tokio::test]
    #[should_panic(expected = "broken")]
    async fn a_panic_continues_in_the_caller() {
        run_blocking(|| panic!("broken")).await;
    }
}
