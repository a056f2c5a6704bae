//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::Options;
use super::guarded::Guarded;
use super::refusal::{HeadLimits, WordedRefusals};
use super::requests::{Requests, UntilAnswered};
use super::target::EscapedTarget;
use crate::error;
use crate::request::Stopping;

/// What an HTTP/2 client that knows we speak it sends first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Requests of one HTTP/2 connection in flight at once.
const MAX_STREAMS: u32 = 128;

pub(super) struct Connection {
    pub(super) router: Router,
    pub(super) options: Arc<Options>,
    pub(super) stopping: watch::Receiver<bool>,
    pub(super) peer: SocketAddr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

impl Connection {
    /// Serves a plain connection, whose protocol shows in its first bytes.
    pub(super) async fn run_plain(mut self, mut stream: TcpStream) {
        let first = tokio::select! {
            first = tokio::time::timeout(self.options.header_timeout, first_bytes(&mut stream)) => first,
            // Nothing was asked yet, so nothing is lost.
            () = stopped(&mut self.stopping) => return,
        };
        if let Ok(Some((protocol, already_read))) = first {
            self.serve(stream, already_read, protocol).await;
        }
    }

    /// Serves an encrypted connection, whose protocol is agreed on in the handshake.
    pub(super) async fn run_tls(mut self, stream: TcpStream, tls: Arc<ServerConfig>) {
        let handshake = TlsAcceptor::from(tls).accept(stream);
        let shaken = tokio::select! {
            shaken = tokio::time::timeout(self.options.header_timeout, handshake) => shaken,
            () = stopped(&mut self.stopping) => return,
        };
        match shaken {
            Ok(Ok(stream)) => {
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let protocol = if is_http2 { Protocol::Http2 } else { Protocol::Http1 };
                self.serve(stream, Bytes::new(), protocol).await;
            }
            Ok(Err(error)) => tracing::debug!(peer = %self.peer, %error, "TLS handshake failed"),
            Err(_) => tracing::debug!(peer = %self.peer, "TLS handshake took too long"),
        }
    }

    /// Serves requests until the peer goes, breaks a limit, or the process stops.
    async fn serve<S>(self, stream: S, already_read: Bytes, protocol: Protocol)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { router, options, stopping, peer } = self;
        let stream = Guarded::new(stream, already_read, options.write_timeout);
        let requests = Requests::default();
        let counted = requests.clone();
        let told = Stopping::new(stopping.clone());
        let service = service_fn(move |request: http::Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(told.clone());
            let guard = counted.guard(!request.body().is_end_stream());
            until_answered(router.clone().oneshot(request), guard)
        });
        match protocol {
            Protocol::Http1 => {
                let limits = HeadLimits { bytes: options.max_header_bytes, headers: options.max_headers };
                let stream = WordedRefusals::new(stream, requests.clone(), limits);
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(options.header_timeout)
                    .max_headers(options.max_headers)
                    .max_buf_size(options.max_header_bytes)
                    .serve_connection(TokioIo::new(EscapedTarget::new(stream, requests)), service);
                drive(connection, stopping).await;
            }
            Protocol::Http2 => {
                let header_bytes = u32::try_from(options.max_header_bytes).unwrap_or(u32::MAX);
                let connection = http2::Builder::new(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .max_header_list_size(header_bytes)
                    .max_concurrent_streams(MAX_STREAMS)
                    .keep_alive_interval(options.header_timeout)
                    .keep_alive_timeout(options.write_timeout)
                    .serve_connection(TokioIo::new(stream), service);
                drive(connection, stopping).await;
            }
        }
    }
}

/// Keeps the guard until the last byte of the answer has been taken: the body carries it.
async fn until_answered(
    answer: impl Future<Output = Result<Response, Infallible>>,
    guard: UntilAnswered,
) -> Result<Response, Infallible> {
    let response = answer.await?;
    Ok(response.map(|body| {
        Body::new(body.map_err(move |error| {
            let _carried = &guard;
            error
        }))
    }))
}

async fn drive<C>(connection: C, mut stopping: watch::Receiver<bool>)
where
    C: GracefulConnection<Error = hyper::Error>,
{
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Peers come and go as they like; this is not worth anybody's attention.
        tracing::debug!(%error, "connection ended");
    }
}

/// Returns when the process stops. A function of its own so that the lock inside the value is gone before anything waits.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
}

/// Reads until the protocol is certain; none when the peer leaves before. Hyper can tell the two apart by itself, but
/// then waits for the first bytes without a time limit.
async fn first_bytes(stream: &mut (impl AsyncRead + Unpin)) -> Option<(Protocol, Bytes)> {
    let mut buffer = [0; PREFACE.len()];
    let mut length = 0;
    loop {
        let read = stream.read(&mut buffer[length..]).await.ok().filter(|read| *read > 0)?;
        length += read;
        let already_read = &buffer[..length];
        let protocol = if already_read == PREFACE {
            Protocol::Http2
        } else if PREFACE.starts_with(already_read) {
            continue;
        } else {
            Protocol::Http1
        };
        return Some((protocol, Bytes::copy_from_slice(already_read)));
    }
}

/// Tells a peer to come back later without reading what it wants.
pub(super) async fn shed(mut stream: TcpStream) {
    let body = error::body("Service Unavailable", "too many connections: try again shortly");
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json; charset=UTF-8\r\n\
         content-length: {}\r\nretry-after: 5\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let goodbye = async {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&body).await?;
        stream.shutdown().await?;
        // Closing with unread bytes resets the connection, and the answer would be lost.
        let mut rest = [0; 4096];
        while stream.read(&mut rest).await? > 0 {}
        std::io::Result::Ok(())
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), goodbye).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_protocol_shows_in_the_first_bytes() {
        let cases: [(&[u8], Option<Protocol>); 5] = [
            (b"GET / HTTP/1.1\r\n", Some(Protocol::Http1)),
            (b"PATCH / HTTP/1.1\r\n", Some(Protocol::Http1)),
            (PREFACE, Some(Protocol::Http2)),
            (b"PRI * HT", None),
            (b"", None),
        ];
        for (mut bytes, expected) in cases {
            let protocol = first_bytes(&mut bytes).await.map(|(protocol, _)| protocol);
            assert_eq!(protocol, expected);
        }
    }
}
