//! Clients that send too much, too slowly or incompletely: other clients are served and memory stays bounded.

use model_registry_testkit::{Backend, Executable, TestDatabase};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::{Client, TIME_LIMIT, eventually, role_on, start_on};

const LIST: &str = "/api/model_registry/v1alpha3/registered_models";
const CONNECTIONS: usize = 300;
const GIGABYTE: usize = 1 << 30;
/// Limit for the growth of memory in bytes: one body of maximum size, the buffers of all connections, and the reserves of the
/// allocator.
const MEMORY_LIMIT: u64 = 192 << 20;

/// A server with its memory use at the start.
struct MeasuredServer {
    server: Executable,
    client: Client,
    before: u64,
    _database: TestDatabase,
}

impl MeasuredServer {
    async fn start() -> Self {
        let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
        let server = start_on(&database).await;
        let client = Client::of(&server);
        client.create("registered_models", &json!({"name": "m"})).await;
        let before = server.resident_memory().unwrap();
        Self { server, client, before, _database: database }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.server.port())).await.unwrap()
    }

    /// Asserts that another client is served, and that memory use has grown by less than [`MEMORY_LIMIT`].
    async fn check(&self, what: &str) {
        for _ in 0..20 {
            assert_eq!(self.client.read("registered_models").await["size"], 1, "{what}");
        }
        let more = self.server.resident_memory().unwrap().saturating_sub(self.before);
        assert!(more < MEMORY_LIMIT, "{what}: {} MiB more", more >> 20);
    }
}

#[tokio::test]
async fn slow_request_heads_do_not_delay_other_clients() {
    let measured = MeasuredServer::start().await;
    let head = format!("GET {LIST} HTTP/1.1\r\nHost: localhost\r\nX: ");
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut connection = measured.connect().await;
        connection.write_all(head.as_bytes()).await.unwrap();
        connections.push(connection);
    }
    for _ in 0..50 {
        for connection in &mut connections {
            // The server may have closed the connection after its time limit for heads.
            let _ = connection.write_all(b"x").await;
        }
        measured.check("slow heads").await;
    }
    drop(connections);
    measured.check("after slow heads").await;
}

#[tokio::test]
async fn a_hundred_thousand_header_lines_are_rejected_with_431() {
    let measured = MeasuredServer::start().await;
    let head = format!("GET {LIST} HTTP/1.1\r\nHost: localhost\r\n");
    let lines = "X-Padding: 0123456789\r\n".repeat(100_000);
    let mut senders = JoinSet::new();
    for _ in 0..20 {
        let (mut reader, mut writer) = measured.connect().await.into_split();
        let (head, lines) = (head.clone(), lines.clone());
        senders.spawn(async move {
            let write = async {
                let _ = writer.write_all(head.as_bytes()).await;
                // The server stops reading before the end.
                let _ = writer.write_all(lines.as_bytes()).await;
                writer
            };
            let read = async {
                let mut start = [0; 12];
                reader.read_exact(&mut start).await.map(|_| start)
            };
            let (_writer, start) = tokio::join!(write, read);
            start
        });
    }
    measured.check("many lines").await;
    while let Some(start) = tokio::time::timeout(TIME_LIMIT, senders.join_next()).await.unwrap() {
        assert_eq!(&start.unwrap().unwrap(), b"HTTP/1.1 431");
    }
    measured.check("after many lines").await;
}

#[tokio::test]
async fn a_body_of_a_gigabyte_is_rejected_with_413_while_others_are_served() {
    let measured = MeasuredServer::start().await;
    let announced = format!("Content-Length: {GIGABYTE}");
    for (what, framing) in [("announced", announced.as_str()), ("in chunks", "Transfer-Encoding: chunked")] {
        let (mut reader, mut writer) = measured.connect().await.into_split();
        let head = format!("POST {LIST} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n");
        let is_chunked = what == "in chunks";
        let sender = tokio::spawn(async move {
            let part = vec![b' '; 1 << 20];
            writer.write_all(head.as_bytes()).await?;
            for _ in 0..GIGABYTE / part.len() {
                if is_chunked {
                    writer.write_all(format!("{:x}\r\n", part.len()).as_bytes()).await?;
                }
                writer.write_all(&part).await?;
                if is_chunked {
                    writer.write_all(b"\r\n").await?;
                }
            }
            std::io::Result::Ok(())
        });
        let mut start = [0; 12];
        let received = tokio::time::timeout(TIME_LIMIT, reader.read_exact(&mut start)).await.unwrap();
        assert!(
            received.is_ok() && &start == b"HTTP/1.1 413",
            "{what}: {received:?} {}",
            String::from_utf8_lossy(&start)
        );
        measured.check(what).await;
        drop(reader);
        // The server does not read the whole body, so the sender may be blocked.
        sender.abort();
    }
    measured.check("after bodies").await;
}

#[tokio::test]
async fn half_closed_connections_are_closed() {
    let measured = MeasuredServer::start().await;
    let open_files =
        || std::fs::read_dir(format!("/proc/{}/fd", measured.server.process_id().unwrap())).unwrap().count();
    let before = open_files();
    let mut connections = Vec::new();
    for number in 0..CONNECTIONS {
        let mut connection = measured.connect().await;
        match number % 3 {
            // Without a request.
            0 => connection.shutdown().await.unwrap(),
            // In the middle of a body.
            1 => {
                let head = format!("POST {LIST} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{{");
                connection.write_all(head.as_bytes()).await.unwrap();
                connection.shutdown().await.unwrap();
            }
            // After a whole request: the response may or may not be sent before the server notices.
            _ => {
                let head = format!("GET {LIST} HTTP/1.1\r\nHost: localhost\r\n\r\n");
                connection.write_all(head.as_bytes()).await.unwrap();
                connection.shutdown().await.unwrap();
            }
        }
        connections.push(connection);
    }
    measured.check("half closed").await;
    for connection in &mut connections {
        let mut response = Vec::new();
        let _ = tokio::time::timeout(TIME_LIMIT, connection.read_to_end(&mut response)).await.unwrap();
    }
    // The clients keep their ends open; the server closes its own.
    let few = before + CONNECTIONS / 10;
    eventually("the server has closed its ends", async || open_files() <= few).await;
    drop(connections);
    measured.check("after half closed").await;
}

/// The form of a preview of 1,000 names of 8 KB, and 900 patterns that match none of them.
fn costly_preview() -> String {
    let pattern = "*".to_owned() + &"a*".repeat(400);
    let patterns: Vec<String> = (0..900).map(|number| format!("'{pattern}b{number}*'")).collect();
    let names: Vec<String> = (0..1_000).map(|number| format!("- {{name: {}{number}}}\n", "a".repeat(8_000))).collect();
    let names = names.concat();
    let config = format!("assetType: mcp_servers\ntype: yaml\nexcludedServers: [{}]\n", patterns.join(", "));
    let part = |name: &str, text: &str| {
        format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n{text}\r\n")
    };
    part("config", &config) + &part("catalogData", &format!("mcp_servers:\n{names}")) + "--b--\r\n"
}

#[tokio::test]
async fn costly_previews_stall_no_probe_and_do_not_delay_the_end_of_the_process() {
    let launch = role_on("up", "sqlite:x.db").arguments(["--limits-drain", "1s"]);
    let mut server = launch.start().await.unwrap();
    let body = costly_preview();
    let head = format!(
        "POST /api/model_catalog/v1alpha1/sources/preview HTTP/1.1\r\nhost: localhost\r\n\
         content-type: multipart/form-data; boundary=b\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    let client = Client::of(&server);
    for _ in 0..20 {
        assert_eq!(client.get("/livez").await.status, 200);
    }
    // None of them has a response yet: the probes did not wait for them.
    let mut first = [0];
    let ended = streams.iter().filter(|stream| stream.try_read(&mut first).is_ok_and(|read| read > 0)).count();
    assert_eq!(ended, 0);
    let status = server.terminate().await.unwrap();
    assert!(status.success(), "{status}\n{}", server.log());
}
