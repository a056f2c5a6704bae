//! Adds a JSON body to the error responses that hyper sends itself.
//!
//! Hyper rejects a malformed or too large request head with a bare status, before the service sees a request. Clients
//! parse `{"code":…,"message":…}` of every error, so the stream replaces the bare response by one with a body.
//!
//! It distinguishes the writers without parsing: if every request has its response, and all responses are flushed, the
//! next bytes are hyper's own. Otherwise the bytes pass unchanged.
//!
//! Before a connection is closed after a rejection, or after the response to a request whose body was not read to its end, the
//! rest of the request is discarded ("lingering close").

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::request_counts::RequestCounts;
use crate::error;

/// How long the next part of a request may take that is discarded.
const LINGER_PAUSE: Duration = Duration::from_secs(1);
/// Limits for all parts: a client that sends without end is cut off.
const LINGER_TIME: Duration = Duration::from_secs(10);
const LINGER_BYTES: usize = 32 * 1024 * 1024;

/// Limits on the head of a request, for the message.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadLimits {
    pub(super) bytes: usize,
    pub(super) headers: usize,
}

/// The stream of one HTTP/1 connection.
pub(super) struct RejectionBody<S> {
    stream: S,
    requests: RequestCounts,
    limits: HeadLimits,
    /// The number of requests when every response was last sent and flushed.
    flushed: u64,
    /// The unwritten rest of the response that replaces hyper's.
    rejection: Option<Bytes>,
    linger: Option<Linger>,
}

impl<S> RejectionBody<S> {
    pub(super) fn new(stream: S, requests: RequestCounts, limits: HeadLimits) -> Self {
        Self { stream, requests, limits, flushed: 0, rejection: None, linger: None }
    }

    /// Whether these bytes are replaced by a response with a body.
    fn replaces(&mut self, bytes: &[u8]) -> bool {
        // A rejection is the last response of a connection.
        if self.rejection.is_none() && self.requests.settled() == Some(self.flushed) {
            self.rejection = rejection(bytes, self.limits);
        }
        self.rejection.is_some()
    }
}

impl<S: AsyncWrite + Unpin> RejectionBody<S> {
    fn write_rejection(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.rejection.as_mut().filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => rest.advance(written),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// The response with a body for hyper's bare status; `None` for bytes that are not a rejection.
fn rejection(bare: &[u8], limits: HeadLimits) -> Option<Bytes> {
    let status = bare.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5))?;
    let status = StatusCode::from_bytes(status).ok()?;
    let HeadLimits { bytes, headers } = limits;
    let message = match status {
        StatusCode::BAD_REQUEST => String::from(
            "the request is not valid HTTP: check for unescaped characters in the URL and line breaks in headers",
        ),
        StatusCode::URI_TOO_LONG => String::from("the URL is too long"),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            format!("the URL and headers exceed {bytes} bytes, or there are more than {headers} header fields")
        }
        _ => return None,
    };
    let reason = status.canonical_reason()?;
    let body = error::body(reason, &message);
    let head = format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: application/json; charset=UTF-8\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        status.as_u16(),
        body.len()
    );
    Some([head.as_bytes(), &body].concat().into())
}

impl<S: AsyncRead + Unpin> AsyncRead for RejectionBody<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for RejectionBody<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.replaces(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut this.stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.write_rejection(context))?;
        ready!(Pin::new(&mut this.stream).poll_flush(context))?;
        if let Some(settled) = this.requests.settled() {
            this.flushed = settled;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            ready!(this.write_rejection(context))?;
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            if this.rejection.is_none() && !this.requests.has_unread_body() {
                return Poll::Ready(Ok(()));
            }
        }
        let linger = this.linger.get_or_insert_with(Linger::begin);
        linger.poll_discard(&mut this.stream, context).map(Ok)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // Hyper writes the head in one slice.
        if this.replaces(slices.first().map_or(&[], |slice| slice)) {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        Pin::new(&mut this.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Reads and discards the rest of a request: closing a socket with unread bytes resets the connection, and the peer would lose
/// the response.
struct Linger {
    /// When the next part is due.
    due: Pin<Box<Sleep>>,
    end: Instant,
    /// Bytes that may still be read.
    left: usize,
}

impl Linger {
    fn begin() -> Self {
        let now = Instant::now();
        Self { due: Box::pin(tokio::time::sleep(LINGER_PAUSE)), end: now + LINGER_TIME, left: LINGER_BYTES }
    }

    /// Completes at the end of what the peer sends, or at a limit.
    fn poll_discard(&mut self, stream: &mut (impl AsyncRead + Unpin), context: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [0; 8192];
        while self.left > 0 && self.due.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {
                    self.left = self.left.saturating_sub(buffer.filled().len());
                    self.due.as_mut().reset(self.end.min(Instant::now() + LINGER_PAUSE));
                }
                // The peer closed its side.
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const LIMITS: HeadLimits = HeadLimits { bytes: 100, headers: 5 };
    const BARE: &[u8] =
        b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

    /// The bytes that the peer receives.
    async fn sent(write: impl AsyncFnOnce(&mut RejectionBody<tokio::io::DuplexStream>, &RequestCounts)) -> String {
        // A small buffer, so that writes are split.
        let (ours, mut theirs) = tokio::io::duplex(16);
        let requests = RequestCounts::default();
        let mut stream = RejectionBody::new(ours, requests.clone(), LIMITS);
        let mut sent = String::new();
        let write = async {
            write(&mut stream, &requests).await;
            stream.flush().await.unwrap();
            drop(stream);
        };
        let (read, ()) = tokio::join!(theirs.read_to_string(&mut sent), write);
        read.unwrap();
        sent
    }

    #[tokio::test]
    async fn a_bare_status_gets_a_body_that_matches_its_content_length() {
        let response = sent(async |stream, _| stream.write_all(BARE).await.unwrap()).await;
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        assert_eq!(
            body,
            "{\"code\":\"Request Header Fields Too Large\",\"message\":\"the URL and headers exceed 100 bytes, \
             or there are more than 5 header fields\"}"
        );
    }

    #[tokio::test]
    async fn a_response_of_the_service_that_looks_like_a_rejection_is_not_replaced() {
        let response = sent(async |stream, requests| {
            drop(requests.guard(false));
            stream.write_all(BARE).await.unwrap();
        });
        assert_eq!(response.await.as_bytes(), BARE);
    }

    #[tokio::test]
    async fn a_rejection_after_an_unflushed_response_is_not_replaced() {
        let response = sent(async |stream, requests| {
            drop(requests.guard(false));
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            stream.write_all(BARE).await.unwrap();
        });
        assert!(response.await.as_bytes().ends_with(BARE));
    }

    #[tokio::test]
    async fn a_rejection_after_a_flushed_response_gets_a_body() {
        let response = sent(async |stream, requests| {
            drop(requests.guard(false));
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            stream.flush().await.unwrap();
            stream.write_all(BARE).await.unwrap();
        });
        assert!(response.await.ends_with("more than 5 header fields\"}"));
    }

    /// Closes the stream after a request with a body, to a peer that sends `piece` every `pause`; returns how many it sent.
    async fn discarded(piece: usize, pause: Duration) -> usize {
        let (ours, mut theirs) = tokio::io::duplex(piece);
        let requests = RequestCounts::default();
        drop(requests.guard(true));
        let mut stream = RejectionBody::new(ours, requests, LIMITS);
        let close = async {
            stream.shutdown().await.unwrap();
            drop(stream);
        };
        let send = async {
            let mut sent = 0;
            while sent < 2 * LINGER_BYTES && theirs.write_all(&vec![b'x'; piece]).await.is_ok() {
                sent += piece;
                tokio::time::sleep(pause).await;
            }
            sent
        };
        tokio::join!(close, send).1
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_discarded_is_limited_in_bytes_and_time() {
        const MEBIBYTE: usize = 1 << 20;
        let fast = discarded(MEBIBYTE, Duration::ZERO).await;
        assert!((LINGER_BYTES..=LINGER_BYTES + 2 * MEBIBYTE).contains(&fast), "{fast}");
        let steady = discarded(1, LINGER_PAUSE / 2).await;
        assert!((18..=22).contains(&steady), "{steady}");
        let paused = discarded(1, 2 * LINGER_PAUSE).await;
        assert!(paused <= 2, "{paused}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_waited_for_after_a_request_that_was_read_to_its_end() {
        let (ours, theirs) = tokio::io::duplex(16);
        let requests = RequestCounts::default();
        drop(requests.guard(true));
        requests.body_was_read();
        let begun = Instant::now();
        RejectionBody::new(ours, requests, LIMITS).shutdown().await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
        drop(theirs);
    }

    #[tokio::test]
    async fn other_bytes_are_not_replaced() {
        for bytes in [&b"HTTP/1.1 100 Continue\r\n\r\n"[..], b"HTTP/1.1 4", b"HTTP/2 431 x", b"x", b""] {
            assert_eq!(sent(async |stream, _| stream.write_all(bytes).await.unwrap()).await.as_bytes(), bytes);
        }
    }
}
