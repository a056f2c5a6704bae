//! A minimal HTTP/1.1 connection: sends a request, reads the whole response, then sends the next.
//!
//! Works directly on the socket, with a parser crate for the response head: load and server share the machine, and a client
//! library would use as much processor time as the server.

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

/// A request of a scenario.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    /// Relative to `/api/model_registry/v1alpha3/`, or absolute if it begins with a slash.
    pub(crate) path: String,
    pub(crate) body: Option<String>,
}

impl Call {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), body: None }
    }

    fn path(&self) -> String {
        match self.path.strip_prefix('/') {
            Some(_) => self.path.clone(),
            None => format!("/api/model_registry/v1alpha3/{}", self.path),
        }
    }

    pub(crate) fn post(path: impl Into<String>, body: &serde_json::Value) -> Self {
        Self { method: "POST", path: path.into(), body: Some(body.to_string()) }
    }
}

pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    request: String,
    /// The bytes received of the current response.
    received: Vec<u8>,
}

/// How the length of a response body is given.
enum Length {
    Bytes(usize),
    Chunked,
}

impl Connection {
    pub(crate) async fn open(base_url: &str) -> Result<Self> {
        let url = Url::parse(base_url).context("the base URL is not a URL")?;
        let host = url.host_str().context("the base URL has no host")?.to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        let stream = TcpStream::connect((host.as_str(), port)).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, host: format!("{host}:{port}"), request: String::new(), received: Vec::new() })
    }

    /// Sends a request and returns the response body; a status other than 2xx is an error.
    pub(crate) async fn send(&mut self, call: &Call) -> Result<&[u8]> {
        self.exchange(call.method, &call.path(), call.body.as_deref().unwrap_or_default()).await
    }

    /// Sends a request and returns the status of the response.
    pub(crate) async fn status(&mut self, call: &Call) -> Result<u16> {
        Ok(self.respond(call.method, &call.path(), call.body.as_deref().unwrap_or_default()).await?.0)
    }

    pub(crate) async fn exchange(&mut self, method: &str, path: &str, body: &str) -> Result<&[u8]> {
        let (status, body) = self.respond(method, path, body).await?;
        ensure!(
            (200..300).contains(&status),
            "{method} {path}: {status} {}",
            String::from_utf8_lossy(&body[..body.len().min(300)])
        );
        Ok(body)
    }

    /// Sends a request and returns the status and the body of the response.
    async fn respond(&mut self, method: &str, path: &str, body: &str) -> Result<(u16, &[u8])> {
        use std::fmt::Write;
        self.request.clear();
        write!(
            self.request,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        )?;
        self.stream.write_all(self.request.as_bytes()).await?;
        self.received.clear();
        let (status, head, length) = loop {
            if let Some(parsed) = parse_head(&self.received)? {
                break parsed;
            }
            self.receive().await?;
        };
        let end = match length {
            Length::Bytes(length) => {
                self.received.reserve(length);
                while self.received.len() < head + length {
                    self.receive().await?;
                }
                head + length
            }
            Length::Chunked => self.receive_chunks(head).await?,
        };
        Ok((status, &self.received[head..end]))
    }

    /// Reads a chunked body and joins its chunks in place; returns the end of the body.
    async fn receive_chunks(&mut self, start: usize) -> Result<usize> {
        let (mut end, mut at) = (start, start);
        loop {
            match httparse::parse_chunk_size(&self.received[at..]) {
                Ok(httparse::Status::Complete((prefix, size))) => {
                    let (from, size) = (at + prefix, usize::try_from(size)?);
                    at = from + size + 2;
                    while self.received.len() < at {
                        self.receive().await?;
                    }
                    if size == 0 {
                        return Ok(end);
                    }
                    self.received.copy_within(from..from + size, end);
                    end += size;
                }
                Ok(httparse::Status::Partial) => self.receive().await?,
                Err(_) => bail!("the response has an invalid chunk"),
            }
        }
    }

    async fn receive(&mut self) -> Result<()> {
        if self.received.capacity() - self.received.len() < 4_096 {
            self.received.reserve(65_536);
        }
        ensure!(self.stream.read_buf(&mut self.received).await? > 0, "the server closed the connection");
        Ok(())
    }
}

/// Returns the status, the length of the head and the length of the body; `None` if the head is incomplete.
fn parse_head(received: &[u8]) -> Result<Option<(u16, usize, Length)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(received).context("the response is not HTTP")? else {
        return Ok(None);
    };
    let header = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    let length = match header("content-length") {
        Some(length) => Length::Bytes(length.trim().parse().context("the response has an invalid content-length")?),
        None if header("transfer-encoding").is_some() => Length::Chunked,
        None => Length::Bytes(0),
    };
    Ok(Some((response.code.unwrap_or_default(), head, length)))
}
