//! The listening socket and its orderly end.
//!
//! Everything a peer can hold on to is limited here: connections, the time and size of a request's head, the time an
//! answer may wait to be taken. Bodies and handlers are limited in `layers.rs`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

mod connection;
mod guarded;
mod refusal;
mod requests;
mod target;

/// How many connections a full process tells at once to come back; those beyond are simply closed.
const SHED_AT_ONCE: usize = 256;
const LOAD_WARNING_INTERVAL: Duration = Duration::from_secs(10);

/// What can be chosen about connections.
#[derive(Clone, Debug)]
pub struct Options {
    /// The time a peer has to send the head of a request; an idle connection is closed after it as well.
    pub header_timeout: Duration,
    /// The time a peer may leave an answer lying without taking any of it.
    pub write_timeout: Duration,
    /// How many header fields a request may have.
    pub max_headers: usize,
    /// How large the head of a request may be, in bytes.
    pub max_header_bytes: usize,
    /// How many connections are served at once; one more is told 503.
    pub max_connections: usize,
    /// How long requests in flight may take to end once the process is asked to stop.
    pub drain: Duration,
    /// Certificates, when connections are to be encrypted: see [`crate::tls`].
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

/// Why a server could not listen.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another process has the port.
    #[error("cannot listen on {address}: the port is in use; stop the process that has it or choose another port")]
    AddressInUse {
        /// The address asked for.
        address: String,
    },
    /// The port is reserved for the administrator.
    #[error("cannot listen on {address}: permission denied; choose a port above 1023")]
    PermissionDenied {
        /// The address asked for.
        address: String,
    },
    /// The host does not resolve or is not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Opens the socket. A name may have several addresses; the first that can be bound is taken, IPv4 before IPv6.
pub async fn bind(host: &str, port: u16) -> Result<TcpListener, ServeError> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    match bind_first(host, port).await {
        Ok(listener) => Ok(listener),
        Err(source) => Err(match source.kind() {
            io::ErrorKind::AddrInUse => ServeError::AddressInUse { address },
            io::ErrorKind::PermissionDenied => ServeError::PermissionDenied { address },
            _ => ServeError::Listen { address, source },
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
    Err(first_error.unwrap_or_else(|| io::Error::other("the name has no address")))
}

/// Serves until `stop` is ready, then stops accepting and lets requests in flight end, for at most `options.drain`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: Options,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let address = listener.local_addr().map_or_else(|_| String::from("unknown"), |address| address.to_string());
    tracing::info!(address, tls = options.tls.is_some(), "listening");
    let (stopping, stopping_receiver) = watch::channel(false);
    let mut server = Server {
        router,
        slots: Arc::new(Semaphore::new(options.max_connections.min(Semaphore::MAX_PERMITS))),
        shedding: Arc::new(Semaphore::new(SHED_AT_ONCE)),
        options: Arc::new(options),
        stopping: stopping_receiver,
        tasks: JoinSet::new(),
        last_warning: None,
    };
    server.accept_until(&listener, stop).await;
    drop(listener);
    stopping.send_replace(true);
    server.drain().await;
    Ok(())
}

struct Server {
    router: Router,
    options: Arc<Options>,
    slots: Arc<Semaphore>,
    shedding: Arc<Semaphore>,
    stopping: watch::Receiver<bool>,
    tasks: JoinSet<()>,
    last_warning: Option<Instant>,
}

impl Server {
    async fn accept_until(&mut self, listener: &TcpListener, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => return,
                // Before accepting: under a flood of connections the ended ones would pile up.
                Some(_) = self.tasks.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.accepted(stream, peer),
                    Err(error) => back_off(&error).await,
                },
            }
        }
    }

    fn accepted(&mut self, stream: TcpStream, peer: SocketAddr) {
        // Without this a small answer can wait for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            let connection = connection::Connection {
                router: self.router.clone(),
                options: Arc::clone(&self.options),
                stopping: self.stopping.clone(),
                peer,
            };
            let tls = self.options.tls.clone();
            self.tasks.spawn(async move {
                match tls {
                    Some(tls) => connection.run_tls(stream, tls).await,
                    None => connection.run_plain(stream).await,
                }
                drop(slot);
            });
            return;
        }
        self.warn_of_load();
        // Saying no politely over TLS would take a handshake.
        if self.options.tls.is_none()
            && let Ok(slot) = Arc::clone(&self.shedding).try_acquire_owned()
        {
            self.tasks.spawn(async move {
                connection::shed(stream).await;
                drop(slot);
            });
        }
    }

    /// Says so, but not for each of thousands.
    fn warn_of_load(&mut self) {
        if self.last_warning.is_none_or(|time| time.elapsed() > LOAD_WARNING_INTERVAL) {
            tracing::warn!(max_connections = self.options.max_connections, "too many connections: refusing new ones");
            self.last_warning = Some(Instant::now());
        }
    }

    async fn drain(mut self) {
        if self.tasks.is_empty() {
            return;
        }
        tracing::info!(connections = self.tasks.len(), "draining");
        let drain = self.options.drain;
        let all_ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(drain, all_ended).await.is_err() {
            tracing::warn!(connections = self.tasks.len(), "requests cut off: not done within {} s", drain.as_secs());
            self.tasks.shutdown().await;
        }
    }
}

/// A connection that failed on the way concerns nobody; running out of file descriptors needs a pause.
async fn back_off(error: &io::Error) {
    let is_of_the_peer = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    );
    if !is_of_the_peer {
        tracing::error!(%error, "cannot accept connections");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Ends when the process is asked to stop: SIGTERM, or Ctrl-C. From the call on, not from the first poll, neither ends the
/// process by itself.
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
            () = interrupt => tracing::info!("stopping: interrupted"),
            () = terminate => tracing::info!("stopping: asked to terminate"),
        }
    }
}

#[cfg(test)]
mod tests;
