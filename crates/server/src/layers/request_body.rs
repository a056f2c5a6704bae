//! Request bodies: limits on their size, their rate and their memory, and the place of a request among the concurrent ones.
//!
//! A request takes its place when its body is complete: slow senders wait in their own time, and not in a place that others
//! need. Until then a body takes a share of the memory budget as it arrives, and has to arrive at a minimum rate.

use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::Method;
use hyper::body::{Frame, SizeHint};
use model_registry_base::{MemoryBudget, MemoryPool, MemoryShare};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

use crate::ApiError;

/// Bytes of memory for each byte of a body while its request runs: the decoded body, the stored document and its properties,
/// the statements, the response.
const WORK_FACTOR: usize = 8;

/// Bodies up to this size are small: others leave memory for them.
const SMALL: usize = 64 * 1024;

/// The minimum rate of a body.
#[derive(Clone, Copy, Debug)]
pub struct BodyRate {
    /// The time without a minimum rate, from the head of the request on.
    pub grace: Duration,
    /// Bytes per second on average, after that.
    pub bytes_per_second: u32,
}

impl Default for BodyRate {
    fn default() -> Self {
        Self { grace: Duration::from_secs(10), bytes_per_second: 1024 }
    }
}

/// The limits of one body.
#[derive(Clone)]
pub(super) struct BodyLimits {
    pub(super) size: usize,
    pub(super) rate: BodyRate,
    pub(super) memory: MemoryBudget,
    pub(super) places: Arc<Semaphore>,
}

/// Why a body was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyFailure {
    #[error("the request body is too large")]
    TooLarge,
    #[error("the request body arrives too slowly")]
    TooSlow,
    #[error("too much memory is in use by request bodies")]
    NoMemory,
    #[error("too many concurrent requests")]
    Busy,
}

/// What a request holds: dropped when its handler has ended.
#[derive(Default)]
pub(super) struct Admission {
    failure: OnceLock<BodyFailure>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    body: Option<MemoryShare>,
    work: Option<MemoryShare>,
    place: Option<OwnedSemaphorePermit>,
}

impl Admission {
    /// The response to a request whose body was not accepted, instead of the one of its handler.
    pub(super) fn error(&self, limits: &BodyLimits) -> Option<ApiError> {
        let BodyRate { grace, bytes_per_second } = limits.rate;
        Some(match self.failure.get()? {
            BodyFailure::TooLarge => ApiError::PayloadTooLarge { limit: limits.size },
            BodyFailure::TooSlow => ApiError::RequestTimeout(format!(
                "the request body arrives too slowly: after {} s, at least {bytes_per_second} bytes per second are required",
                grace.as_secs_f32()
            )),
            BodyFailure::NoMemory => ApiError::Unavailable(
                "the memory for request bodies is in use (limits.memory): try again shortly".to_owned(),
            ),
            BodyFailure::Busy => busy(),
        })
    }

    fn hold(&self, change: impl FnOnce(&mut Held)) {
        change(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The error of a request without a place.
pub(super) fn busy() -> ApiError {
    ApiError::Unavailable("too many concurrent requests: try again shortly".to_owned())
}

/// Puts the limits around the body of a request. A request whose body is not waited for takes its place at once.
pub(super) fn limit(request: Request, limits: &BodyLimits) -> Result<(Request, Arc<Admission>), ApiError> {
    let admission = Arc::new(Admission::default());
    let has_body = !request.body().is_end_stream();
    // Handlers of other methods do not read a body.
    let waits_for_body = has_body && matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    if !waits_for_body {
        let place = Arc::clone(&limits.places).try_acquire_owned().map_err(|_| busy())?;
        admission.hold(|held| held.place = Some(place));
    }
    if !has_body {
        return Ok((request, admission));
    }
    let declared = request.body().size_hint().exact();
    if declared.is_some_and(|length| length > limits.size as u64) {
        return Err(ApiError::PayloadTooLarge { limit: limits.size });
    }
    let request = request.map(|body| {
        Body::new(LimitedBody {
            body,
            limits: limits.clone(),
            admission: Arc::clone(&admission),
            received: 0,
            held: 0,
            started: Instant::now(),
            deadline: None,
            last: None,
            admitting: None,
            is_complete: false,
        })
    });
    Ok((request, admission))
}

/// A body with its limits.
struct LimitedBody {
    body: Body,
    limits: BodyLimits,
    admission: Arc<Admission>,
    received: usize,
    /// The size of its share of memory.
    held: usize,
    started: Instant,
    /// Set while the body is waited for.
    deadline: Option<Pin<Box<Sleep>>>,
    /// The last frame, which is passed on when the request is admitted.
    last: Option<Frame<Bytes>>,
    admitting: Option<BoxFuture<'static, MemoryShare>>,
    is_complete: bool,
}

impl LimitedBody {
    fn fail(&mut self, failure: BodyFailure) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let _ = self.admission.failure.set(failure);
        self.is_complete = true;
        Poll::Ready(Some(Err(axum::Error::new(failure))))
    }

    fn take_memory(&mut self, frame: &Frame<Bytes>) -> Result<(), BodyFailure> {
        let length = frame.data_ref().map_or(0, Bytes::len);
        self.received = self.received.saturating_add(length);
        if self.received > self.limits.size {
            return Err(BodyFailure::TooLarge);
        }
        // A share is whole kibibytes, so small frames share one.
        if self.received > self.held {
            let (pool, more) = (&self.limits.memory.bodies, self.received - self.held);
            let share =
                if self.received <= SMALL { pool.try_take(more) } else { pool.try_take_beyond(more, pool.size() / 4) };
            let more = share.ok_or(BodyFailure::NoMemory)?;
            self.held += more.bytes();
            self.admission.hold(|held| match &mut held.body {
                Some(share) => share.merge(more),
                None => held.body = Some(more),
            });
        }
        Ok(())
    }

    /// Whether the body is slower than the minimum rate; wakes the task when it may be.
    fn is_too_slow(&mut self, context: &mut Context<'_>) -> bool {
        let BodyRate { grace, bytes_per_second } = self.limits.rate;
        let received = u64::try_from(self.received).unwrap_or(u64::MAX);
        let earned = Duration::from_millis(received.saturating_mul(1000) / u64::from(bytes_per_second.max(1)));
        let due = self.started + grace + earned;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        while deadline.as_mut().poll(context).is_ready() {
            if Instant::now() >= due {
                return true;
            }
            deadline.as_mut().reset(due);
        }
        false
    }

    fn work_pool(&self) -> &MemoryPool {
        let memory = &self.limits.memory;
        if self.received <= SMALL { &memory.small_work } else { &memory.work }
    }

    /// Takes memory for the work on the body, waiting if necessary, and a place.
    fn poll_admission(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let size = self.received.saturating_mul(WORK_FACTOR);
        let work = if let Some(admitting) = &mut self.admitting {
            ready!(admitting.poll_unpin(context))
        } else if let Some(share) = self.work_pool().try_take_at_most(size) {
            share
        } else {
            let pool = self.work_pool().clone();
            let mut admitting = async move { pool.take(size).await }.boxed();
            let polled = admitting.poll_unpin(context);
            self.admitting = Some(admitting);
            ready!(polled)
        };
        self.admitting = None;
        let mut has_place = true;
        self.admission.hold(|held| {
            held.work = Some(work);
            if held.place.is_none() {
                held.place = Arc::clone(&self.limits.places).try_acquire_owned().ok();
                has_place = held.place.is_some();
            }
        });
        if !has_place {
            return self.fail(BodyFailure::Busy);
        }
        self.is_complete = true;
        Poll::Ready(self.last.take().map(Ok))
    }
}

impl HttpBody for LimitedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if this.is_complete {
            return Poll::Ready(None);
        }
        if this.last.is_some() || this.admitting.is_some() {
            return this.poll_admission(context);
        }
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Pending if this.is_too_slow(context) => this.fail(BodyFailure::TooSlow),
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(frame))) => {
                if let Err(failure) = this.take_memory(&frame) {
                    return this.fail(failure);
                }
                if this.body.is_end_stream() {
                    this.last = Some(frame);
                    return this.poll_admission(context);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error))),
            Poll::Ready(None) => this.poll_admission(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_complete
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;
