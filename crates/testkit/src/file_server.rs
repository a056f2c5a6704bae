//! A web server with files: ranges, entity tags, and failures as planned.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_MATCH, LOCATION, RANGE, RETRY_AFTER};
use http::{HeaderMap, StatusCode, Uri};
use tokio::net::TcpListener;

use crate::error::Result;

/// Bytes of a chunk of a response.
const CHUNK: usize = 16 << 10;
const TURNS: usize = 50;

/// A running server, on its own port; clones share it.
#[derive(Clone)]
pub struct FileServer {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    files: HashMap<String, Bytes>,
    /// Whether ranges are ignored.
    has_no_ranges: bool,
    /// Whether responses have no entity tag.
    has_no_tags: bool,
    /// Whether responses have no length.
    has_no_length: bool,
    planned: Vec<(String, WebFault)>,
    /// Path and `Range` of each request.
    requests: Vec<String>,
    authorizations: Vec<Option<String>>,
}

/// What happens to one request instead of its regular response.
#[derive(Clone, Debug)]
pub enum WebFault {
    /// This status, with `Retry-After` in seconds.
    Status(u16, Option<u64>),
    /// The connection breaks after so many bytes of the body.
    Cut(usize),
    Redirect(String),
}

impl FileServer {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let server = Self { address: listener.local_addr()?, shared: Arc::default() };
        let router = Router::new().fallback(respond).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(server)
    }

    /// The URL of a path, which begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The same with the host name `localhost`.
    pub fn url_by_name(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.address.port())
    }

    pub fn publish(&self, path: &str, content: impl Into<Bytes>) {
        self.shared().files.insert(path.to_owned(), content.into());
    }

    /// Makes the server ignore ranges.
    pub fn without_ranges(&self) {
        self.shared().has_no_ranges = true;
    }

    /// Leaves out entity tags.
    pub fn without_tags(&self) {
        self.shared().has_no_tags = true;
    }

    /// Leaves out the length of responses.
    pub fn without_length(&self) {
        self.shared().has_no_length = true;
    }

    /// Makes the next request for a path fail. Several are used in order.
    pub fn plan(&self, path: &str, fault: WebFault) {
        self.shared().planned.push((path.to_owned(), fault));
    }

    /// Path and range of the requests since the last call of this method: `/a bytes=0-9`.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.shared().requests)
    }

    /// The `Authorization` header of each request since the last call of this method.
    pub fn authorizations(&self) -> Vec<Option<String>> {
        std::mem::take(&mut self.shared().authorizations)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn respond(State(server): State<FileServer>, uri: Uri, headers: HeaderMap) -> Response {
    let mut shared = server.shared();
    let path = uri.path().to_owned();
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let range = text(RANGE);
    shared.requests.push(format!("{path} {}", range.unwrap_or_default()).trim_end().to_owned());
    shared.authorizations.push(text(http::header::AUTHORIZATION).map(str::to_owned));
    let planned = shared.planned.iter().position(|(planned, _)| *planned == path);
    let fault = planned.map(|at| shared.planned.remove(at).1);
    match fault {
        Some(WebFault::Status(status, retry_after)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let headers: HeaderMap = retry_after.map(|seconds| (RETRY_AFTER, seconds.into())).into_iter().collect();
            return (status, headers).into_response();
        }
        Some(WebFault::Redirect(target)) => return (StatusCode::FOUND, [(LOCATION, target)]).into_response(),
        Some(WebFault::Cut(_)) | None => {}
    }
    let cut = match fault {
        Some(WebFault::Cut(bytes)) => Some(bytes),
        _ => None,
    };
    let Some(content) = shared.files.get(&path).cloned() else { return StatusCode::NOT_FOUND.into_response() };
    let tag = (!shared.has_no_tags).then(|| tag(&content));
    if let (Some(tag), Some(expected)) = (&tag, text(IF_MATCH))
        && tag != expected
    {
        return StatusCode::PRECONDITION_FAILED.into_response();
    }
    let range = range.filter(|_| !shared.has_no_ranges);
    file_response(&content, range, tag.as_deref(), cut, !shared.has_no_length)
}

/// The entity tag of a content.
fn tag(content: &[u8]) -> String {
    let sum = content.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    format!("\"{sum:x}-{}\"", content.len())
}

/// The response with a file, or a range of it, whose connection may break after some bytes.
pub(crate) fn file_response(
    content: &Bytes,
    range: Option<&str>,
    tag: Option<&str>,
    cut: Option<usize>,
    has_length: bool,
) -> Response {
    let mut headers = HeaderMap::new();
    if let Some(value) = tag.and_then(|tag| tag.parse().ok()) {
        headers.insert(ETAG, value);
    }
    let (status, body) = match range.and_then(|range| bounds(range, content.len())) {
        None => (StatusCode::OK, content.clone()),
        Some((start, end)) if start >= end => {
            let value = format!("bytes */{}", content.len());
            return (StatusCode::RANGE_NOT_SATISFIABLE, [(CONTENT_RANGE, value)]).into_response();
        }
        Some((start, end)) => {
            let value = format!("bytes {start}-{}/{}", end - 1, content.len());
            headers.extend(value.parse().ok().map(|value| (CONTENT_RANGE, value)));
            (StatusCode::PARTIAL_CONTENT, content.slice(start..end))
        }
    };
    if has_length {
        headers.insert(CONTENT_LENGTH, body.len().into());
        headers.insert(ACCEPT_RANGES, http::HeaderValue::from_static("bytes"));
    }
    let sent = body.slice(..cut.unwrap_or(body.len()).min(body.len()));
    let chunks: Vec<std::io::Result<Bytes>> = sent.chunks(CHUNK).map(|chunk| Ok(sent.slice_ref(chunk))).collect();
    let end = stream::iter(cut).then(async |_| {
        // What is not sent when a body fails is discarded: the connection gets the turns to send it.
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        Err(std::io::Error::other("the connection breaks here"))
    });
    (status, headers, Body::from_stream(stream::iter(chunks).chain(end))).into_response()
}

/// Start and end of `bytes=0-9` or `bytes=5-`.
fn bounds(range: &str, length: usize) -> Option<(usize, usize)> {
    let (start, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let end = last.parse::<usize>().map_or(length, |last| (last + 1).min(length));
    Some((start.parse().ok()?, end))
}
