//! A registry in memory that keeps to the distribution specification, unless a fault is planned.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use model_registry_oci::Digest;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) const USER: &str = "me";
pub(crate) const PASSWORD: &str = "hunter2";
pub(crate) const IDENTITY_TOKEN: &str = "identity-hunter2";

#[derive(Clone)]
pub(crate) struct FakeRegistry {
    address: std::net::SocketAddr,
    state: Arc<Mutex<Content>>,
}

#[derive(Default)]
pub(crate) struct Content {
    pub(crate) blobs: HashMap<(String, String), Bytes>,
    pub(crate) manifests: BTreeMap<(String, String), (String, Bytes)>,
    pub(crate) uploads: HashMap<String, (String, Vec<u8>)>,
    pub(crate) has_referrers: bool,
    pub(crate) authentication: Authentication,
    pub(crate) cannot_mount: bool,
    pub(crate) ignores_ranges: bool,
    faults: Vec<(&'static str, &'static str, Fault)>,
    requests: Vec<String>,
    /// Bytes of bodies of uploads.
    pub(crate) received: usize,
    next_upload: usize,
}

#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum Authentication {
    #[default]
    None,
    Basic,
    Token,
}

/// What happens to one request instead of the regular response.
#[derive(Clone)]
pub(crate) enum Fault {
    Status(u16),
    Busy(&'static str),
    /// The connection is closed after this many bytes of the request or, for GET, of the response.
    Cut(usize),
    /// The same, and the registry forgets the upload.
    CutAndLost(usize),
    /// Other bytes of the same length.
    Damaged,
    /// This text as the body of an error.
    Refused(u16, String),
    /// A header with this digest.
    OtherDigest(String),
}

impl FakeRegistry {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let registry = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let router = Router::new().fallback(respond).with_state(registry.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        registry
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn content(&self) -> MutexGuard<'_, Content> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans a fault for the next request with this method whose path contains the text.
    pub(crate) fn plan(&self, method: &'static str, path: &'static str, fault: Fault) {
        self.content().faults.push((method, path, fault));
    }

    /// The requests since the last call, as `METHOD PATH`.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.content().requests)
    }

    pub(crate) fn put_blob(&self, repository: &str, bytes: impl Into<Bytes>) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        self.content().blobs.insert((repository.to_owned(), digest.to_string()), bytes);
        digest
    }

    pub(crate) fn put_manifest(&self, repository: &str, tag: &str, manifest: &Value) -> Digest {
        let bytes = Bytes::from(manifest.to_string());
        let digest = Digest::of(&bytes);
        let kind = manifest["mediaType"].as_str().unwrap().to_owned();
        let mut content = self.content();
        for reference in [tag.to_owned(), digest.to_string()] {
            content.manifests.insert((repository.to_owned(), reference), (kind.clone(), bytes.clone()));
        }
        digest
    }

    pub(crate) fn manifest(&self, repository: &str, reference: &str) -> Value {
        let content = self.content();
        let (_, bytes) = &content.manifests[&(repository.to_owned(), reference.to_owned())];
        serde_json::from_slice(bytes).unwrap()
    }

    fn take_fault(&self, method: &Method, path: &str) -> Option<Fault> {
        let mut content = self.content();
        let found =
            content.faults.iter().position(|(wanted, part, _)| *wanted == method.as_str() && path.contains(part))?;
        Some(content.faults.remove(found).2)
    }
}

/// Closes the connection without a response.
fn cut() -> ! {
    std::panic::resume_unwind(Box::new("the connection is cut as planned"))
}

async fn respond(State(registry): State<FakeRegistry>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    registry.content().requests.push(format!("{} {path}", parts.method));
    if path.starts_with("/token") {
        return token(&parts.method, &path, &parts.headers, body).await;
    }
    if let Some(challenge) = refused(&registry, &parts.headers) {
        return challenge;
    }
    let fault = registry.take_fault(&parts.method, &path);
    match &fault {
        Some(Fault::Status(status)) => return StatusCode::from_u16(*status).unwrap().into_response(),
        Some(Fault::Busy(after)) => return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", *after)]).into_response(),
        Some(Fault::Refused(status, message)) => {
            let body = json!({"errors": [{"code": "REFUSED", "message": message}]});
            return (StatusCode::from_u16(*status).unwrap(), body.to_string()).into_response();
        }
        _ => {}
    }
    let path = path.strip_prefix("/v2/").unwrap_or_default().to_owned();
    if let Some((repository, rest)) = path.split_once("/blobs/uploads/") {
        return upload(&registry, repository, rest, &parts.method, &parts.headers, body, fault).await;
    }
    if let Some((repository, digest)) = path.split_once("/blobs/") {
        return blob(&registry, repository, digest, &parts.method, &parts.headers, fault.as_ref());
    }
    if let Some((repository, reference)) = path.split_once("/manifests/") {
        return manifest(&registry, repository, reference, &parts.method, &parts.headers, body, fault).await;
    }
    match path.split_once("/referrers/") {
        Some((repository, rest)) if registry.content().has_referrers => referrers(&registry, repository, rest),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn basic() -> String {
    use base64::Engine;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}")))
}

fn refused(registry: &FakeRegistry, headers: &HeaderMap) -> Option<Response> {
    let given = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let challenge = match registry.content().authentication {
        Authentication::None => return None,
        Authentication::Basic if given == basic() => return None,
        Authentication::Token if given.starts_with("Bearer issued-for-") => return None,
        Authentication::Basic => r#"Basic realm="test""#.to_owned(),
        Authentication::Token => format!(r#"Bearer realm="http://{}/token",service="test""#, registry.address),
    };
    Some((StatusCode::UNAUTHORIZED, [("www-authenticate", challenge)], "{}").into_response())
}

async fn token(method: &Method, path: &str, headers: &HeaderMap, body: Body) -> Response {
    let given = headers.get("authorization").and_then(|value| value.to_str().ok());
    let body = axum::body::to_bytes(body, 10_000).await.unwrap();
    let form = String::from_utf8_lossy(&body);
    let is_refresh = method == Method::POST && form.contains(&format!("refresh_token={IDENTITY_TOKEN}"));
    if is_refresh || given == Some(&basic()) {
        assert!(path.contains("scope=repository") || form.contains("scope=repository"), "{path} {form}");
        return axum::Json(json!({"token": "issued-for-me", "expires_in": 300})).into_response();
    }
    StatusCode::UNAUTHORIZED.into_response()
}

async fn upload(
    registry: &FakeRegistry,
    repository: &str,
    rest: &str,
    method: &Method,
    headers: &HeaderMap,
    body: Body,
    fault: Option<Fault>,
) -> Response {
    let (id, query) = rest.split_once('?').unwrap_or((rest, ""));
    let parameter = |name: &str| {
        let found = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        found.map(|value| value.replace("%3A", ":").replace("%2F", "/"))
    };
    let location = |id: &str| format!("/v2/{repository}/blobs/uploads/{id}?_state=secret-state-of-{id}");
    match *method {
        Method::POST => {
            let mut content = registry.content();
            if let (Some(digest), Some(from)) = (parameter("mount"), parameter("from"))
                && !content.cannot_mount
                && let Some(bytes) = content.blobs.get(&(from, digest.clone())).cloned()
            {
                content.blobs.insert((repository.to_owned(), digest), bytes);
                return (StatusCode::CREATED, [("location", "/x")]).into_response();
            }
            content.next_upload += 1;
            let id = content.next_upload.to_string();
            content.uploads.insert(id.clone(), (repository.to_owned(), Vec::new()));
            (StatusCode::ACCEPTED, [("location", location(&id))]).into_response()
        }
        Method::GET => match registry.content().uploads.get(id) {
            Some((_, bytes)) => {
                let range = format!("0-{}", bytes.len().saturating_sub(1));
                (StatusCode::NO_CONTENT, [("range", range), ("location", location(id))]).into_response()
            }
            None => StatusCode::NOT_FOUND.into_response(),
        },
        Method::DELETE => {
            registry.content().uploads.remove(id);
            StatusCode::NO_CONTENT.into_response()
        }
        Method::PATCH | Method::PUT => {
            let present = registry.content().uploads.get(id).map(|(_, bytes)| bytes.len());
            let Some(present) = present else { return StatusCode::NOT_FOUND.into_response() };
            let range = headers.get("content-range").and_then(|value| value.to_str().ok());
            if let Some(start) = range.and_then(|range| range.split('-').next()?.parse::<usize>().ok())
                && start != present
            {
                return StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            }
            receive(registry, id, body, fault.as_ref()).await;
            if *method == Method::PATCH {
                return (StatusCode::ACCEPTED, [("location", location(id))]).into_response();
            }
            commit(registry, id, &parameter("digest").unwrap_or_default(), fault)
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

async fn receive(registry: &FakeRegistry, id: &str, body: Body, fault: Option<&Fault>) {
    let limit = match fault {
        Some(Fault::Cut(limit) | Fault::CutAndLost(limit)) => Some(*limit),
        _ => None,
    };
    let mut stream = body.into_data_stream();
    let mut count = 0;
    while let Some(chunk) = stream.next().await {
        let Ok(chunk) = chunk else { return };
        let kept = limit.map_or(chunk.len(), |limit| chunk.len().min(limit - count));
        count += kept;
        let mut content = registry.content();
        content.received += kept;
        if let Some((_, bytes)) = content.uploads.get_mut(id) {
            bytes.extend_from_slice(&chunk[..kept]);
        }
        if limit == Some(count) {
            if matches!(fault, Some(Fault::CutAndLost(_))) {
                content.uploads.remove(id);
            }
            drop(content);
            cut();
        }
    }
}

fn commit(registry: &FakeRegistry, id: &str, digest: &str, fault: Option<Fault>) -> Response {
    let mut content = registry.content();
    let Some((repository, bytes)) = content.uploads.remove(id) else { return StatusCode::NOT_FOUND.into_response() };
    let found = Digest::of(&bytes).to_string();
    if found != digest {
        let body = json!({"errors": [{"code": "DIGEST_INVALID", "message": "provided digest did not match"}]});
        return (StatusCode::BAD_REQUEST, body.to_string()).into_response();
    }
    content.blobs.insert((repository, found.clone()), bytes.into());
    let announced = if let Some(Fault::OtherDigest(other)) = fault { other } else { found };
    (StatusCode::CREATED, [("location", "/x".to_owned()), ("docker-content-digest", announced)]).into_response()
}

fn blob(
    registry: &FakeRegistry,
    repository: &str,
    digest: &str,
    method: &Method,
    headers: &HeaderMap,
    fault: Option<&Fault>,
) -> Response {
    let content = registry.content();
    let Some(bytes) = content.blobs.get(&(repository.to_owned(), digest.to_owned())) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if *method == Method::HEAD {
        return [("content-length", bytes.len().to_string())].into_response();
    }
    let range = headers.get("range").filter(|_| !content.ignores_ranges).and_then(|value| value.to_str().ok());
    let range = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let (status, start, end) = match range {
        Some((start, end)) => (StatusCode::PARTIAL_CONTENT, start.parse().unwrap(), end.parse::<usize>().unwrap() + 1),
        None => (StatusCode::OK, 0, bytes.len()),
    };
    let mut part = bytes.slice(start..end);
    let total = part.len();
    if matches!(fault, Some(Fault::Damaged)) {
        part = part.iter().map(|byte| byte ^ 1).collect();
    }
    let body = match fault {
        Some(Fault::Cut(length)) => {
            let first = part.slice(..(*length).min(total));
            let end = Err(std::io::Error::other("the connection is cut as planned"));
            Body::from_stream(futures::stream::iter([Ok(first), end]))
        }
        _ => Body::from(part),
    };
    let mut response = (status, body).into_response();
    response.headers_mut().insert("content-length", HeaderValue::from(total));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {start}-{}/{}", end - 1, bytes.len());
        response.headers_mut().insert("content-range", HeaderValue::from_str(&range).unwrap());
    }
    response
}

async fn manifest(
    registry: &FakeRegistry,
    repository: &str,
    reference: &str,
    method: &Method,
    headers: &HeaderMap,
    body: Body,
    fault: Option<Fault>,
) -> Response {
    if *method == Method::PUT {
        let bytes = axum::body::to_bytes(body, 5 << 20).await.unwrap();
        let kind = headers["content-type"].to_str().unwrap().to_owned();
        let digest = Digest::of(&bytes).to_string();
        let mut content = registry.content();
        let parsed: Value = serde_json::from_slice(&bytes).unwrap();
        // Registries refuse manifests whose parts are missing.
        for blob in parsed["layers"].as_array().into_iter().flatten().chain([&parsed["config"]]) {
            let Some(digest) = blob["digest"].as_str() else { continue };
            if !content.blobs.contains_key(&(repository.to_owned(), digest.to_owned())) {
                let body = json!({"errors": [{"code": "MANIFEST_BLOB_UNKNOWN", "message": digest}]});
                return (StatusCode::BAD_REQUEST, body.to_string()).into_response();
            }
        }
        for name in [reference.to_owned(), digest.clone()] {
            content.manifests.insert((repository.to_owned(), name), (kind.clone(), bytes.clone()));
        }
        let mut response = (StatusCode::CREATED, [("docker-content-digest", digest)]).into_response();
        if content.has_referrers && parsed["subject"].is_object() {
            response.headers_mut().insert("oci-subject", HeaderValue::from_static("set"));
        }
        return response;
    }
    let content = registry.content();
    let Some((kind, bytes)) = content.manifests.get(&(repository.to_owned(), reference.to_owned())) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let bytes = match fault {
        Some(Fault::Damaged) => [bytes.as_ref(), b" "].concat().into(),
        _ => bytes.clone(),
    };
    let digest = content.manifests[&(repository.to_owned(), reference.to_owned())].1.clone();
    let digest = Digest::of(&digest).to_string();
    ([("content-type", kind.clone()), ("docker-content-digest", digest)], bytes).into_response()
}

fn referrers(registry: &FakeRegistry, repository: &str, rest: &str) -> Response {
    let subject = rest.split('?').next().unwrap_or_default();
    let content = registry.content();
    let mut found: Vec<Value> = Vec::new();
    for ((of, reference), (kind, bytes)) in &content.manifests {
        let parsed: Value = serde_json::from_slice(bytes).unwrap();
        if of == repository && reference.starts_with("sha256:") && parsed["subject"]["digest"] == subject {
            found.push(json!({
                "mediaType": kind, "digest": reference, "size": bytes.len(), "artifactType": parsed["artifactType"],
            }));
        }
    }
    let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": found});
    ([("content-type", "application/vnd.oci.image.index.v1+json")], index.to_string()).into_response()
}
