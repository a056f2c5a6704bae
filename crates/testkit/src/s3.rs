//! An S3 server over a temporary directory, which checks signatures and fails as planned.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::error::{Error, Result};

const ACCESS_KEY: &str = "test-access-key";
pub const SECRET_KEY: &str = "test-secret-key-that-no-log-may-contain";
pub const BUCKET: &str = "models";

/// A running server with one empty bucket; it ends when dropped.
pub struct S3Server {
    address: SocketAddr,
    directory: PathBuf,
    /// Removed when dropped, unless the directory is the caller's.
    _temporary: Option<TempDir>,
    shared: Arc<Mutex<Shared>>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    /// Whether credentials are ignored.
    is_public: bool,
    planned: Vec<(Planned, Fault)>,
    requests: Vec<(Method, String)>,
    pause: Duration,
    /// Bytes of objects and parts that were received.
    received: u64,
    /// Bytes of responses that were sent.
    sent: Arc<AtomicU64>,
    /// Requests without a response yet.
    working: usize,
}

/// The requests that a fault is for.
struct Planned {
    method: Method,
    /// A part of path and query.
    contains: &'static str,
}

/// What happens to one request instead of its regular response.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This status, with `Retry-After` in seconds.
    Status(u16, Option<u64>),
    /// The connection breaks after so many bytes of the body.
    Cut(u64),
}

impl S3Server {
    pub async fn start() -> Result<Self> {
        let temporary = TempDir::new()?;
        Self::start_with(temporary.path().to_owned(), Some(temporary), false).await
    }

    /// Starts a server over a directory that exists. It stays.
    pub async fn start_in(directory: &Path, is_public: bool) -> Result<Self> {
        Self::start_with(directory.to_owned(), None, is_public).await
    }

    async fn start_with(directory: PathBuf, temporary: Option<TempDir>, is_public: bool) -> Result<Self> {
        std::fs::create_dir_all(directory.join(BUCKET))?;
        let failed = |problem: String| Error::Failed { what: "the S3 server".to_owned(), problem, log: String::new() };
        let files = s3s_fs::FileSystem::new(&directory).map_err(|error| failed(format!("{error:?}")))?;
        let mut builder = S3ServiceBuilder::new(files);
        if !is_public {
            builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        }
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Mutex::new(Shared { is_public, ..Shared::default() }));
        let accepting = tokio::spawn(accept(listener, service, Arc::clone(&shared)));
        Ok(Self { address, directory, _temporary: temporary, shared, accepting })
    }

    /// The URL of the server.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The variables with which clients of S3 use the server.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        Self::variables_for(&self.base_url())
    }

    /// The same for a server in another process.
    pub fn variables_for(base_url: &str) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", base_url.to_owned()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ]
    }

    /// The directory with the objects of the bucket.
    pub fn bucket(&self) -> PathBuf {
        self.directory.join(BUCKET)
    }

    /// Makes the next request of a kind fail. Several are used in order.
    pub fn plan(&self, method: Method, contains: &'static str, fault: Fault) {
        self.shared().planned.push((Planned { method, contains }, fault));
    }

    /// Delays every response.
    pub fn slow_down(&self, pause: Duration) {
        self.shared().pause = pause;
    }

    /// Methods, paths and queries of the requests since the last call of this method.
    pub fn requests(&self) -> Vec<(Method, String)> {
        std::mem::take(&mut self.shared().requests)
    }

    /// Bytes of objects and parts that were received since the last call of this method.
    pub fn received(&self) -> u64 {
        std::mem::take(&mut self.shared().received)
    }

    /// Bytes of responses that were sent since the last call of this method.
    pub fn sent(&self) -> u64 {
        self.shared().sent.swap(0, Ordering::Relaxed)
    }

    /// Whether every request has its response.
    pub fn is_idle(&self) -> bool {
        self.shared().working == 0
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, service: S3Service, shared: Arc<Mutex<Shared>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        tokio::spawn(serve(stream, service.clone(), Arc::clone(&shared)));
    }
}

async fn serve(stream: TcpStream, service: S3Service, shared: Arc<Mutex<Shared>>) {
    let respond = service_fn(move |mut request: Request<Incoming>| {
        let (service, shared) = (service.clone(), Arc::clone(&shared));
        async move {
            let (fault, pause, sent) = note(&shared, &mut request);
            tokio::time::sleep(pause).await;
            let (cut, status) = match fault {
                None => (None, None),
                Some(Fault::Cut(bytes)) => (Some(bytes), None),
                Some(Fault::Status(status, retry_after)) => (None, Some((status, retry_after))),
            };
            let response = match status {
                // On a task of its own: as at real stores, what was requested goes on when the client disappears.
                None => {
                    let working = Arc::clone(&shared);
                    working.lock().unwrap_or_else(PoisonError::into_inner).working += 1;
                    let work = tokio::spawn(async move {
                        let response = service.call(request.map(s3s::Body::from)).await;
                        working.lock().unwrap_or_else(PoisonError::into_inner).working -= 1;
                        response
                    });
                    work.await.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))?
                }
                Some((status, retry_after)) => {
                    let mut response = Response::new(s3s::Body::empty());
                    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                    if let Some(seconds) = retry_after {
                        response.headers_mut().insert(RETRY_AFTER, seconds.into());
                    }
                    response
                }
            };
            Ok::<_, s3s::HttpError>(response.map(|body| CutBody { body, left: cut, sent }))
        }
    });
    // A client may close the connection at any time.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), respond).await;
}

/// Records a request and returns the fault that is planned for it.
fn note(shared: &Mutex<Shared>, request: &mut Request<Incoming>) -> (Option<Fault>, Duration, Arc<AtomicU64>) {
    let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    if shared.is_public {
        request.headers_mut().remove(AUTHORIZATION);
    }
    if request.method() == Method::PUT {
        shared.received += request.body().size_hint().exact().unwrap_or_default();
    }
    let is_for =
        |(planned, _): &(Planned, Fault)| planned.method == request.method() && target.contains(planned.contains);
    let fault = shared.planned.iter().position(is_for).map(|at| shared.planned.remove(at).1);
    shared.requests.push((request.method().clone(), target));
    (fault, shared.pause, Arc::clone(&shared.sent))
}

/// A body that may end early, which breaks the connection.
struct CutBody {
    body: s3s::Body,
    left: Option<u64>,
    sent: Arc<AtomicU64>,
}

impl http_body::Body for CutBody {
    type Data = bytes::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Self::Data>, Self::Error>>> {
        if self.left == Some(0) {
            return Poll::Ready(Some(Err(std::io::Error::other("the connection breaks here"))));
        }
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        let frame = frame.map(|frame| frame.map_err(|error| std::io::Error::other(error.to_string())));
        let length = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref().map(bytes::Bytes::len));
        self.sent.fetch_add(length.unwrap_or_default() as u64, Ordering::Relaxed);
        let (Some(Ok(frame)), Some(left)) = (&frame, self.left) else { return Poll::Ready(frame) };
        let Some(data) = frame.data_ref() else { return Poll::Pending };
        let kept = data.slice(..usize::try_from(left).unwrap_or(usize::MAX).min(data.len()));
        self.left = Some(left - kept.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(kept))))
    }

    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&self.body)
    }
}
