//! The listener over real sockets.

use axum::routing::{get, post};
use model_registry_base::MemoryBudget;
use model_registry_testkit::abuse::{Http2Frame, SlowBody, UnreadStreams};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::request::Shutdown;
use crate::{JsonBody, fallback, layers};

/// Limit for what does not happen if the server has a defect.
const PATIENCE: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(options: Options) -> Self {
        Self::start_with_memory(options, 1 << 30).await
    }

    async fn start_with_memory(options: Options, memory: usize) -> Self {
        let router = Router::new()
            .route("/fast", get(|| async { "fast" }))
            .route(
                "/slow",
                get(|| async {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    "slow"
                }),
            )
            .route(
                "/waits",
                get(|mut shutdown: Shutdown| async move {
                    shutdown.requested().await;
                    "stopping"
                }),
            )
            .route("/echo", post(|body: JsonBody| async { body.0 }))
            .route("/endless", get(std::future::pending::<()>))
            .route(
                "/stream",
                get(|| async {
                    let chunk = || io::Result::Ok(bytes::Bytes::from_static(&[b'x'; 16 * 1024]));
                    axum::body::Body::from_stream(futures::stream::repeat_with(chunk))
                }),
            )
            .route("/huge", get(|| async { "x".repeat(64 * 1024 * 1024) }));
        let options_of_layers =
            layers::Options { max_requests: 4, memory: MemoryBudget::new(memory), ..layers::Options::default() };
        let router = layers::wrap(fallback::finish(router), options_of_layers);
        let listener = bind("127.0.0.1", 0).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            serve(listener, router, options, stopped).await.unwrap();
        });
        Self { address, stop: Some(stop), task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends raw bytes and returns everything that the server sends until it closes the connection.
    async fn exchange(&self, request: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request).await.unwrap();
        read_all(&mut stream).await
    }

    fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // The server may have closed the connection before it read everything.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

fn get_request(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn serves_requests() {
    let server = Running::start(Options::default()).await;
    let response = server.exchange(&get_request("/fast")).await;
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    assert!(response.ends_with("\r\n\r\nfast"), "{response}");
}

#[tokio::test]
async fn a_port_in_use_is_reported_on_one_line() {
    let server = Running::start(Options::default()).await;
    let error = bind("127.0.0.1", server.address.port()).await.unwrap_err();
    let port = server.address.port();
    let expected = format!(
        "cannot listen on 127.0.0.1:{port}: the port is in use; stop the process that uses it or choose another port"
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_graceful_shutdown_finishes_requests_and_closes_idle_connections() {
    let mut server = Running::start(Options::default()).await;
    let mut idle = server.connect().await;
    let mut kept = server.connect().await;
    kept.write_all(b"GET /fast HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut busy = server.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop();

    let response = read_all(&mut busy).await;
    assert!(response.ends_with("slow"), "{response}");
    assert_eq!(read_all(&mut idle).await, "");
    assert!(read_all(&mut kept).await.ends_with("fast"));
    server.task.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn requests_that_exceed_the_drain_time_are_cut_off() {
    let drain = Duration::from_millis(200);
    let mut server = Running::start(Options { drain, ..Options::default() }).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let started = Instant::now();
    server.stop();
    (&mut server.task).await.unwrap();
    assert!(started.elapsed() >= drain);
    assert_eq!(read_all(&mut busy).await, "");
}

#[tokio::test]
async fn an_incomplete_head_times_out() {
    let header_timeout = Duration::from_millis(200);
    let server = Running::start(Options { header_timeout, ..Options::default() }).await;
    for beginning in ["", "P", "PRI * HTTP/2.0\r\n", "GET /fast HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        let started = Instant::now();
        let response = server.exchange(beginning.as_bytes()).await;
        assert!(response.is_empty() || response.starts_with("HTTP/1.1 408"), "{response}");
        assert!(started.elapsed() < Duration::from_secs(5), "{beginning:?}");
    }
}

/// The body of the last response, whose length has to match its `Content-Length`.
fn rejected(responses: &str, status: u16) -> serde_json::Value {
    let last = responses.rfind("HTTP/1.1 ").unwrap_or_else(|| panic!("no response: {responses}"));
    let (head, body) = responses[last..].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{responses}");
    assert!(head.contains("\r\ncontent-type: application/json; charset=UTF-8\r\n"), "{responses}");
    assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{responses}");
    assert!(head.ends_with("\r\nconnection: close"), "{responses}");
    serde_json::from_str(body).unwrap()
}

#[tokio::test]
async fn too_many_or_too_large_headers_are_rejected_with_a_message() {
    let server = Running::start(Options::default()).await;
    let headers: Vec<String> = (0..100_000).map(|number| format!("x-{number}: 1\r\n")).collect();
    let many = format!("GET /fast HTTP/1.1\r\n{}\r\n", headers.concat());
    let large = format!("GET /fast HTTP/1.1\r\nx-large: {}\r\n\r\n", "x".repeat(1024 * 1024));
    let long = format!("GET /fast?{} HTTP/1.1\r\n\r\n", "x".repeat(1024 * 1024));
    let few_more = format!("GET /fast HTTP/1.1\r\n{}\r\n", headers[..101].concat());
    for request in [many, large, long, few_more] {
        // The server reads and discards the rest, so the client receives the response.
        let body = rejected(&server.exchange(request.as_bytes()).await, 431);
        assert_eq!(body["code"], "Request Header Fields Too Large");
        assert_eq!(body["message"], "the URL and headers exceed 65536 bytes, or there are more than 100 header fields");
    }
    assert!(server.exchange(&get_request("/fast")).await.ends_with("fast"));
}

#[tokio::test]
async fn a_malformed_head_is_rejected_with_a_message() {
    let server = Running::start(Options::default()).await;
    for head in ["nonsense\r\n\r\n", "GET /a b c HTTP/1.1\r\n\r\n", "GET /fast HTTP/1.1\r\nx y: 1\r\n\r\n"] {
        let body = rejected(&server.exchange(head.as_bytes()).await, 400);
        assert_eq!(body["code"], "Bad Request", "{head}");
    }
}

#[tokio::test]
async fn a_rejection_is_complete_after_other_responses_and_for_slow_clients() {
    let server = Running::start(Options { max_header_bytes: 16 * 1024, ..Options::default() }).await;
    let small = "GET /fast HTTP/1.1\r\nhost: x\r\n\r\n";
    let with_body = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}";
    let large = format!("GET /fast HTTP/1.1\r\nx-large: {}", "x".repeat(20 * 1024));

    // One after the other, the last in pieces.
    let mut stream = server.connect().await;
    for request in [small, with_body, small] {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut buffer = vec![0; 4096];
        let length = stream.read(&mut buffer).await.unwrap();
        assert!(buffer[..length].starts_with(b"HTTP/1.1 200 OK"));
    }
    for piece in large.as_bytes().chunks(3000) {
        stream.write_all(piece).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    rejected(&read_all(&mut stream).await, 431);

    // Pipelined: the responses before it are complete.
    let pipelined = format!("{small}{with_body}{small}{large}");
    let responses = server.exchange(pipelined.as_bytes()).await;
    assert_eq!(responses.matches("HTTP/1.1 200 OK").count(), 3, "{responses}");
    assert_eq!(responses.matches("HTTP/1.1 431 ").count(), 1, "{responses}");
}

#[tokio::test]
async fn a_stalled_write_times_out() {
    let write_timeout = Duration::from_millis(200);
    let mut server = Running::start(Options { write_timeout, ..Options::default() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /huge HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let started = Instant::now();
    server.stop();
    (&mut server.task).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_connection_beyond_the_limit_gets_503() {
    let server = Running::start(Options { max_connections: 1, ..Options::default() }).await;
    let mut first = server.connect().await;
    first.write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let response = server.exchange(&get_request("/fast")).await;
    assert!(response.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{response}");
    assert!(response.contains("retry-after: 5\r\n"), "{response}");
    drop(first);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(server.exchange(&get_request("/fast")).await.ends_with("fast"));
}

#[tokio::test]
async fn speaks_http_2_without_tls() {
    let server = Running::start(Options::default()).await;
    let stream = server.connect().await;
    let executor = hyper_util::rt::TokioExecutor::new();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    let client = tokio::spawn(connection);
    let request = http::Request::get("http://x/fast").body(axum::body::Body::empty()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.version(), http::Version::HTTP_2);
    client.abort();
}

#[tokio::test]
async fn a_long_poll_ends_when_the_process_stops() {
    let mut server = Running::start(Options::default()).await;
    let mut waiting = server.connect().await;
    waiting.write_all(b"GET /waits HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop();
    assert!(read_all(&mut waiting).await.ends_with("stopping"));
    server.task.await.unwrap();
}

#[tokio::test]
async fn a_body_of_a_gigabyte_is_rejected_while_others_are_served() {
    let server = Running::start(Options::default()).await;
    let mut announced = server.connect().await;
    let head = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1073741824\r\n\r\n{\"a\":";
    announced.write_all(head).await.unwrap();
    let response = read_all(&mut announced).await;
    assert!(response.starts_with("HTTP/1.1 413"), "{response}");

    let mut surprising = server.connect().await;
    let head = b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    surprising.write_all(head).await.unwrap();
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(0x10_0000));
    let mut sent = 0;
    // The server stops reading at its limit and closes; the kernel buffers some more.
    while sent < 1024 && surprising.write_all(chunk.as_bytes()).await.is_ok() {
        sent += 1;
    }
    assert!(sent < 64, "{sent} MiB were accepted");
    assert!(server.exchange(&get_request("/fast")).await.ends_with("fast"));
}

#[tokio::test]
async fn half_closed_connections_do_not_delay_the_shutdown() {
    let mut server = Running::start(Options::default()).await;
    for _ in 0..50 {
        let mut stream = server.connect().await;
        stream.write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
        stream.shutdown().await.unwrap();
        read_all(&mut stream).await;
    }
    server.stop();
    tokio::time::timeout(Duration::from_secs(5), server.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn unescaped_quotes_in_a_query_are_accepted_on_every_request_of_a_connection() {
    let server = Running::start(Options::default()).await;
    let first = "GET /fast?filterQuery=name=\"x\" HTTP/1.1\r\nHost: a\r\n\r\n";
    let last = "GET /fast?filterQuery=a<\"b\" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mut stream = server.connect().await;
    let mut responses = String::new();
    for request in [first, first, last] {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut buffer = vec![0; 4096];
        let length = stream.read(&mut buffer).await.unwrap();
        responses.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
    }
    assert_eq!(responses.matches("HTTP/1.1 200 OK").count(), 3, "{responses}");
}

#[tokio::test]
async fn a_body_sent_after_the_response_is_not_parsed_as_a_request_line() {
    let server = Running::start(Options::default()).await;
    // Request smuggling: the body of the first request, which is not read, looks like a request line. Escaped, it would
    // be longer than its `Content-Length`, and its end would be served as another request.
    let body = format!("A /{}", "\"".repeat(20));
    let smuggled = "GET /fast HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let head = format!("POST /fast HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len() + smuggled.len());
    let mut stream = server.connect().await;
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let _ = stream.write_all(format!("{body}{smuggled}").as_bytes()).await;
    stream.shutdown().await.unwrap();
    let responses = read_all(&mut stream).await;
    assert!(!responses.contains("200 OK"), "{responses}");
}

#[tokio::test]
async fn a_connection_whose_streams_are_not_read_is_closed() {
    let write_timeout = Duration::from_millis(300);
    let server = Running::start(Options { write_timeout, ..Options::default() }).await;
    let frames = UnreadStreams::open(server.address, "/huge", 3).await.unwrap().receive_all().await;
    let received: usize = frames.iter().filter(|frame| frame.kind == Http2Frame::DATA).map(|frame| frame.length).sum();
    // The initial window of a connection.
    assert_eq!(received, 65_535);
}

#[tokio::test]
async fn a_stream_that_is_not_read_is_reset_while_another_is_served() {
    let write_timeout = Duration::from_millis(500);
    let server = Running::start(Options { write_timeout, ..Options::default() }).await;
    let mut connection = UnreadStreams::open(server.address, "/huge", 1).await.unwrap();
    // The second stream is read.
    assert_eq!(connection.request("/stream").await.unwrap(), 3);
    let mut reset = Vec::new();
    while reset.is_empty() {
        connection.open_window(0, 16 * 1024).await.unwrap();
        connection.open_window(3, 16 * 1024).await.unwrap();
        let frame = connection.receive().await.expect("the connection stays open");
        if frame.kind == Http2Frame::RST_STREAM {
            reset.push(frame.stream);
        }
    }
    assert_eq!(reset, [1]);
    let next = connection.request("/fast").await.unwrap();
    loop {
        connection.open_window(0, 16 * 1024).await.unwrap();
        connection.open_window(3, 16 * 1024).await.unwrap();
        let frame = connection.receive().await.expect("the connection stays open");
        if frame.kind == Http2Frame::HEADERS && frame.stream == next {
            return;
        }
    }
}

#[tokio::test]
async fn an_idle_connection_of_http_2_is_closed_after_the_timeout_of_heads() {
    let header_timeout = Duration::from_millis(300);
    let server = Running::start(Options { header_timeout, ..Options::default() }).await;
    let connection = UnreadStreams::open(server.address, "/fast", 1).await.unwrap();
    let frames = tokio::time::timeout(PATIENCE, connection.receive_all()).await.expect("the connection is closed");
    assert!(frames.iter().any(|frame| frame.kind == Http2Frame::DATA), "{frames:?}");
    assert!(frames.iter().any(|frame| frame.kind == Http2Frame::GO_AWAY), "{frames:?}");
}

#[tokio::test]
async fn the_response_to_a_body_without_memory_arrives_although_the_body_is_not_read() {
    // A quarter of the memory is for bodies.
    let server = Running::start_with_memory(Options::default(), 4 << 20).await;
    let mut stream = server.connect().await;
    let length = 12 << 20;
    let head = format!("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // The client sends everything before it reads.
    stream.write_all(&vec![b'x'; length]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{response}");
    assert!(response.contains("\r\nretry-after: 5\r\n"), "{response}");
    assert!(response.contains("the memory for request bodies is in use"), "{response}");
}

#[tokio::test]
async fn slow_bodies_take_no_place_until_they_are_complete() {
    // More bodies than the four places.
    let server = Running::start(Options::default()).await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut body = SlowBody::start(server.address, "/echo", 10).await.unwrap();
        body.send(b"{").await.unwrap();
        slow.push(body);
    }
    for _ in 0..20 {
        assert!(server.exchange(&get_request("/fast")).await.ends_with("fast"));
    }
    for body in &mut slow {
        body.send(b"123456789").await.unwrap();
        assert_eq!(body.status().await, Some(200));
    }
}

#[tokio::test]
async fn an_idle_connection_makes_room_for_a_new_one() {
    let server = Running::start(Options { max_connections: 2, ..Options::default() }).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut slow_head = server.connect().await;
    slow_head.write_all(b"GET /fast HTTP/1.1\r\nhost: x\r\nx-slow: ").await.unwrap();
    // Until it counts as idle.
    let response = loop {
        let response = server.exchange(&get_request("/fast")).await;
        if !response.starts_with("HTTP/1.1 503") {
            break response;
        }
    };
    assert!(response.ends_with("fast"), "{response}");
    assert_eq!(read_all(&mut slow_head).await, "");
}

/// A server whose only place for connections is taken, and the connection that has it.
async fn without_free_place() -> (Running, TcpStream) {
    let server = Running::start(Options { max_connections: 1, ..Options::default() }).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    loop {
        // The first connection is busy once its request has arrived.
        let response = server.exchange(&get_request("/fast")).await;
        if response.starts_with("HTTP/1.1 503") {
            break;
        }
    }
    (server, busy)
}

#[tokio::test]
async fn health_probes_are_served_beyond_the_limit_of_connections() {
    let (server, _busy) = without_free_place().await;
    let response = server.exchange(&get_request("/livez")).await;
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
}

#[tokio::test]
async fn probes_are_served_while_connections_without_requests_take_all_room() {
    let (server, _busy) = without_free_place().await;
    let mut silent = Vec::new();
    for _ in 0..2 * SHED_AT_ONCE {
        silent.push(server.connect().await);
        let response = server.exchange(&get_request("/livez")).await;
        assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    }
}

/// The server of the next test, in a process of its own, because it takes all file descriptors.
#[cfg(unix)]
#[tokio::test]
#[ignore = "started by `probes_are_served_when_no_file_descriptor_is_free`"]
async fn a_server_without_free_file_descriptors() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    setrlimit(Resource::Nofile, Rlimit { current: Some(128), maximum: Some(128) }).unwrap();
    let server = Running::start(Options::default()).await;
    assert!(server.exchange(&get_request("/fast")).await.ends_with("fast"));
    let mut files = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        files.push(file);
    }
    let line = format!("\nlistening on {}\n", server.address);
    std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes()).unwrap();
    let until_end = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    tokio::task::spawn_blocking(until_end).await.unwrap().unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn probes_are_served_when_no_file_descriptor_is_free() {
    use tokio::io::AsyncBufReadExt;
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "listener::tests::a_server_without_free_file_descriptors", "--nocapture"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = tokio::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let address: SocketAddr = loop {
        let line = lines.next_line().await.unwrap().expect("the server starts");
        if let Some(address) = line.strip_prefix("listening on ") {
            break address.parse().unwrap();
        }
    };
    // More than there are spare descriptors.
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    for (path, status) in [("/livez", "200 OK"), ("/fast", "503 Service Unavailable")].repeat(10) {
        let exchange = async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(&get_request(path)).await.unwrap();
            read_all(&mut stream).await
        };
        let response = tokio::time::timeout(PATIENCE, exchange).await.expect("a response");
        assert!(response.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{path}: {response}");
    }
}
