//! A TCP proxy in front of a server, which can swallow what it receives, close connections and lead to another server.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

use crate::error::{Error, Result};
use crate::server::free_port;

/// A TCP proxy; it ends with all its connections when dropped.
#[derive(Debug)]
pub struct TcpProxy {
    address: SocketAddr,
    control: watch::Sender<Control>,
    /// Ports of the clients that are connected.
    peers: Arc<Mutex<BTreeSet<u16>>>,
    accepting: tokio::task::JoinHandle<()>,
}

#[derive(Clone, Copy, Debug)]
struct Control {
    target: SocketAddr,
    /// The number of the next connection.
    next: u64,
    /// Connections below this number are not forwarded any more.
    swallowed_below: u64,
    /// Connections below this number are closed.
    closed_below: u64,
    /// Whether new connections are accepted but not forwarded.
    swallows_new: bool,
}

impl TcpProxy {
    /// Starts a proxy on a free port of 127.0.0.1 to a port of 127.0.0.1.
    pub async fn start(target_port: u16) -> Result<Self> {
        Self::start_on("127.0.0.1", target_port).await
    }

    /// Starts a proxy on a free port of an address of this machine.
    pub async fn start_on(host: &str, target_port: u16) -> Result<Self> {
        let listener = TcpListener::bind((host, free_port()?)).await?;
        let address = listener.local_addr()?;
        let target = SocketAddr::from(([127, 0, 0, 1], target_port));
        let (control, _) =
            watch::channel(Control { target, next: 0, swallowed_below: 0, closed_below: 0, swallows_new: false });
        let peers = Arc::default();
        let accepting = tokio::spawn(accept(listener, control.clone(), Arc::clone(&peers)));
        Ok(Self { address, control, peers, accepting })
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The ports of the clients that are connected.
    pub fn peers(&self) -> Vec<u16> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// The URL of a server with the address of the proxy.
    pub fn in_front_of(&self, url: &str) -> Result<String> {
        let failed = |source| Error::Url { url: url.to_owned(), source };
        let mut parsed = Url::parse(url).map_err(failed)?;
        parsed.set_host(Some(&self.address.ip().to_string())).map_err(failed)?;
        // A URL with a host accepts a port.
        let _ = parsed.set_port(Some(self.port()));
        Ok(parsed.into())
    }

    /// Forwards nothing on the present connections from now on, while both sides stay connected: what they send is lost
    /// without an error. New connections are forwarded.
    pub fn swallow(&self) {
        self.control.send_modify(|control| control.swallowed_below = control.next);
    }

    /// Whether new connections are accepted but not forwarded.
    pub fn swallow_new(&self, swallows: bool) {
        self.control.send_modify(|control| control.swallows_new = swallows);
    }

    /// Closes the present connections.
    pub fn close_connections(&self) {
        self.control.send_modify(|control| control.closed_below = control.next);
    }

    /// Leads new connections to another port of 127.0.0.1.
    pub fn redirect(&self, target_port: u16) {
        self.control.send_modify(|control| control.target.set_port(target_port));
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.control.send_modify(|control| control.closed_below = u64::MAX);
    }
}

async fn accept(listener: TcpListener, control: watch::Sender<Control>, peers: Arc<Mutex<BTreeSet<u16>>>) {
    while let Ok((client, peer)) = listener.accept().await {
        let mut number = 0;
        control.send_modify(|control| {
            number = control.next;
            control.next += 1;
            if control.swallows_new {
                control.swallowed_below = control.next;
            }
        });
        let (control, peers) = (control.subscribe(), Arc::clone(&peers));
        tokio::spawn(async move {
            peers.lock().unwrap_or_else(PoisonError::into_inner).insert(peer.port());
            forward(client, number, control).await;
            peers.lock().unwrap_or_else(PoisonError::into_inner).remove(&peer.port());
        });
    }
}

/// Forwards until one side ends the connection, or the control says otherwise.
async fn forward(mut client: TcpStream, number: u64, mut control: watch::Receiver<Control>) {
    let _ = client.set_nodelay(true);
    // Marked as swallowed after later connections, if those are new ones that are swallowed.
    let is_swallowed = control.borrow().swallowed_below > number;
    let target = control.borrow().target;
    let server = if is_swallowed { None } else { TcpStream::connect(target).await.ok() };
    let Some(mut server) = server else {
        if is_swallowed {
            let _ = control.wait_for(|control| control.closed_below > number).await;
        }
        return;
    };
    let _ = server.set_nodelay(true);
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => return,
        _ = control.wait_for(|control| control.swallowed_below.max(control.closed_below) > number) => {}
    }
    let _ = control.wait_for(|control| control.closed_below > number).await;
}
