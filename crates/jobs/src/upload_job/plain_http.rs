//! Whether a registry speaks plain HTTP. It matters only where TLS is not required: then a registry may speak either.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const LIMIT: Duration = Duration::from_secs(5);
const TLS_PORT: u16 = 443;
const PLAIN_PORT: u16 = 80;

/// Asks a registry (`host[:port]`) without TLS and without credentials. Without a port, TLS is preferred if its port is open.
pub(super) async fn is_used_by(registry: &str) -> bool {
    let (host, port) = match registry.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>())) {
        Some((host, Ok(port))) => (host, Some(port)),
        _ => (registry, None),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match port {
        Some(port) => speaks_plain(host, port).await,
        None if is_open(host, TLS_PORT).await => false,
        None => speaks_plain(host, PLAIN_PORT).await,
    }
}

async fn is_open(host: &str, port: u16) -> bool {
    tokio::time::timeout(LIMIT, TcpStream::connect((host, port))).await.is_ok_and(|connected| connected.is_ok())
}

async fn speaks_plain(host: &str, port: u16) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect((host, port)).await?;
        let request = format!("GET /v2/ HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut beginning = Vec::new();
        stream.take(512).read_to_end(&mut beginning).await?;
        Ok::<_, std::io::Error>(beginning)
    };
    let beginning = tokio::time::timeout(LIMIT, asked).await;
    beginning.is_ok_and(|beginning| beginning.is_ok_and(|beginning| is_plain_response(&beginning)))
}

/// Servers with TLS respond with an alert, or with 400 as text.
fn is_plain_response(beginning: &[u8]) -> bool {
    let text = String::from_utf8_lossy(beginning);
    let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1));
    status.is_some_and(|status| status != "400")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_without_tls_is_recognised() {
        assert!(is_plain_response(b"HTTP/1.1 401 Unauthorized\r\n") && is_plain_response(b"HTTP/1.0 200 OK\r\n"));
        assert!(!is_plain_response(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server."));
        assert!(!is_plain_response(b"\x15\x03\x01\x00\x02\x02\x46") && !is_plain_response(b""));
    }
}
