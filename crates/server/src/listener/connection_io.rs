//! The byte stream of a connection: replays the bytes read by protocol detection, and limits stalled writes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Without the stalled-write timeout, a peer that never reads would hold its connection and its response forever: hyper
/// limits the time to receive the head of a request only.
pub(super) struct ConnectionIo<S> {
    stream: S,
    already_read: Bytes,
    write_timeout: Duration,
    /// Set from a write that is pending until [`LEAST_READ`] bytes are written, or all.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Bytes written since the deadline was set.
    written: usize,
}

/// What a peer has to read of a response within the stalled-write timeout.
const LEAST_READ: usize = 16 * 1024;

impl<S> ConnectionIo<S> {
    pub(super) fn new(stream: S, already_read: Bytes, write_timeout: Duration) -> Self {
        Self { stream, already_read, write_timeout, deadline: None, written: 0 }
    }

    /// Watches a write of a part of the response. A peer that reads a byte now and then does not keep its connection.
    fn watch_write(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let (Some(_), Poll::Ready(Ok(length))) = (&self.deadline, &written) {
            self.written = self.written.saturating_add(*length);
            if self.written < LEAST_READ {
                return written;
            }
        }
        self.watch(context, written)
    }

    /// Watches a write, or a flush of everything.
    fn watch<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.deadline = None;
            return written;
        }
        if self.deadline.is_none() {
            self.written = 0;
        }
        let deadline = Instant::now() + self.write_timeout;
        let sleep = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        ready!(sleep.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer does not read its response")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ConnectionIo<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.already_read.is_empty() {
            return Pin::new(&mut this.stream).poll_read(context, buffer);
        }
        let length = this.already_read.len().min(buffer.remaining());
        buffer.put_slice(&this.already_read[..length]);
        this.already_read.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ConnectionIo<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.watch_write(context, written)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(context);
        this.watch(context, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut = Pin::new(&mut this.stream).poll_shutdown(context);
        this.watch(context, shut)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.watch_write(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
