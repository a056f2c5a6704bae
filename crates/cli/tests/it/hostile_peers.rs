//! Peers that send too much, too slowly or not to the end: others are served meanwhile, and memory stays bounded.

use model_registry_testkit::{Backend, Executable, TestDatabase};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::{Client, PATIENCE, eventually, start_on};

const LIST: &str = "/api/model_registry/v1alpha3/registered_models";
const CONNECTIONS: usize = 300;
const GIGABYTE: usize = 1 << 30;
/// What a body of the largest size, each connection's buffers and the allocator's reserves may come to.
const MOST_MORE: u64 = 192 << 20;

/// A server whose memory is looked at.
struct Watched {
    server: Executable,
    client: Client,
    before: u64,
    _database: TestDatabase,
}

impl Watched {
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

    /// Others get their answers, and memory has not grown by more than it may.
    async fn check(&self, what: &str) {
        for _ in 0..20 {
            assert_eq!(self.client.read("registered_models").await["size"], 1, "{what}");
        }
        let more = self.server.resident_memory().unwrap().saturating_sub(self.before);
        assert!(more < MOST_MORE, "{what}: {} MiB more", more >> 20);
    }
}

#[tokio::test]
async fn heads_that_come_a_byte_at_a_time_keep_nobody_else_waiting() {
    let watched = Watched::start().await;
    let head = format!("GET {LIST} HTTP/1.1\r\nHost: h\r\nX: ");
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut connection = watched.connect().await;
        connection.write_all(head.as_bytes()).await.unwrap();
        connections.push(connection);
    }
    for _ in 0..50 {
        for connection in &mut connections {
            // It may have been closed by the limit on heads.
            let _ = connection.write_all(b"x").await;
        }
        watched.check("slow heads").await;
    }
    drop(connections);
    watched.check("after slow heads").await;
}

#[tokio::test]
async fn a_hundred_thousand_header_lines_are_refused_unread() {
    let watched = Watched::start().await;
    let head = format!("GET {LIST} HTTP/1.1\r\nHost: h\r\n");
    let lines = "X-Padding: 0123456789\r\n".repeat(100_000);
    let mut senders = JoinSet::new();
    for _ in 0..20 {
        let (mut reader, mut writer) = watched.connect().await.into_split();
        let (head, lines) = (head.clone(), lines.clone());
        senders.spawn(async move {
            let write = async {
                let _ = writer.write_all(head.as_bytes()).await;
                // The server stops reading long before the end.
                let _ = writer.write_all(lines.as_bytes()).await;
                writer
            };
            let read = async {
                let mut begin = [0; 12];
                reader.read_exact(&mut begin).await.map(|_| begin)
            };
            let (_writer, begin) = tokio::join!(write, read);
            begin
        });
    }
    watched.check("many lines").await;
    while let Some(begin) = tokio::time::timeout(PATIENCE, senders.join_next()).await.unwrap() {
        assert_eq!(&begin.unwrap().unwrap(), b"HTTP/1.1 431");
    }
    watched.check("after many lines").await;
}

#[tokio::test]
async fn a_body_of_a_gigabyte_is_refused_while_others_are_served() {
    let watched = Watched::start().await;
    let announced = format!("Content-Length: {GIGABYTE}");
    for (what, framing) in [("announced", announced.as_str()), ("in chunks", "Transfer-Encoding: chunked")] {
        let (mut reader, mut writer) = watched.connect().await.into_split();
        let head = format!("POST {LIST} HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n");
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
        let mut begin = [0; 12];
        let answered = tokio::time::timeout(PATIENCE, reader.read_exact(&mut begin)).await.unwrap();
        assert!(
            answered.is_ok() && &begin == b"HTTP/1.1 413",
            "{what}: {answered:?} {}",
            String::from_utf8_lossy(&begin)
        );
        watched.check(what).await;
        drop(reader);
        // It is not read to its end: sending fails, or nobody waits for it.
        sender.abort();
    }
    watched.check("after bodies").await;
}

#[tokio::test]
async fn connections_that_are_half_closed_or_left_are_forgotten() {
    let watched = Watched::start().await;
    let open_files =
        || std::fs::read_dir(format!("/proc/{}/fd", watched.server.process_id().unwrap())).unwrap().count();
    let before = open_files();
    let mut connections = Vec::new();
    for number in 0..CONNECTIONS {
        let mut connection = watched.connect().await;
        match number % 3 {
            // Without a request.
            0 => connection.shutdown().await.unwrap(),
            // In the middle of a body.
            1 => {
                let head = format!("POST {LIST} HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{{");
                connection.write_all(head.as_bytes()).await.unwrap();
                connection.shutdown().await.unwrap();
            }
            // Behind a whole request: whether it is answered is a matter of who is faster.
            _ => {
                let head = format!("GET {LIST} HTTP/1.1\r\nHost: h\r\n\r\n");
                connection.write_all(head.as_bytes()).await.unwrap();
                connection.shutdown().await.unwrap();
            }
        }
        connections.push(connection);
    }
    watched.check("half closed").await;
    for connection in &mut connections {
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, connection.read_to_end(&mut answer)).await.unwrap();
    }
    // The peers keep their ends open: the server closes its own.
    let few = before + CONNECTIONS / 10;
    eventually("the server has closed its ends", async || open_files() <= few).await;
    drop(connections);
    watched.check("after half closed").await;
}
