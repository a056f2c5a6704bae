//! Responses take a share of the memory budget until they are sent.
//!
//! The share belongs to the buffer and not to the response: HTTP/2 takes over whole buffers, and sends them when the client
//! allows it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use model_registry_base::{MemoryPool, MemoryShare};

use crate::ApiError;

/// Responses up to this size may use the whole pool, larger ones leave a quarter of it: a few clients that do not read large
/// responses leave room for the small ones of others.
const SMALL: usize = 64 * 1024;

/// How long the response to a write waits for its share.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

/// Takes the share of a response. A response of unknown length, such as a stream of events, is sent as it arises.
pub(super) fn hold(response: Response, pool: &MemoryPool) -> Response {
    let Some(length) = length(&response) else { return response };
    let share = match length {
        ..=SMALL => pool.try_take(length),
        // The only response may be larger than the pool.
        _ if pool.used() == 0 => pool.try_take_at_most(length),
        _ => pool.try_take_beyond(length, pool.size() / 4),
    };
    match share {
        Some(share) => with_share(response, share),
        None => ApiError::Unavailable(
            "the memory for responses is in use (limits.memory), because clients read theirs slowly: try again shortly"
                .to_owned(),
        )
        .into_response(),
    }
}

/// As [`hold`] for the success of a write, which is never replaced by a 503: the client would repeat it. It waits for its share,
/// and is sent without one in the end.
pub(super) async fn hold_written(response: Response, pool: &MemoryPool) -> Response {
    let Some(length) = length(&response) else { return response };
    match tokio::time::timeout(WRITE_PATIENCE, pool.take(length)).await {
        Ok(share) => with_share(response, share),
        Err(_) => response,
    }
}

/// The length of a body, if it is known and not zero.
fn length(response: &Response) -> Option<usize> {
    let length = response.body().size_hint().exact().and_then(|length| usize::try_from(length).ok());
    length.filter(|length| *length > 0)
}

fn with_share(response: Response, share: MemoryShare) -> Response {
    response.map(|body| Body::new(HeldBody { body, share: Some(share) }))
}

/// A body that hands its share on to its buffer, which is one in all responses whose length is known.
struct HeldBody {
    body: Body,
    share: Option<MemoryShare>,
}

/// A buffer with its share.
struct HeldBytes {
    bytes: Bytes,
    _share: MemoryShare,
}

impl AsRef<[u8]> for HeldBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl HttpBody for HeldBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        polled.map_ok(|frame| {
            let is_last = this.body.is_end_stream();
            frame.map_data(|bytes| match this.share.take_if(|_| is_last) {
                Some(share) => Bytes::from_owner(HeldBytes { bytes, _share: share }),
                None => bytes,
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use model_registry_base::MemoryBudget;

    use super::*;

    fn pool() -> MemoryPool {
        MemoryBudget::new(4 << 20).responses
    }

    fn of_size(length: usize) -> Response {
        Response::new(Body::from(vec![b'x'; length]))
    }

    #[tokio::test]
    async fn the_share_of_a_response_ends_with_its_buffer() {
        let pool = pool();
        let mut body = hold(of_size(10_000), &pool).into_body();
        let frame = body.frame().await.unwrap().unwrap();
        let mut data = frame.into_data().unwrap();
        drop(body);
        assert_eq!((data.len(), pool.used()), (10_000, 10 * 1024));
        let rest = data.split_off(5_000);
        drop(data);
        assert_eq!(pool.used(), 10 * 1024);
        drop(rest);
        assert_eq!(pool.used(), 0);
    }

    #[tokio::test]
    async fn large_responses_that_are_not_read_leave_room_for_small_ones() {
        let pool = pool();
        let unread: Vec<_> = (0..10).map(|_| hold(of_size(200 * 1024), &pool)).collect();
        let statuses: Vec<u16> = unread.iter().map(|response| response.status().as_u16()).collect();
        assert_eq!(statuses[..3], [200; 3]);
        assert_eq!(statuses[3..], [503; 7]);
        assert!(unread[3].headers().contains_key("retry-after"));
        assert_eq!(hold(of_size(SMALL), &pool).status(), 200);
        drop(unread);
        assert_eq!(hold(of_size(200 * 1024), &pool).status(), 200);
    }

    #[tokio::test(start_paused = true)]
    async fn the_success_of_a_write_waits_for_its_share_and_is_sent_in_any_case() {
        let pool = pool();
        let unread = hold(of_size(2 << 20), &pool);
        assert_eq!(hold_written(of_size(1_000), &pool).await.status(), 200);
        let mut waiting = Box::pin(hold_written(of_size(1_000), &pool));
        assert!(futures::poll!(&mut waiting).is_pending());
        drop(unread);
        let written = waiting.await;
        assert_eq!((written.status().as_u16(), pool.used()), (200, 1_024));
    }

    #[tokio::test]
    async fn a_single_response_may_be_larger_than_the_pool() {
        let pool = pool();
        let response = hold(of_size(2 << 20), &pool);
        assert_eq!((response.status().as_u16(), pool.used()), (200, pool.size()));
        assert_eq!(hold(of_size(1), &pool).status(), 503);
        drop(response);
        assert_eq!(pool.used(), 0);
    }
}
