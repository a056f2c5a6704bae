//! Makes a creation repeatable: under the same Idempotency-Key the same request gets the first one's answer.

use std::sync::atomic::{AtomicBool, Ordering};

use model_registry_server::ApiError;
use model_registry_store::{Clock, IdempotencyKey, Operation, Outcome, Transaction};

use super::RuleError;
use crate::answer::Answer;

/// An operation whose answer is kept under a key.
///
/// Nearly every key comes once, so the first run does not look for its answer: keeping the second answer under a key fails,
/// which rolls back, and the next run looks. That is one statement more than without a key instead of two.
pub(crate) struct Idempotent<O> {
    operation: O,
    key: IdempotencyKey,
    clock: Clock,
    looks: AtomicBool,
}

impl<O> Idempotent<O> {
    pub(crate) fn new(operation: O, key: IdempotencyKey, clock: Clock) -> Self {
        Self { operation, key, clock, looks: AtomicBool::new(false) }
    }
}

impl<O: Operation<Output = Answer, Error = RuleError>> Operation for Idempotent<O> {
    type Output = Answer;
    type Error = RuleError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<Answer>, RuleError> {
        let now = self.clock.now();
        if self.looks.load(Ordering::Relaxed)
            && let Some(kept) = tx.find_answer(&self.key, now).await?
        {
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
        // What refuses the request may be what it did itself when it came first, such as taking the name.
        let is_refusal = matches!(error, RuleError::Refused(_) | RuleError::Taken { .. });
        let looked = self.looks.swap(true, Ordering::Relaxed);
        self.operation.may_retry(error) || (is_refusal && !looked)
    }
}
