//! The request to end a transfer early.

use tokio::sync::watch;

use crate::endpoint::Result;
use crate::error::TransferError;

/// Ends a transfer early; clones are the same request.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    /// Ends the transfer. It cleans up before it returns.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the end is requested.
    pub async fn stopped(&self) {
        // The sender lives as long as `self`.
        let _ = self.0.subscribe().wait_for(|stopped| *stopped).await;
    }

    /// Runs work until it is done or the end is requested.
    pub(crate) async fn or<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.stopped() => Err(TransferError::Cancelled),
            result = work => result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_ends_when_the_end_is_requested() {
        let stop = Stop::default();
        assert_eq!(stop.or(async { Ok(1) }).await.unwrap(), 1);
        let waiting = tokio::spawn({
            let stop = stop.clone();
            async move { stop.or(std::future::pending::<Result<()>>()).await }
        });
        stop.stop();
        assert!(matches!(waiting.await.unwrap(), Err(TransferError::Cancelled)));
        assert!(stop.is_stopped());
        assert!(stop.or(async { Ok(1) }).await.is_err());
    }
}
