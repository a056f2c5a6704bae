//! TLS in front of a server without it.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::authority::Authority;
use crate::error::Result;
use crate::proxy::acceptor;

/// A port with TLS whose connections go to another server; closed when dropped.
pub struct TlsFront {
    port: u16,
    accepting: JoinHandle<()>,
}

impl TlsFront {
    /// Opens a port for `localhost`, with a certificate of the authority.
    ///
    /// # Panics
    ///
    /// Never: the name is valid.
    pub async fn start(authority: &Authority, server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (port, acceptor) = (listener.local_addr()?.port(), acceptor(authority, "localhost"));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut secured = acceptor.accept(stream).await?;
                    let mut server = TcpStream::connect(server).await?;
                    copy_bidirectional(&mut secured, &mut server).await
                });
            }
        });
        Ok(Self { port, accepting })
    }

    /// `https://localhost:PORT`
    pub fn base_url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
