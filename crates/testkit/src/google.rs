//! A fake Google Cloud Storage: the XML API with bearer tokens, metadata, conditions, and uploads in parts.
//!
//! Unlike an S3 server it knows `x-goog-meta-…`, tokens instead of signatures, and generations.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, ETAG, IF_MATCH, LAST_MODIFIED, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;

use crate::error::Result;
use crate::file_server::file_response;

/// The only bucket.
pub const GOOGLE_BUCKET: &str = "models";
/// The token that clients need.
pub const GOOGLE_TOKEN: &str = "test-bearer-token-that-no-log-may-contain";
const METADATA: &str = "x-goog-meta-";
/// Google accepts smaller parts only at the end.
const SMALLEST_PART: usize = 5 << 20;
const LARGEST_BODY: usize = 256 << 20;
/// Objects of a page of a list: few, so that lists have several.
const PAGE: usize = 3;
const MODIFIED: &str = "Wed, 21 Oct 2015 07:28:00 GMT";

/// A running store, on its own port; clones share it.
#[derive(Clone)]
pub struct GoogleStore {
    address: SocketAddr,
    /// Whether requests need no token.
    is_public: bool,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    objects: BTreeMap<String, Object>,
    uploads: HashMap<String, Upload>,
    generation: u64,
    /// Whether the response to a completion is a failure.
    loses_completions: bool,
}

#[derive(Clone, Default)]
struct Object {
    content: Bytes,
    metadata: Vec<(HeaderName, HeaderValue)>,
    generation: u64,
}

#[derive(Default)]
struct Upload {
    parts: BTreeMap<usize, Bytes>,
    metadata: Vec<(HeaderName, HeaderValue)>,
}

impl GoogleStore {
    /// Starts a store that requires [`GOOGLE_TOKEN`].
    pub async fn start() -> Result<Self> {
        Self::start_with(false).await
    }

    /// Starts a store for everyone.
    pub async fn start_public() -> Result<Self> {
        Self::start_with(true).await
    }

    async fn start_with(is_public: bool) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let store = Self { address: listener.local_addr()?, is_public, shared: Arc::default() };
        let router = Router::new().fallback(respond).with_state(store.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(store)
    }

    /// The variables with which clients use the store.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let access = if self.is_public {
            ("GOOGLE_SKIP_SIGNATURE", "true".to_owned())
        } else {
            ("GOOGLE_BEARER_TOKEN", GOOGLE_TOKEN.to_owned())
        };
        let base_url = format!("http://{}", self.address);
        vec![("GOOGLE_BASE_URL", base_url), ("GOOGLE_ALLOW_HTTP", "true".to_owned()), access]
    }

    /// The objects of the bucket.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.shared().objects.iter().map(|(key, object)| (key.clone(), object.content.to_vec())).collect()
    }

    /// Stores an object, whatever its name.
    pub fn put(&self, key: &str, content: impl Into<Bytes>) {
        self.shared().put(key, Vec::new(), content.into());
    }

    pub fn remove(&self, key: &str) {
        self.shared().objects.remove(key);
    }

    /// Whether uploads are completed, but the response is a failure.
    pub fn lose_responses_of_completions(&self, are_lost: bool) {
        self.shared().loses_completions = are_lost;
    }

    /// Forgets all uploads, as stores do after some days.
    pub fn forget_uploads(&self) {
        self.shared().uploads.clear();
    }

    /// The uploads that were neither completed nor aborted.
    pub fn pending_uploads(&self) -> usize {
        self.shared().uploads.len()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn respond(State(store): State<GoogleStore>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else { return StatusCode::BAD_REQUEST.into_response() };
    let authorization = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let expected = (!store.is_public).then(|| format!("Bearer {GOOGLE_TOKEN}"));
    if authorization != expected.as_deref() {
        return failure(StatusCode::UNAUTHORIZED, "AuthenticationRequired");
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let path = decoded(head.uri.path());
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    if bucket != GOOGLE_BUCKET {
        return failure(StatusCode::NOT_FOUND, "NoSuchBucket");
    }
    let query: HashMap<String, String> =
        url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let mut shared = store.shared();
    if key.is_empty() {
        return shared.list(&query);
    }
    let upload = query.get("uploadId");
    match (&head.method, upload) {
        (&Method::GET | &Method::HEAD, _) => shared.get(key, &head.method, &head.headers),
        (&Method::POST, None) if query.contains_key("uploads") => shared.begin(&head.headers),
        (&Method::POST, Some(upload)) => shared.complete(key, upload),
        (&Method::PUT, Some(upload)) => shared.put_part(upload, query.get("partNumber"), body),
        (&Method::PUT, None) => shared.put(key, metadata(&head.headers), body),
        (&Method::DELETE, Some(upload)) => {
            shared.uploads.remove(upload);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

impl Shared {
    fn list(&self, query: &HashMap<String, String>) -> Response {
        let prefix = query.get("prefix").map(String::as_str).unwrap_or_default();
        let after = query.get("continuation-token").or_else(|| query.get("start-after"));
        let mut found = self
            .objects
            .iter()
            .filter(|(key, _)| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after.as_str()));
        let mut text = String::from("<ListBucketResult>");
        let mut last = "";
        for (key, object) in found.by_ref().take(PAGE) {
            let (key_text, size, tag) = (escape(key), object.content.len(), object.tag());
            let _ = write!(
                text,
                "<Contents><Key>{key_text}</Key><Size>{size}</Size><LastModified>2015-10-21T07:28:00.000Z</LastModified>\
                 <ETag>{}</ETag></Contents>",
                escape(&tag)
            );
            last = key;
        }
        if found.next().is_some() {
            let _ = write!(text, "<NextContinuationToken>{}</NextContinuationToken>", escape(last));
        }
        text.push_str("</ListBucketResult>");
        text.into_response()
    }

    fn get(&self, key: &str, method: &Method, headers: &HeaderMap) -> Response {
        let Some(object) = self.objects.get(key) else { return failure(StatusCode::NOT_FOUND, "NoSuchKey") };
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        if text(IF_MATCH).is_some_and(|expected| expected != object.tag()) {
            return failure(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
        }
        let mut response = if method == Method::HEAD {
            [(CONTENT_LENGTH, object.content.len())].into_response()
        } else {
            file_response(&object.content, text(RANGE), None, None, true)
        };
        response.headers_mut().extend(object.metadata.iter().cloned());
        object.describe(&mut response);
        response
    }

    fn put(&mut self, key: &str, metadata: Vec<(HeaderName, HeaderValue)>, content: Bytes) -> Response {
        self.generation += 1;
        let object = Object { content, metadata, generation: self.generation };
        let mut response = StatusCode::OK.into_response();
        object.describe(&mut response);
        self.objects.insert(key.to_owned(), object);
        response
    }

    fn begin(&mut self, headers: &HeaderMap) -> Response {
        self.generation += 1;
        let id = format!("upload-{}", self.generation);
        let body = format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
        self.uploads.insert(id, Upload { metadata: metadata(headers), ..Upload::default() });
        body.into_response()
    }

    fn put_part(&mut self, upload: &str, number: Option<&String>, content: Bytes) -> Response {
        let Some(upload) = self.uploads.get_mut(upload) else { return failure(StatusCode::NOT_FOUND, "NoSuchUpload") };
        let Some(number) = number.and_then(|number| number.parse().ok()) else {
            return failure(StatusCode::BAD_REQUEST, "InvalidArgument");
        };
        let response = [(ETAG, format!("\"part-{number}\""))].into_response();
        upload.parts.insert(number, content);
        response
    }

    fn complete(&mut self, key: &str, upload: &str) -> Response {
        let Some(upload) = self.uploads.remove(upload) else { return failure(StatusCode::NOT_FOUND, "NoSuchUpload") };
        let last = upload.parts.keys().next_back().copied().unwrap_or_default();
        let is_small = |(number, part): (&usize, &Bytes)| *number != last && part.len() < SMALLEST_PART;
        if upload.parts.len() != last || upload.parts.iter().any(is_small) {
            return failure(StatusCode::BAD_REQUEST, "EntityTooSmall");
        }
        let content: Vec<u8> = upload.parts.values().flatten().copied().collect();
        self.put(key, upload.metadata, content.into());
        if self.loses_completions {
            return failure(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable");
        }
        let tag = self.objects.get(key).map(Object::tag).unwrap_or_default();
        format!("<CompleteMultipartUploadResult><ETag>{}</ETag></CompleteMultipartUploadResult>", escape(&tag))
            .into_response()
    }
}

impl Object {
    fn tag(&self) -> String {
        format!("\"{:x}\"", self.generation)
    }

    fn describe(&self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.extend(self.tag().parse().ok().map(|tag| (ETAG, tag)));
        headers.insert(LAST_MODIFIED, HeaderValue::from_static(MODIFIED));
        headers.insert("x-goog-generation", self.generation.into());
    }
}

fn metadata(headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    let own = headers.iter().filter(|(name, _)| name.as_str().starts_with(METADATA));
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn failure(status: StatusCode, code: &str) -> Response {
    (status, format!("<Error><Code>{code}</Code><Message>of the fake</Message></Error>")).into_response()
}

fn escape(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    escaped.replace('\n', "&#10;")
}
