//! TLS handshakes over real sockets, with generated certificates.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::listener;

struct Files {
    directory: TempDir,
}

impl Files {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// Generates a certificate and writes it to the files.
    fn renew(&self) -> CertificateDer<'static> {
        let generated = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(self.certificate(), generated.cert.pem()).unwrap();
        fs::write(self.key(), generated.signing_key.serialize_pem()).unwrap();
        generated.cert.der().clone()
    }

    fn certificate(&self) -> std::path::PathBuf {
        self.directory.path().join("tls.crt")
    }

    fn key(&self) -> std::path::PathBuf {
        self.directory.path().join("tls.key")
    }

    fn load(&self) -> Reloading<CertifiedKey> {
        let provider = aws_lc_rs::default_provider();
        Reloading::load(&[&self.certificate(), &self.key()], move |contents| {
            certified_key(&provider, &contents[0], &contents[1])
        })
        .unwrap()
    }
}

async fn start(tls: Arc<ServerConfig>, options: listener::Options) -> SocketAddr {
    let router = Router::new().route("/", get(|| async { "secure" }));
    let socket = listener::bind("127.0.0.1", 0).await.unwrap();
    let address = socket.local_addr().unwrap();
    let options = listener::Options { tls: Some(tls), ..options };
    tokio::spawn(listener::serve(socket, router, options, std::future::pending()));
    address
}

async fn connect(
    address: SocketAddr,
    root: &CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
    alpn: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
}

async fn response(mut stream: TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn http_without_tls_gets_a_response_that_says_what_to_do() {
    let files = Files::new();
    files.renew();
    let tls = server_config(&files.certificate(), &files.key()).unwrap();
    let address = start(tls, listener::Options::default()).await;
    let error_of = async |request: &[u8]| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    };
    for request in [&b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let response = error_of(request).await;
        assert!(response.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{response}");
        let body = r#"{"code":"Bad Request","message":"The plain HTTP request was sent to an HTTPS port: use https:// instead of http://"}"#;
        assert!(response.ends_with(body), "{response}");
    }
}

#[tokio::test]
async fn tls_1_2_and_1_3_and_http_2_are_supported() {
    let files = Files::new();
    let root = files.renew();
    let tls = server_config(&files.certificate(), &files.key()).unwrap();
    let address = start(tls, listener::Options::default()).await;
    let versions =
        [(&rustls::version::TLS12, ProtocolVersion::TLSv1_2), (&rustls::version::TLS13, ProtocolVersion::TLSv1_3)];
    for (version, agreed) in versions {
        let stream = connect(address, &root, &[version], b"http/1.1").await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(agreed));
        let text = response(stream).await;
        assert!(text.starts_with("HTTP/1.1 200 OK") && text.ends_with("secure"), "{text}");
    }
    let stream = connect(address, &root, &[&rustls::version::TLS13], b"h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get("https://localhost/").body(axum::body::Body::empty()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_renewed_certificate_is_used_without_a_restart() {
    let files = Files::new();
    let first = files.renew();
    let certificates = files.load();
    let tls = Arc::new(config(Arc::new(aws_lc_rs::default_provider()), certificates.clone()));
    let address = start(tls, listener::Options::default()).await;
    let versions = [&rustls::version::TLS13];
    assert!(connect(address, &first, &versions, b"http/1.1").await.is_ok());

    let second = files.renew();
    assert!(certificates.refresh().unwrap());
    assert!(connect(address, &first, &versions, b"http/1.1").await.is_err());
    assert!(connect(address, &second, &versions, b"http/1.1").await.is_ok());

    // A partial renewal: the key belongs to another certificate.
    let third = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(files.key(), third.signing_key.serialize_pem()).unwrap();
    assert!(certificates.refresh().is_err());
    assert!(connect(address, &second, &versions, b"http/1.1").await.is_ok());
}

#[tokio::test]
async fn an_incomplete_handshake_times_out() {
    let files = Files::new();
    files.renew();
    let tls = server_config(&files.certificate(), &files.key()).unwrap();
    let header_timeout = Duration::from_millis(200);
    let address = start(tls, listener::Options { header_timeout, ..listener::Options::default() }).await;
    for beginning in [&b""[..], b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "{beginning:?}");
    }
}

#[tokio::test]
async fn the_error_names_unusable_files() {
    let files = Files::new();
    files.renew();
    fs::write(files.certificate(), "not a certificate").unwrap();
    let error = server_config(&files.certificate(), &files.key()).unwrap_err().to_string();
    assert!(
        error.contains("tls.crt` and `") && error.ends_with("cannot be used: the file has no certificate"),
        "{error}"
    );
}
