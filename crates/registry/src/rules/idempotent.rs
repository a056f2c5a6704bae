//! Idempotency keys: a repeated request with the same key gets the stored response of the first one.

use std::sync::atomic::{AtomicBool, Ordering};

use model_registry_base::Clock;
use model_registry_server::ApiError;
use model_registry_store::{IdempotencyKey, Outcome, Transaction, UnitOfWork};

use super::RuleError;
use crate::response::EntityResponse;

/// A unit of work whose response is stored under a key.
///
/// Nearly every key is used once, so the first run does not search for a stored response. Storing a second response under
/// a key fails and rolls back, and the next run searches. That costs one statement more than without a key, not two.
pub(crate) struct Idempotent<W> {
    work: W,
    key: IdempotencyKey,
    clock: Clock,
    /// Whether the next run searches for a stored response.
    searches: AtomicBool,
}

impl<W> Idempotent<W> {
    pub(crate) fn new(work: W, key: IdempotencyKey, clock: Clock) -> Self {
        Self { work, key, clock, searches: AtomicBool::new(false) }
    }
}

impl<W: UnitOfWork<Output = EntityResponse, Error = RuleError>> UnitOfWork for Idempotent<W> {
    type Output = EntityResponse;
    type Error = RuleError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<EntityResponse>, RuleError> {
        let now = self.clock.now();
        if self.searches.load(Ordering::Relaxed)
            && let Some(stored) = tx.find_stored_response(&self.key, now).await?
        {
            if stored.digest != self.key.digest {
                return Err(ApiError::Unprocessable(
                    "this Idempotency-Key was used for another request; use a new key for each request".to_owned(),
                )
                .into());
            }
            return Ok(Outcome::Done(EntityResponse::stored(stored)));
        }
        let outcome = self.work.run(tx).await?;
        if let Outcome::Done(response) = &outcome {
            tx.store_response(&self.key, response.status.as_u16(), response.etag.as_deref(), &response.body, now)
                .await?;
        }
        Ok(outcome)
    }

    fn may_retry(&self, error: &RuleError) -> bool {
        // The cause may be the first run of the same request, which took the name.
        let is_rejection = matches!(error, RuleError::Rejected(_) | RuleError::Taken { .. });
        let searched = self.searches.swap(true, Ordering::Relaxed);
        self.work.may_retry(error) || (is_rejection && !searched)
    }
}
