//! Notes when the body of a request was read to its end. The rest of another one is discarded before the connection is closed:
//! see `rejection_body.rs`.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::request_counts::RequestCounts;

pub(super) struct WatchedBody {
    body: Incoming,
    requests: RequestCounts,
}

impl WatchedBody {
    pub(super) fn new(body: Incoming, requests: RequestCounts) -> Self {
        Self { body, requests }
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None)) || this.body.is_end_stream() {
            this.requests.body_was_read();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
