//! A proxy for HTTPS: the method CONNECT, and servers with TLS that are only reachable through it.
//!
//! Their names exist nowhere else, and their certificates are issued by an [`Authority`] of the test: whoever reaches one of them
//! has used the proxy and trusts the authority.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::authority::Authority;
use crate::error::Result;

/// The longest head of a request.
const LONGEST_HEAD: usize = 8_192;

/// A running proxy, on its own port.
pub struct ConnectProxy {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    /// The servers by name: their TLS, and where their requests go to.
    hosts: HashMap<String, (TlsAcceptor, SocketAddr)>,
    targets: Mutex<Vec<String>>,
}

impl ConnectProxy {
    /// Starts a proxy to servers with these names on port 443, whose requests are forwarded without TLS to the addresses.
    ///
    /// # Panics
    ///
    /// If a name is not a host name.
    pub async fn start(authority: &Authority, hosts: &[(&str, SocketAddr)]) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let hosts = hosts.iter().map(|(name, address)| ((*name).to_owned(), (acceptor(authority, name), *address)));
        let state = Arc::new(State { hosts: hosts.collect(), targets: Mutex::default() });
        let proxy = Self { address: listener.local_addr()?, state: Arc::clone(&state) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                tokio::spawn(async move { state.serve(stream).await });
            }
        });
        Ok(proxy)
    }

    /// The value of `HTTPS_PROXY`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The targets of the requests since the last call, `host:port`.
    pub fn targets(&self) -> Vec<String> {
        std::mem::take(&mut self.state.targets.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_HEAD {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        self.targets.lock().unwrap_or_else(PoisonError::into_inner).push(target.to_owned());
        let Some((acceptor, address)) = target.strip_suffix(":443").and_then(|host| self.hosts.get(host)) else {
            return stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await;
        };
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        let mut secured = acceptor.accept(stream).await?;
        let mut server = TcpStream::connect(address).await?;
        copy_bidirectional(&mut secured, &mut server).await.map(drop)
    }
}

pub(crate) fn acceptor(authority: &Authority, name: &str) -> TlsAcceptor {
    let issued = authority.issue(name);
    let certificate = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).expect("the certificate is PEM");
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).expect("the key is PEM");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has cipher suites for both versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("the key belongs to the certificate");
    TlsAcceptor::from(Arc::new(config))
}
