//! Serves one connection: protocol detection, TLS handshake, requests, shutdown.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::Options;
use super::connection_io::ConnectionIo;
use super::http2_streams::{ChunkedBody, Streams};
use super::rejection_body::{HeadLimits, RejectionBody};
use super::request_counts::{RequestCounts, ResponseGuard};
use super::request_target::EscapedTarget;
use super::watched_body::WatchedBody;
use crate::health::Probe;
use crate::request::Shutdown;
use crate::{ApiError, error};

/// The connection preface of HTTP/2 with prior knowledge (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Maximum number of concurrent requests of an HTTP/2 connection: the least that RFC 9113 recommends.
const MAX_STREAMS: u32 = 100;
/// Bytes that an HTTP/2 peer may send before its requests are read: of a stream, and of a connection.
const RECEIVE_WINDOW: u32 = 256 * 1024;
/// Bytes of a response that are buffered for an HTTP/2 stream, in addition to one chunk.
const SEND_BUFFER: usize = 64 * 1024;
/// How long a connection without a place is served.
const SHED_TIME: Duration = Duration::from_secs(2);

pub(super) struct Connection {
    pub(super) router: Router,
    pub(super) options: Arc<Options>,
    pub(super) stopping: watch::Receiver<bool>,
    pub(super) peer: SocketAddr,
    pub(super) requests: RequestCounts,
    /// Whether it has no place: requests other than health probes get 503.
    pub(super) probes_only: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

impl Connection {
    /// Serves the connection until it ends.
    pub(super) async fn run(self, stream: TcpStream) {
        match self.options.tls.clone() {
            Some(tls) => self.run_tls(stream, tls).await,
            None => self.run_plain(stream).await,
        }
    }

    /// Load shedding: serves health probes for a moment; other requests get 503.
    pub(super) async fn shed(self, stream: TcpStream) {
        let _ = tokio::time::timeout(SHED_TIME, Self { probes_only: true, ..self }.run(stream)).await;
    }

    /// Serves a connection without TLS, whose first bytes distinguish HTTP/1 and HTTP/2.
    async fn run_plain(mut self, mut stream: TcpStream) {
        let first = tokio::select! {
            first = tokio::time::timeout(self.options.header_timeout, first_bytes(&mut stream)) => first,
            // No request has been received yet.
            () = stopped(&mut self.stopping) => return,
        };
        if let Ok(Some((protocol, already_read))) = first {
            self.serve(stream, already_read, protocol).await;
        }
    }

    /// Serves a TLS connection, whose protocol is negotiated by ALPN.
    async fn run_tls(mut self, stream: TcpStream, tls: Arc<ServerConfig>) {
        let handshake = async {
            if !begins_handshake(&stream).await? {
                return Ok(Err(stream));
            }
            TlsAcceptor::from(tls).accept(stream).await.map(Ok)
        };
        let result = tokio::select! {
            result = tokio::time::timeout(self.options.header_timeout, handshake) => result,
            () = stopped(&mut self.stopping) => return,
        };
        match result {
            Ok(Ok(Err(stream))) => {
                tracing::debug!(peer = %self.peer, "HTTP without TLS on a port with TLS");
                explain_tls(stream).await;
            }
            Ok(Ok(Ok(stream))) => {
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let protocol = if is_http2 { Protocol::Http2 } else { Protocol::Http1 };
                self.serve(stream, Bytes::new(), protocol).await;
            }
            Ok(Err(error)) => tracing::debug!(peer = %self.peer, %error, "TLS handshake failed"),
            Err(_) => tracing::debug!(peer = %self.peer, "TLS handshake timed out"),
        }
    }

    /// Serves requests until the peer closes the connection, exceeds a limit, or the process stops.
    async fn serve<S>(self, stream: S, already_read: Bytes, protocol: Protocol)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { router, options, stopping, peer, requests, probes_only } = self;
        let stream = ConnectionIo::new(stream, already_read, options.write_timeout);
        let shutdown = Shutdown::new(stopping.clone());
        let counted = requests.clone();
        let respond = move |request: http::Request<Incoming>| {
            let guard = counted.guard(!request.body().is_end_stream());
            let response = if probes_only && Probe::of(request.uri().path()).is_none() {
                Err(without_place(request.version()))
            } else {
                let mut request = request.map(|body| Body::new(WatchedBody::new(body, counted.clone())));
                request.extensions_mut().insert(ConnectInfo(peer));
                request.extensions_mut().insert(shutdown.clone());
                Ok(router.clone().oneshot(request))
            };
            async move {
                let response = match response {
                    Ok(response) => response.await?,
                    Err(response) => response,
                };
                Ok::<_, Infallible>(hold_until_sent(response, guard))
            }
        };
        match protocol {
            Protocol::Http1 => {
                let limits = HeadLimits { bytes: options.max_header_bytes, headers: options.max_headers };
                let stream = RejectionBody::new(stream, requests.clone(), limits);
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(options.header_timeout)
                    .max_headers(options.max_headers)
                    .max_buf_size(options.max_header_bytes)
                    .serve_connection(TokioIo::new(EscapedTarget::new(stream, requests)), service_fn(respond));
                // Hyper itself closes idle connections of HTTP/1.
                drive(connection, stopping, pending(), None).await;
            }
            Protocol::Http2 => {
                let header_bytes = u32::try_from(options.max_header_bytes).unwrap_or(u32::MAX);
                let streams = Streams::new(options.write_timeout);
                let service = {
                    let streams = streams.clone();
                    service_fn(move |request| {
                        let stream = streams.begin();
                        let response = respond(request);
                        async {
                            Ok::<_, Infallible>(response.await?.map(|body| Body::new(ChunkedBody::new(body, stream))))
                        }
                    })
                };
                let connection = http2::Builder::new(streams.clone())
                    .timer(TokioTimer::new())
                    .max_header_list_size(header_bytes)
                    .max_concurrent_streams(MAX_STREAMS)
                    .initial_stream_window_size(RECEIVE_WINDOW)
                    .initial_connection_window_size(RECEIVE_WINDOW)
                    .max_send_buf_size(SEND_BUFFER)
                    .keep_alive_interval(options.header_timeout)
                    .keep_alive_timeout(options.write_timeout)
                    .serve_connection(TokioIo::new(stream), service);
                let idle = IdleLimit { requests, limit: options.header_timeout, grace: options.write_timeout };
                drive(connection, stopping, streams.closed(), Some(&idle)).await;
            }
        }
    }
}

/// When a connection without requests is closed.
struct IdleLimit {
    requests: RequestCounts,
    limit: Duration,
    /// Time for the peer to confirm that it sends no more requests.
    grace: Duration,
}

impl IdleLimit {
    /// Completes when the connection has been idle for the limit, and longer by a time; never without a limit.
    async fn exceeded(idle: Option<&Self>, longer: impl Fn(&Self) -> Duration) {
        match idle {
            Some(idle) => idle.requests.idle(idle.limit + longer(idle)).await,
            None => pending().await,
        }
    }
}

/// Drives a connection until it ends, until `closed` completes, or until it is idle for too long.
async fn drive<C>(
    connection: C,
    mut stopping: watch::Receiver<bool>,
    closed: impl Future<Output = ()>,
    idle: Option<&IdleLimit>,
) where
    C: GracefulConnection<Error = hyper::Error>,
{
    let (mut connection, mut closed) = (std::pin::pin!(connection), std::pin::pin!(closed));
    let last_requests = async {
        tokio::select! {
            () = stopped(&mut stopping) => {}
            () = IdleLimit::exceeded(idle, |_| Duration::ZERO) => {}
        }
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = last_requests => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = closed => Ok(()),
                () = IdleLimit::exceeded(idle, |idle| idle.grace) => Ok(()),
            }
        }
        () = closed.as_mut() => {
            tracing::debug!("connection closed: the peer does not read its responses");
            Ok(())
        }
    };
    if let Err(error) = ended {
        // Peers may disconnect at any time, so this is not an error of the server.
        tracing::debug!(%error, "connection ended");
    }
}

/// Completes when the process stops. A separate function, so that the read lock inside the watched value is released
/// before the caller awaits anything else.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
}

/// Reads until the protocol is certain; `None` if the peer closes the connection before. The detection of hyper-util
/// has no timeout for the first bytes.
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

/// Whether the first byte is that of a TLS handshake rather than of a method of HTTP. It is not consumed.
async fn begins_handshake(stream: &TcpStream) -> std::io::Result<bool> {
    let mut first = [0];
    let read = stream.peek(&mut first).await?;
    Ok(read == 0 || !first[0].is_ascii_uppercase())
}

/// Responds to HTTP without TLS on a port with TLS, which would otherwise look like a broken server.
async fn explain_tls(mut stream: TcpStream) {
    let message = "The plain HTTP request was sent to an HTTPS port: use https:// instead of http://";
    let body = error::body("Bad Request", message);
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json; charset=UTF-8\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let respond = async {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&body).await?;
        stream.shutdown().await?;
        // Closing a socket with unread bytes resets the connection, and the peer would lose the response.
        let mut rest = [0; 4096];
        while stream.read(&mut rest).await? > 0 {}
        std::io::Result::Ok(())
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), respond).await;
}

/// The response to a request on a connection without a place.
fn without_place(version: http::Version) -> Response {
    let mut response = ApiError::Unavailable("too many connections: try again shortly".to_owned()).into_response();
    if version < http::Version::HTTP_2 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Keeps the guard until the last byte of the response is sent, by moving it into the body.
fn hold_until_sent(response: Response, guard: ResponseGuard) -> Response {
    response.map(|body| {
        Body::new(body.map_err(move |error| {
            let _held = &guard;
            error
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_protocol_is_detected_from_the_first_bytes() {
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
