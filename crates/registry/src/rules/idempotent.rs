//! Makes a creation repeatable: under the same Idempotency-Key the same request gets the first one's answer.

use std::sync::atomic::{AtomicBool, Ordering};

use model_registry_server::ApiError;
use model_registry_store::{Clock, IdempotencyKey, Operation, Outcome, Transaction};

use super::RuleError;
use crate::answer::Answer;

/// An operation whose answer is kept under a key.
pub(crate) struct Idempotent<O> {
    operation: O,
    key: IdempotencyKey,
    clock: Clock,
    looked_again: AtomicBool,
}

impl<O> Idempotent<O> {
    pub(crate) fn new(operation: O, key: IdempotencyKey, clock: Clock) -> Self {
        Self { operation, key, clock, looked_again: AtomicBool::new(false) }
    }
}

impl<O: Operation<Output = Answer, Error = RuleError>> Operation for Idempotent<O> {
    type Output = Answer;
    type Error = RuleError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<Answer>, RuleError> {
        let now = self.clock.now();
        if let Some(kept) = tx.find_answer(&self.key, now).await? {
            if kept.digest != self.key.digest {
                return Err(ApiError::Unprocessable(
                    "this Idempotency-Key was used for another request; use a new key for each request".to_owned(),
                )
                .into());
            }
            return Ok(Outcome::Done(Answer::kept(kept)));
        }
        let outcome = self.operation.run(tx).await?;
        if let Outcome::Done(answer) = &outcome {
            tx.keep_answer(&self.key, answer.status.as_u16(), answer.etag.as_deref(), &answer.body, now).await?;
        }
        Ok(outcome)
    }

    fn may_retry(&self, error: &RuleError) -> bool {
        // A conflict may be with the same request sent twice at once: look once more for its answer.
        let conflict = matches!(error, RuleError::Taken { .. });
        self.operation.may_retry(error) || (conflict && !self.looked_again.swap(true, Ordering::Relaxed))
    }
}
