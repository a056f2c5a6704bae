//! A stream that gives the refusals of hyper a body.
//!
//! A head that is too large or no HTTP is refused by hyper before anybody here sees a request, with a status and nothing
//! else. Clients read `{"code":…,"message":…}` of every error, so these get it too.
//!
//! Whose bytes are written is known without looking at them: where every request that began is answered, and every answer
//! was flushed, what comes next is hyper's own. Where that is not certain, because an answer is still on its way out, the
//! bytes pass as they are.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::requests::Requests;
use crate::error;

/// How long what the peer still sends is thrown away: closing with unread bytes resets the connection, and the refusal
/// would be lost.
const LINGER: Duration = Duration::from_secs(1);

/// How much of a request's head is taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadLimits {
    pub(super) bytes: usize,
    pub(super) headers: usize,
}

/// The stream of one HTTP/1 connection.
pub(super) struct WordedRefusals<S> {
    stream: S,
    requests: Requests,
    limits: HeadLimits,
    /// How many requests there had been when all of them were answered and everything was flushed.
    flushed: u64,
    /// What stands in for hyper's bytes, as far as it is not yet written.
    refusal: Option<Bytes>,
    linger: Option<Pin<Box<Sleep>>>,
}

impl<S> WordedRefusals<S> {
    pub(super) fn new(stream: S, requests: Requests, limits: HeadLimits) -> Self {
        Self { stream, requests, limits, flushed: 0, refusal: None, linger: None }
    }

    /// Whether these bytes are not sent, because a refusal with a body is.
    fn replaces(&mut self, bytes: &[u8]) -> bool {
        // A connection has one refusal, its last answer.
        if self.refusal.is_none() && self.requests.settled() == Some(self.flushed) {
            self.refusal = refusal(bytes, self.limits);
        }
        self.refusal.is_some()
    }
}

impl<S: AsyncWrite + Unpin> WordedRefusals<S> {
    fn write_refusal(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.refusal.as_mut().filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => rest.advance(written),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// The whole answer that says what hyper's bare status means; none for what is no refusal.
fn refusal(bare: &[u8], limits: HeadLimits) -> Option<Bytes> {
    let status = bare.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5))?;
    let status = StatusCode::from_bytes(status).ok()?;
    let HeadLimits { bytes, headers } = limits;
    let message = match status {
        StatusCode::BAD_REQUEST => String::from(
            "this is not an HTTP request: look for unescaped characters in the URL and for line breaks in headers",
        ),
        StatusCode::URI_TOO_LONG => String::from("the URL is too long"),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            format!("the URL and headers are larger than {bytes} bytes, or the headers are more than {headers}")
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

impl<S: AsyncRead + Unpin> AsyncRead for WordedRefusals<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WordedRefusals<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.replaces(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut this.stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.write_refusal(context))?;
        ready!(Pin::new(&mut this.stream).poll_flush(context))?;
        if let Some(settled) = this.requests.settled() {
            this.flushed = settled;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            ready!(this.write_refusal(context))?;
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            if this.refusal.is_none() {
                return Poll::Ready(Ok(()));
            }
        }
        let linger = this.linger.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        let mut scratch = [0; 4096];
        while linger.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                // The peer has read its answer, or is gone.
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // Hyper writes heads in one piece.
        if this.replaces(slices.first().map_or(&[], |slice| slice)) {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        Pin::new(&mut this.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const LIMITS: HeadLimits = HeadLimits { bytes: 100, headers: 5 };
    const BARE: &[u8] =
        b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

    /// What the peer gets of `write`.
    async fn sent(write: impl AsyncFnOnce(&mut WordedRefusals<tokio::io::DuplexStream>, &Requests)) -> String {
        // Small, so that writes are cut into pieces.
        let (ours, mut theirs) = tokio::io::duplex(16);
        let requests = Requests::default();
        let mut stream = WordedRefusals::new(ours, requests.clone(), LIMITS);
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
    async fn a_bare_status_gets_a_body_of_the_announced_length() {
        let answer = sent(async |stream, _| stream.write_all(BARE).await.unwrap()).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        assert_eq!(
            body,
            "{\"code\":\"Request Header Fields Too Large\",\"message\":\"the URL and headers are larger than 100 bytes, \
             or the headers are more than 5\"}"
        );
    }

    #[tokio::test]
    async fn an_answer_that_looks_like_a_refusal_passes() {
        let answer = sent(async |stream, requests| {
            drop(requests.guard(false));
            stream.write_all(BARE).await.unwrap();
        });
        assert_eq!(answer.await.as_bytes(), BARE);
    }

    #[tokio::test]
    async fn a_refusal_behind_an_answer_that_was_not_flushed_passes() {
        let answer = sent(async |stream, requests| {
            drop(requests.guard(false));
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            stream.write_all(BARE).await.unwrap();
        });
        assert!(answer.await.as_bytes().ends_with(BARE));
    }

    #[tokio::test]
    async fn a_refusal_behind_a_flushed_answer_gets_a_body() {
        let answer = sent(async |stream, requests| {
            drop(requests.guard(false));
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            stream.flush().await.unwrap();
            stream.write_all(BARE).await.unwrap();
        });
        assert!(answer.await.ends_with("more than 5\"}"));
    }

    #[tokio::test]
    async fn what_is_no_refusal_passes() {
        for bytes in [&b"HTTP/1.1 100 Continue\r\n\r\n"[..], b"HTTP/1.1 4", b"HTTP/2 431 x", b"x", b""] {
            assert_eq!(sent(async |stream, _| stream.write_all(bytes).await.unwrap()).await.as_bytes(), bytes);
        }
    }
}
