//! Percent-encodes `"`, `<` and `>` in the request target before hyper parses it.
//!
//! The Kubeflow Model Registry accepts these characters unescaped in a query string, as in `filterQuery=name="x"`, and
//! scripts send them (parity). Hyper answers 400 before the service sees the request. So the stream escapes them in the
//! request line, and in nothing else.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::request_counts::RequestCounts;

/// Longest method; after a longer word the bytes are not a request line.
const LONGEST_METHOD: usize = 16;

/// The position of the next byte in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Method {
        read: usize,
    },
    /// The first byte of the target.
    Start,
    Target,
    /// Headers and body, which pass unchanged.
    Rest,
}

/// The stream of one HTTP/1 connection.
pub(super) struct EscapedTarget<S> {
    stream: S,
    requests: RequestCounts,
    /// The number of responses at the start of the last request.
    known: u64,
    state: State,
    /// Escaped bytes that did not fit into the reader's buffer.
    pending: BytesMut,
}

impl<S> EscapedTarget<S> {
    pub(super) fn new(stream: S, requests: RequestCounts) -> Self {
        Self { stream, requests, known: 0, state: State::Method { read: 0 }, pending: BytesMut::new() }
    }

    /// Escapes a chunk into `pending`; false if nothing had to be escaped.
    fn escape(&mut self, chunk: &[u8]) -> bool {
        let mut from = 0;
        for (at, byte) in chunk.iter().enumerate() {
            self.state = match (self.state, byte) {
                (State::Rest, _) => break,
                (State::Method { read }, b'A'..=b'Z') if read < LONGEST_METHOD => State::Method { read: read + 1 },
                (State::Method { read: 1.. }, b' ') => State::Start,
                (State::Start, b'/') => State::Target,
                (State::Method { .. } | State::Start, _) | (State::Target, b' ' | b'\r' | b'\n') => State::Rest,
                (State::Target, b'"' | b'<' | b'>') => {
                    let escaped: &[u8] = match byte {
                        b'"' => b"%22",
                        b'<' => b"%3C",
                        _ => b"%3E",
                    };
                    self.pending.extend_from_slice(&chunk[from..at]);
                    self.pending.extend_from_slice(escaped);
                    from = at + 1;
                    State::Target
                }
                (State::Target, _) => State::Target,
            };
        }
        if from > 0 {
            self.pending.extend_from_slice(&chunk[from..]);
        }
        from > 0
    }

    fn read_pending(&mut self, buffer: &mut ReadBuf<'_>) {
        let length = self.pending.len().min(buffer.remaining());
        buffer.put_slice(&self.pending[..length]);
        self.pending.advance(length);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for EscapedTarget<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.pending.is_empty() {
            this.read_pending(buffer);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        if this.requests.next_begins(this.known) {
            this.known = this.requests.responded();
            this.state = State::Method { read: 0 };
        }
        if this.state != State::Rest {
            let chunk = buffer.filled()[before..].to_vec();
            if this.escape(&chunk) {
                buffer.set_filled(before);
                this.read_pending(buffer);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for EscapedTarget<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    /// Reads everything in pieces of `size` bytes; a response is sent after `responded_after` bytes.
    async fn read(chunks: &[&[u8]], size: usize, responded_after: Option<usize>) -> String {
        let mut inner = std::io::Cursor::new(chunks.concat());
        let requests = RequestCounts::default();
        let mut read = String::new();
        let mut buffer = vec![0; size];
        let mut stream = EscapedTarget::new(&mut inner, requests.clone());
        let mut total = 0;
        loop {
            if responded_after.is_some_and(|after| total >= after && requests.responded() == 0) {
                drop(requests.guard(false));
            }
            let length = stream.read(&mut buffer).await.unwrap();
            if length == 0 {
                return read;
            }
            total += length;
            read.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
        }
    }

    #[tokio::test]
    async fn quotes_and_angle_brackets_in_the_target_are_escaped() {
        let request = b"GET /models?filterQuery=a=\"x\"&b<1>0 HTTP/1.1\r\nX-Quoted: \"as <is>\"\r\n\r\n{\"a\":\"<b>\"}";
        for size in [1, 3, 7, 64, 4096] {
            assert_eq!(
                read(&[request], size, None).await,
                "GET /models?filterQuery=a=%22x%22&b%3C1%3E0 HTTP/1.1\r\nX-Quoted: \"as <is>\"\r\n\r\n{\"a\":\"<b>\"}",
                "chunks of {size}"
            );
        }
    }

    #[tokio::test]
    async fn bytes_that_are_not_a_request_line_pass_unchanged() {
        for text in ["{\"name\":\"<x>\"}", "get /\"x\"", "GET \"x\"", "AAAAAAAAAAAAAAAAAAAAAAA /\"", " /\""] {
            assert_eq!(read(&[text.as_bytes()], 4096, None).await, text);
        }
    }

    #[tokio::test]
    async fn the_request_after_a_response_is_escaped_and_a_body_is_not() {
        let first: &[u8] = b"POST /a HTTP/1.1\r\n\r\n";
        let body: &[u8] = b"GET /\"body\"      ";
        let second: &[u8] = b"GET /\"x\" HTTP/1.1\r\n";
        let through = read(&[first, body, second], 1, Some(first.len() + body.len())).await;
        assert_eq!(through, "POST /a HTTP/1.1\r\n\r\nGET /\"body\"      GET /%22x%22 HTTP/1.1\r\n");
    }
}
