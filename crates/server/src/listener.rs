//! The listening socket: accept loop, connection limits, graceful shutdown.
//!
//! It limits what a peer can hold on to: the number of connections, the size of a request's head and the time to
//! receive it, and stalled writes of a response. `layers.rs` limits bodies and handlers.
//!
//! When all places for connections are taken, the connection that has been idle for the longest makes room. If none is idle,
//! a few further connections are served for health probes only: other requests on them get 503. Of these, the oldest without a
//! request makes room for the next one. Some file descriptors are kept for them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use futures::FutureExt;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use connection::Connection;
use file_limit::{Division, SpareFiles};
use open_connections::OpenConnections;
use request_counts::RequestCounts;

mod connection;
mod connection_io;
mod file_limit;
mod http2_streams;
mod open_connections;
mod rejection_body;
mod request_counts;
mod request_target;
mod watched_body;

/// Load shedding: concurrent connections beyond the limit, which are served for probes and get 503 otherwise; the others are
/// closed.
const SHED_AT_ONCE: usize = 64;
/// File descriptors that are kept for probes. The connections that use them end within seconds.
const SPARE_FILES: usize = 8;
/// Idle connections that are closed when no file descriptor is free.
const CLOSED_AT_ONCE: usize = 16;
/// Minimum time between two warnings about shed connections.
const LOAD_WARNING_INTERVAL: Duration = Duration::from_secs(10);

/// Limits and TLS of connections.
#[derive(Clone, Debug)]
pub struct Options {
    /// Timeout for receiving the head of a request; it also closes idle connections.
    pub header_timeout: Duration,
    /// Stalled-write timeout: how long a peer may take to read a small part of a response.
    pub write_timeout: Duration,
    /// Maximum number of header fields of a request.
    pub max_headers: usize,
    /// Maximum size of the head of a request, in bytes.
    pub max_header_bytes: usize,
    /// Maximum number of concurrent connections; more get 503. Fewer if the process may open too few files.
    pub max_connections: usize,
    /// How long a graceful shutdown waits for requests in flight.
    pub drain: Duration,
    /// TLS of the connections: see [`crate::tls`].
    pub tls: Option<Arc<ServerConfig>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            max_headers: 100,
            max_header_bytes: 64 * 1024,
            max_connections: 8192,
            drain: Duration::from_secs(30),
            tls: None,
        }
    }
}

/// Why the socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another process uses the port.
    #[error("cannot listen on {address}: the port is in use; stop the process that uses it or choose another port")]
    AddressInUse {
        /// The requested address, `host:port`.
        address: String,
    },
    /// The port is privileged.
    #[error("cannot listen on {address}: permission denied; choose a port above 1023")]
    PermissionDenied {
        /// The requested address, `host:port`.
        address: String,
    },
    /// The host does not resolve, or is not an address of this machine.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The requested address, `host:port`.
        address: String,
        source: io::Error,
    },
}

/// Opens the socket. Of the addresses of a host name, the first that can be bound is used, IPv4 before IPv6.
pub async fn bind(host: &str, port: u16) -> Result<TcpListener, ListenError> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    match bind_first(host, port).await {
        Ok(listener) => Ok(listener),
        Err(source) => Err(match source.kind() {
            io::ErrorKind::AddrInUse => ListenError::AddressInUse { address },
            io::ErrorKind::PermissionDenied => ListenError::PermissionDenied { address },
            _ => ListenError::Listen { address, source },
        }),
    }
}

async fn bind_first(host: &str, port: u16) -> io::Result<TcpListener> {
    let mut addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    let mut first_error = None;
    for address in addresses {
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or_else(|| io::Error::other("the host name has no address")))
}

/// Serves until `stop` completes, then shuts down gracefully: stops accepting and waits up to `options.drain` for
/// requests in flight.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: Options,
    stop: impl Future<Output = ()>,
) -> Result<(), ListenError> {
    let address = listener.local_addr().map_or_else(|_| String::from("unknown"), |address| address.to_string());
    tracing::info!(address, tls = options.tls.is_some(), "listening");
    let (stopping, stopping_receiver) = watch::channel(false);
    let wanted = Division { connections: options.max_connections, probes: SHED_AT_ONCE, spare: SPARE_FILES };
    let Division { connections: max_connections, probes, spare } = file_limit::divide(wanted);
    if max_connections < options.max_connections {
        tracing::warn!(
            max_connections,
            configured = options.max_connections,
            "fewer connections than configured: the limit of open files is too low, raise it (ulimit -n)"
        );
    }
    let mut server = Server {
        router,
        open: OpenConnections::with_place(max_connections),
        shed: OpenConnections::for_probes(probes),
        spare_files: SpareFiles::new(spare),
        options: Arc::new(options),
        stopping: stopping_receiver,
        tasks: JoinSet::new(),
        last_warning: None,
    };
    server.accept_until(&listener, stop).await;
    // The spare descriptors are duplicates of the socket, and keep it open.
    server.spare_files = SpareFiles::new(0);
    drop(listener);
    stopping.send_replace(true);
    server.drain().await;
    Ok(())
}

struct Server {
    router: Router,
    options: Arc<Options>,
    open: OpenConnections,
    /// Connections without a place.
    shed: OpenConnections,
    spare_files: SpareFiles,
    stopping: watch::Receiver<bool>,
    tasks: JoinSet<()>,
    last_warning: Option<Instant>,
}

impl Server {
    async fn accept_until(&mut self, listener: &TcpListener, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        self.spare_files.refill(listener);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => return,
                // Before accepting, so that finished tasks do not accumulate under a flood of connections.
                Some(ended) = self.tasks.join_next_with_id() => {
                    let task = ended.map_or_else(|error| error.id(), |(id, ())| id);
                    self.open.remove(task);
                    self.shed.remove(task);
                    self.spare_files.refill(listener);
                }
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.accepted(stream, peer),
                    Err(error) => self.accept_failed(listener, &error).await,
                },
            }
        }
    }

    fn accepted(&mut self, stream: TcpStream, peer: SocketAddr) {
        if self.open.make_room(peer.ip()) {
            let connection = self.connection(&stream, peer);
            let requests = connection.requests.clone();
            let task = self.tasks.spawn(connection.run(stream));
            self.open.insert(peer.ip(), requests, task);
            return;
        }
        self.warn_of_load();
        self.shed(stream, peer);
    }

    /// Serves a connection without a place, if there is room for one.
    fn shed(&mut self, stream: TcpStream, peer: SocketAddr) {
        if self.shed.make_room(peer.ip()) {
            let connection = self.connection(&stream, peer);
            let requests = connection.requests.clone();
            let task = self.tasks.spawn(connection.shed(stream));
            self.shed.insert(peer.ip(), requests, task);
        }
    }

    fn connection(&self, stream: &TcpStream, peer: SocketAddr) -> Connection {
        // Otherwise Nagle's algorithm delays a small response until the previous one is acknowledged.
        let _ = stream.set_nodelay(true);
        Connection {
            router: self.router.clone(),
            options: Arc::clone(&self.options),
            stopping: self.stopping.clone(),
            peer,
            requests: RequestCounts::default(),
            probes_only: false,
        }
    }

    /// Pauses after a failed accept. Without free file descriptors, idle connections are closed first; if there are none, a
    /// spare descriptor is used. Errors of single connections are ignored.
    async fn accept_failed(&mut self, listener: &TcpListener, error: &io::Error) {
        let is_of_one_connection = matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
        );
        if is_of_one_connection {
            return;
        }
        let is_exhausted = file_limit::is_reached(error);
        let closed = if is_exhausted { self.open.close_longest_idle(CLOSED_AT_ONCE) } else { 0 };
        if self.may_warn() {
            tracing::error!(%error, idle_connections_closed = closed, "cannot accept connections");
        }
        let helped =
            closed > 0 || (is_exhausted && (self.accept_with_spare(listener) || self.shed.close_longest_idle(1) > 0));
        tokio::time::sleep(Duration::from_millis(if helped { 10 } else { 500 })).await;
    }

    /// Accepts a connection with a spare file descriptor, for probes; false if there is none.
    fn accept_with_spare(&mut self, listener: &TcpListener) -> bool {
        let is_released = self.spare_files.release();
        if is_released && let Some(Ok((stream, peer))) = listener.accept().now_or_never() {
            self.shed(stream, peer);
        }
        is_released
    }

    /// Logs that connections are shed, at most once per interval.
    fn warn_of_load(&mut self) {
        if self.may_warn() {
            tracing::warn!(
                max_connections = self.options.max_connections,
                "too many connections: new ones are rejected"
            );
        }
    }

    fn may_warn(&mut self) -> bool {
        let is_due = self.last_warning.is_none_or(|time| time.elapsed() > LOAD_WARNING_INTERVAL);
        if is_due {
            self.last_warning = Some(Instant::now());
        }
        is_due
    }

    async fn drain(mut self) {
        if self.tasks.is_empty() {
            return;
        }
        tracing::info!(connections = self.tasks.len(), "draining");
        let drain = self.options.drain;
        let all_ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(drain, all_ended).await.is_err() {
            tracing::warn!(
                connections = self.tasks.len(),
                "connections closed: their requests did not finish within {} s",
                drain.as_secs()
            );
            self.tasks.shutdown().await;
        }
    }
}

/// Completes on SIGTERM or Ctrl-C. The handlers are installed by the call, not by the first poll: from then on, neither
/// signal kills the process.
pub fn stop_signal() -> impl Future<Output = ()> + Send {
    #[cfg(unix)]
    let [interrupt, terminate] = {
        use tokio::signal::unix::{SignalKind, signal};
        [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| {
            let signal = signal(kind);
            async move {
                match signal {
                    Ok(mut signal) => drop(signal.recv().await),
                    Err(_) => std::future::pending().await,
                }
            }
        })
    };
    #[cfg(not(unix))]
    let (interrupt, terminate) = (
        async {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        },
        std::future::pending::<()>(),
    );
    async {
        tokio::select! {
            () = interrupt => tracing::info!("shutting down: interrupted"),
            () = terminate => tracing::info!("shutting down: SIGTERM"),
        }
    }
}

#[cfg(test)]
mod tests;
