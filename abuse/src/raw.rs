//! Bytes on a socket, for requests that no client library would send.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A server that has sent nothing for so long waits for more.
const SILENCE: Duration = Duration::from_secs(2);

/// Sends bytes, and returns everything that the server sends until it closes the connection or waits for more.
pub(crate) async fn exchange(address: SocketAddr, request: &[u8]) -> io::Result<String> {
    let (mut reader, mut writer) = TcpStream::connect(address).await?.into_split();
    let request = request.to_vec();
    // The server may stop reading before the end.
    let sending = tokio::spawn(async move {
        let _ = writer.write_all(&request).await;
        writer
    });
    let mut received = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    while let Ok(Ok(length @ 1..)) = tokio::time::timeout(SILENCE, reader.read(&mut buffer)).await {
        received.extend_from_slice(&buffer[..length]);
    }
    sending.abort();
    Ok(String::from_utf8_lossy(&received).into_owned())
}

/// The statuses of the responses in what `exchange` received.
pub(crate) fn statuses(received: &str) -> Vec<u16> {
    let heads = received.split("HTTP/1.1 ").skip(1);
    heads.filter_map(|head| head.get(..3)?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_response_has_a_status() {
        assert_eq!(statuses("HTTP/1.1 400 Bad Request\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), [400, 200]);
        assert_eq!(statuses(""), [0_u16; 0]);
    }
}
