//! The stalled-write timeout of HTTP/2, where the peer's flow control decides which response is sent.
//!
//! A peer can keep a connection busy and never open the window of a stream, so a timeout of the connection is not enough.
//! Responses are handed over in small chunks, and each stream notices when none of its chunks was sent for a while. It is
//! reset then, which frees its response. If nothing was sent on the whole connection, or the rest of a response is already in
//! the buffers of the connection, the connection is closed.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::Instant;

/// Size of the chunks. A peer has to read one of them within the timeout.
const CHUNK: usize = 16 * 1024;

/// The streams of one connection, and the executor of their tasks.
#[derive(Clone)]
pub(super) struct Streams(Arc<Shared>);

struct Shared {
    timeout: Duration,
    started: Instant,
    /// When a chunk of any stream was last handed over or sent, in milliseconds after `started`.
    progress: AtomicU64,
    closed: Notify,
    /// The stream whose task is started next: hyper calls the service and then the executor.
    next: Mutex<Option<Arc<Stream>>>,
}

/// The response of one stream.
pub(super) struct Stream {
    connection: Arc<Shared>,
    /// Chunks that are handed over and not sent.
    unsent: AtomicUsize,
    progress: AtomicU64,
    /// Its chunks are discarded, which is not progress.
    is_reset: AtomicBool,
    sent: Notify,
}

impl Streams {
    pub(super) fn new(timeout: Duration) -> Self {
        Self(Arc::new(Shared {
            timeout,
            started: Instant::now(),
            progress: AtomicU64::new(0),
            closed: Notify::new(),
            next: Mutex::default(),
        }))
    }

    /// Registers the stream of a request.
    pub(super) fn begin(&self) -> Arc<Stream> {
        let stream = Arc::new(Stream {
            connection: Arc::clone(&self.0),
            unsent: AtomicUsize::new(0),
            progress: AtomicU64::new(0),
            is_reset: AtomicBool::new(false),
            sent: Notify::new(),
        });
        *self.0.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&stream));
        stream
    }

    /// Completes when the connection has to be closed.
    pub(super) async fn closed(&self) {
        self.0.closed.notified().await;
    }
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Streams {
    fn execute(&self, task: F) {
        match self.0.next.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(stream) => tokio::spawn(run(task, stream)),
            None => tokio::spawn(task),
        };
    }
}

/// Runs the task of a stream. Dropping the task resets the stream.
async fn run(task: impl Future<Output = ()>, stream: Arc<Stream>) {
    {
        let mut task = pin!(task);
        tokio::select! {
            biased;
            () = task.as_mut() => {}
            () = stream.stalled() => {
                tracing::debug!("HTTP/2 stream reset: the peer does not read its response");
                stream.is_reset.store(true, Ordering::Relaxed);
                if stream.connection.is_stalled() {
                    stream.connection.closed.notify_one();
                }
                return;
            }
        }
    }
    tokio::select! {
        biased;
        () = stream.all_sent() => {}
        () = stream.stalled() => stream.connection.closed.notify_one(),
    }
}

impl Shared {
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether the peer reads nothing at all: other streams may have stalled a moment after this one.
    fn is_stalled(&self) -> bool {
        self.since(&self.progress) >= self.timeout / 2
    }

    fn since(&self, progress: &AtomicU64) -> Duration {
        Duration::from_millis(self.now().saturating_sub(progress.load(Ordering::Relaxed)))
    }
}

impl Stream {
    fn record_progress(&self) {
        let now = self.connection.now();
        self.progress.store(now, Ordering::Relaxed);
        self.connection.progress.store(now, Ordering::Relaxed);
    }

    /// Completes when no chunk was sent within the timeout, although there are some.
    async fn stalled(&self) {
        let timeout = self.connection.timeout;
        let mut pause = timeout;
        loop {
            tokio::time::sleep(pause).await;
            pause = timeout;
            if self.unsent.load(Ordering::Acquire) > 0 {
                let waited = self.connection.since(&self.progress);
                if waited >= timeout {
                    return;
                }
                pause = timeout.saturating_sub(waited);
            }
        }
    }

    async fn all_sent(&self) {
        while self.unsent.load(Ordering::Acquire) > 0 {
            self.sent.notified().await;
        }
    }
}

/// A body in chunks whose sending is observed.
pub(super) struct ChunkedBody {
    body: Body,
    stream: Arc<Stream>,
    /// The rest of the current buffer.
    rest: Bytes,
}

impl ChunkedBody {
    pub(super) fn new(body: Body, stream: Arc<Stream>) -> Self {
        Self { body, stream, rest: Bytes::new() }
    }

    fn chunk(&mut self) -> Bytes {
        let bytes = self.rest.split_to(self.rest.len().min(CHUNK));
        self.stream.unsent.fetch_add(1, Ordering::AcqRel);
        self.stream.record_progress();
        Bytes::from_owner(Chunk { bytes, stream: Arc::clone(&self.stream) })
    }
}

/// A chunk that reports when it is sent, or discarded.
struct Chunk {
    bytes: Bytes,
    stream: Arc<Stream>,
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if !self.stream.is_reset.load(Ordering::Relaxed) {
            self.stream.record_progress();
        }
        if self.stream.unsent.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.stream.sent.notify_one();
        }
    }
}

impl HttpBody for ChunkedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if !this.rest.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(this.chunk()))));
        }
        let polled = Pin::new(&mut this.body).poll_frame(context);
        polled.map_ok(|frame| match frame.into_data() {
            Ok(bytes) if !bytes.is_empty() => {
                this.rest = bytes;
                Frame::data(this.chunk())
            }
            Ok(empty) => Frame::data(empty),
            Err(other) => other,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let inner = self.body.size_hint();
        let rest = self.rest.len() as u64;
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + rest);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(length: usize) -> Body {
        Body::from(vec![b'x'; length])
    }

    async fn chunk(body: &mut ChunkedBody) -> Bytes {
        let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
        frame.unwrap().unwrap().into_data().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_is_stalled_when_no_chunk_is_sent_for_the_timeout() {
        let timeout = Duration::from_secs(30);
        let stream = Streams::new(timeout).begin();
        let mut body = ChunkedBody::new(body(3 * CHUNK), Arc::clone(&stream));
        let started = Instant::now();
        let mut chunks = vec![chunk(&mut body).await];
        // A chunk every 20 seconds is progress.
        for _ in 0..2 {
            let stalled = tokio::time::timeout(Duration::from_secs(20), stream.stalled()).await;
            assert!(stalled.is_err());
            chunks.push(chunk(&mut body).await);
            chunks.remove(0);
        }
        assert!(body.is_end_stream());
        stream.stalled().await;
        assert!(started.elapsed() >= Duration::from_secs(70));
        assert!(stream.connection.is_stalled());
        drop(chunks);
        stream.all_sent().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_without_unsent_chunks_may_wait() {
        let stream = Streams::new(Duration::from_secs(30)).begin();
        let mut body = ChunkedBody::new(body(10), Arc::clone(&stream));
        drop(chunk(&mut body).await);
        assert!(tokio::time::timeout(Duration::from_hours(1), stream.stalled()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_rest_of_a_response_that_is_not_sent_closes_the_connection() {
        let streams = Streams::new(Duration::from_secs(30));
        let stream = streams.begin();
        let mut body = ChunkedBody::new(body(10), Arc::clone(&stream));
        let _unsent = chunk(&mut body).await;
        hyper::rt::Executor::execute(&streams, async {});
        streams.closed().await;
    }
}
