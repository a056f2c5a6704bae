//! Malformed and oversized HTTP requests get a 4xx response, and the process keeps running.

use model_registry_testkit::{Backend, TestDatabase};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Client, TIME_LIMIT, start_on};

const LIST: &str = "/api/model_registry/v1alpha3/registered_models";

#[tokio::test]
async fn malformed_and_oversized_requests_are_rejected_with_4xx() {
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let server = start_on(&database).await;
    let client = Client::of(&server);
    let megabyte = 1_000_000;
    for (what, bytes, status) in [
        (
            "a filter of 1 MB",
            format!("GET {LIST}?filterQuery={} HTTP/1.1\r\nHost: localhost\r\n\r\n", "(".repeat(megabyte)),
            431,
        ),
        ("a path of 1 MB", format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a/".repeat(megabyte / 2)), 431),
        (
            "a header of 1 MB",
            format!("GET {LIST} HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "a".repeat(megabyte)),
            431,
        ),
        ("1,000 headers", format!("GET {LIST} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: a\r\n".repeat(1_000)), 431),
        (
            "a filter of 60 kB",
            format!("GET {LIST}?filterQuery={} HTTP/1.1\r\nHost: localhost\r\n\r\n", "(".repeat(60_000)),
            400,
        ),
        ("no HTTP", "hello\r\n\r\n".to_owned(), 400),
        ("a space in the path", "GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 400),
        ("no length", format!("POST {LIST} HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n{{}}"), 400),
        ("two lengths", format!("POST {LIST} HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{{}}"), 400),
        (
            "a broken chunk",
            format!("POST {LIST} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"),
            400,
        ),
        (
            "20 MB announced",
            format!("POST {LIST} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000000\r\n\r\n"),
            413,
        ),
    ] {
        let response = exchange(server.port(), bytes.as_bytes()).await;
        let begin = format!("HTTP/1.1 {status} ");
        assert!(response.starts_with(&begin), "{what}: {}", response.lines().next().unwrap_or_default());
    }
    assert_eq!(client.get("/readyz/health").await.status, 200);
    let log = server.log();
    assert!(!log.contains("panicked"), "{log}");
}

/// Sends the bytes and returns the start of the response. The server may respond before it has read everything.
async fn exchange(port: u16, bytes: &[u8]) -> String {
    let (mut reader, mut writer) = TcpStream::connect(("127.0.0.1", port)).await.unwrap().into_split();
    let write = async {
        // The connection may be reset after the response.
        let _ = writer.write_all(bytes).await;
        writer
    };
    let read = async {
        let mut response = vec![0; 1_000];
        let length = reader.read(&mut response).await.unwrap_or_default();
        String::from_utf8_lossy(&response[..length]).into_owned()
    };
    let (response, _writer) = tokio::time::timeout(TIME_LIMIT, async { tokio::join!(read, write) }).await.unwrap();
    response
}
