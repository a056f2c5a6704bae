//! A fake Hugging Face hub: pages, tokens, gated and private models, rate limits, failures, slow responses, redirects.
//!
//! It responds like the real hub, including error codes and rate limit headers; `crates/cli/tests/it/hub.rs` verifies that
//! with the published `huggingface_hub` package.

mod files;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::error::Result;

/// The token of a user who can read everything.
pub const TOKEN: &str = "hf_test";
/// The token of a user without access to gated and private models.
pub const TOKEN_WITHOUT_ACCESS: &str = "hf_stranger";

/// The default page size; small, so that tests follow next pages.
const PAGE: usize = 2;

/// A running hub, on its own port; clones share it.
#[derive(Clone)]
pub struct HubServer {
    address: SocketAddr,
    path: &'static str,
    hub: Shared,
}

type Shared = Arc<Mutex<Hub>>;

#[derive(Default)]
struct Hub {
    models: BTreeMap<String, Value>,
    gated: HashSet<String>,
    private: HashSet<String>,
    /// Models whose description is public and whose files are gated.
    gated_files: HashSet<String>,
    cards: HashMap<String, String>,
    files: HashMap<String, files::HubFiles>,
    page: Option<usize>,
    /// Planned responses by path, used in order instead of the regular ones.
    planned: HashMap<String, Vec<Planned>>,
    /// The base URL in links to next pages; the hub's own if not set.
    next_pages_at: Option<String>,
    /// Headers added to every response.
    headers: HeaderMap,
    pause: Duration,
    requests: Vec<String>,
    /// The `Authorization` header of each request.
    authorizations: Vec<Option<String>>,
    running: usize,
    most_running: usize,
}

/// A response used once instead of the regular one.
pub enum Planned {
    /// Status 429, with these headers.
    Busy(Vec<(&'static str, String)>),
    /// Status 502.
    Broken,
    /// This status, without a body.
    Refused(StatusCode),
    /// The regular response, after a pause.
    Slow(Duration),
    Redirect(String),
    /// The regular response, with additional headers.
    With(Vec<(&'static str, String)>),
}

impl HubServer {
    pub async fn start() -> Result<Self> {
        Self::start_below("").await
    }

    /// Starts a mirror of a hub below a path of a server.
    pub async fn start_below(path: &'static str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = Self { address, path, hub: Shared::default() };
        let router = Router::new()
            .route("/api/whoami-v2", get(whoami))
            .route("/api/models", get(list))
            .route("/api/models/{*name}", get(model))
            .route("/{organization}/{name}/raw/main/{file}", get(raw))
            .route("/{organization}/{name}/resolve/{revision}/{*file}", get(files::resolve))
            .with_state(server.clone());
        let router = if path.is_empty() { router } else { Router::new().nest(path, router) };
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(server)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the hub, without a trailing slash.
    pub fn base_url(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }

    /// Publishes a model, or a new revision of it.
    pub fn publish(&self, name: &str, revision: u32) {
        let organization = name.split('/').next().unwrap_or_default();
        let mut hub = self.hub();
        let gated = if hub.gated.contains(name) { json!("manual") } else { json!(false) };
        let info = json!({
            "_id": "65f000000000000000000000", "id": name, "modelId": name, "author": organization,
            "sha": format!("{revision:040x}"),
            "createdAt": "2024-01-01T00:00:00.000Z", "lastModified": format!("2024-02-{revision:02}T00:00:00.000Z"),
            "private": hub.private.contains(name), "gated": gated, "disabled": false, "downloads": 42, "likes": 7,
            "library_name": "transformers", "pipeline_tag": "text-generation",
            "tags": ["license:apache-2.0", "pytorch"],
            "cardData": {"description": format!("revision {revision}"), "language": ["en", "de"]},
            "config": {"architectures": ["LlamaForCausalLM"], "model_type": "llama"},
            "siblings": [{"rfilename": "README.md"}],
        });
        hub.models.insert(name.to_owned(), info);
    }

    pub fn withdraw(&self, name: &str) {
        self.hub().models.remove(name);
    }

    /// Restricts the model to users with access.
    pub fn gate(&self, name: &str) {
        let mut hub = self.hub();
        hub.gated.insert(name.to_owned());
        hub.models.entry(name.to_owned()).and_modify(|info| info["gated"] = json!("manual"));
    }

    /// Restricts the model's files to users with access; its description stays public.
    pub fn gate_files(&self, name: &str) {
        let mut hub = self.hub();
        hub.gated_files.insert(name.to_owned());
        hub.models.entry(name.to_owned()).and_modify(|info| info["gated"] = json!("auto"));
    }

    /// Changes the hub's description of a model.
    pub fn edit(&self, name: &str, edit: impl FnOnce(&mut Value)) {
        self.hub().models.entry(name.to_owned()).and_modify(edit);
    }

    /// Sets the model's card (`README.md`).
    pub fn set_card(&self, name: &str, card: String) {
        self.hub().cards.insert(name.to_owned(), card);
    }

    /// Sets the maximum page size.
    pub fn set_page_size(&self, size: usize) {
        self.hub().page = Some(size);
    }

    /// Makes the model private: for users without access it does not exist.
    pub fn hide(&self, name: &str) {
        let mut hub = self.hub();
        hub.private.insert(name.to_owned());
        hub.models.entry(name.to_owned()).and_modify(|info| info["private"] = json!(true));
    }

    /// Makes the model public.
    pub fn open(&self, name: &str) {
        let mut hub = self.hub();
        hub.gated.remove(name);
        hub.private.remove(name);
        let open = |info: &mut Value| (info["gated"], info["private"]) = (json!(false), json!(false));
        hub.models.entry(name.to_owned()).and_modify(open);
    }

    /// Sets the next responses for a path.
    pub fn plan(&self, path: &str, responses: Vec<Planned>) {
        self.hub().planned.insert(path.to_owned(), responses);
    }

    /// Delays every response.
    pub fn slow_down(&self, pause: Duration) {
        self.hub().pause = pause;
    }

    /// Adds a header to every response.
    pub fn always_send(&self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.hub().headers.insert(HeaderName::from_static(name), value);
        }
    }

    /// Sets the base URL in links to next pages.
    pub fn send_next_pages_to(&self, base_url: &str) {
        self.hub().next_pages_at = Some(base_url.to_owned());
    }

    /// The paths requested since the last call of this method.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.hub().requests)
    }

    /// The `Authorization` header of each request since the last call of this method.
    pub fn authorizations(&self) -> Vec<Option<String>> {
        std::mem::take(&mut self.hub().authorizations)
    }

    /// The highest number of concurrent requests.
    pub fn most_at_once(&self) -> usize {
        self.hub().most_running
    }

    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request and returns the planned response or the regular one.
    async fn respond(&self, path: &str, headers: &HeaderMap, regular: impl FnOnce(&Hub) -> Response) -> Response {
        let _running = Running::begin(self);
        let (planned, pause, always) = {
            let mut hub = self.hub();
            hub.requests.push(path.to_owned());
            let authorization = headers.get("authorization").and_then(|value| value.to_str().ok());
            hub.authorizations.push(authorization.map(str::to_owned));
            let planned =
                hub.planned.get_mut(path).filter(|planned| !planned.is_empty()).map(|planned| planned.remove(0));
            (planned, hub.pause, hub.headers.clone())
        };
        tokio::time::sleep(pause).await;
        let mut response = match planned {
            None => regular(&self.hub()),
            Some(Planned::Busy(headers)) => {
                let message = json!({"error": "You have exceeded your limit of requests"});
                with(headers, (StatusCode::TOO_MANY_REQUESTS, Json(message)).into_response())
            }
            Some(Planned::Broken) => StatusCode::BAD_GATEWAY.into_response(),
            Some(Planned::Refused(status)) => status.into_response(),
            Some(Planned::Slow(pause)) => {
                tokio::time::sleep(pause).await;
                regular(&self.hub())
            }
            Some(Planned::Redirect(target)) => (StatusCode::FOUND, [("location", target)]).into_response(),
            Some(Planned::With(headers)) => with(headers, regular(&self.hub())),
        };
        response.headers_mut().extend(always);
        response
    }
}

/// Counts a request while it runs, also if the client disconnects.
struct Running<'a>(&'a HubServer);

impl<'a> Running<'a> {
    fn begin(server: &'a HubServer) -> Self {
        let mut hub = server.hub();
        hub.running += 1;
        hub.most_running = hub.most_running.max(hub.running);
        Self(server)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.hub().running -= 1;
    }
}

fn with(headers: Vec<(&'static str, String)>, mut response: Response) -> Response {
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// Returns an error in the hub's form: clients read the headers.
fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let headers = [("x-error-code", code.to_owned()), ("x-error-message", message.to_owned())];
    (status, headers, Json(json!({"error": message}))).into_response()
}

/// The kind of caller, by its token.
#[derive(Clone, Copy, PartialEq)]
enum Caller {
    Anonymous,
    WithoutAccess,
    WithAccess,
    /// The hub has never issued the token.
    InvalidToken,
}

fn caller(headers: &HeaderMap) -> Caller {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match token {
        None => Caller::Anonymous,
        Some(TOKEN) => Caller::WithAccess,
        Some(TOKEN_WITHOUT_ACCESS) => Caller::WithoutAccess,
        Some(_) => Caller::InvalidToken,
    }
}

/// The hub's response to an invalid token, for any path.
fn unknown_token() -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({"error": "Invalid username or password."}))).into_response()
}

async fn whoami(State(server): State<HubServer>, headers: HeaderMap) -> Response {
    let respond = |_: &Hub| match caller(&headers) {
        Caller::WithAccess => Json(json!({"type": "user", "name": "member", "orgs": []})).into_response(),
        Caller::WithoutAccess => Json(json!({"type": "user", "name": "stranger", "orgs": []})).into_response(),
        Caller::Anonymous | Caller::InvalidToken => unknown_token(),
    };
    server.respond("/api/whoami-v2", &headers, respond).await
}

async fn list(
    State(server): State<HubServer>,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let value = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let respond = |hub: &Hub| {
        let caller = caller(&headers);
        if caller == Caller::InvalidToken {
            return unknown_token();
        }
        let search = value("search").to_lowercase();
        let found = hub.models.iter().filter(|(name, info)| {
            (value("author").is_empty() || info["author"] == value("author"))
                && name.to_lowercase().contains(&search)
                && (caller == Caller::WithAccess || !hub.private.contains(*name))
        });
        let found: Vec<&Value> = found.map(|(_, info)| info).collect();
        let start: usize = value("cursor").parse().unwrap_or(0);
        let size = value("limit").parse().unwrap_or(usize::MAX).clamp(1, hub.page.unwrap_or(PAGE));
        let page: Vec<&Value> = found.iter().skip(start).take(size).copied().collect();
        let mut response = Json(page).into_response();
        if found.len() > start + size {
            let base = hub.next_pages_at.clone().unwrap_or_else(|| server.base_url());
            let others = query.iter().filter(|(name, _)| *name != "cursor");
            let kept: Vec<String> = others.map(|(name, value)| format!("{name}={value}&")).collect();
            let next = format!("<{base}/api/models?{}cursor={}>; rel=\"next\"", kept.concat(), start + size);
            response = with(vec![("link", next)], response);
        }
        response
    };
    server.respond("/api/models", &headers, respond).await
}

async fn model(State(server): State<HubServer>, headers: HeaderMap, Path(name): Path<String>) -> Response {
    let respond = |hub: &Hub| {
        files::revision_or_tree(hub, &name, &headers)
            .or_else(|| denied(hub, &name, &headers))
            .unwrap_or_else(|| Json(&hub.models[&name]).into_response())
    };
    server.respond(&format!("/api/models/{name}"), &headers, respond).await
}

async fn raw(
    State(server): State<HubServer>,
    headers: HeaderMap,
    Path((organization, name, file)): Path<(String, String, String)>,
) -> Response {
    let full_name = format!("{organization}/{name}");
    let respond = |hub: &Hub| {
        let denied = denied(hub, &full_name, &headers);
        let is_gated = hub.gated_files.contains(&full_name) && caller(&headers) != Caller::WithAccess;
        denied.or_else(|| is_gated.then(|| gated(&full_name, &headers))).unwrap_or_else(|| {
            hub.cards.get(&full_name).cloned().unwrap_or_else(|| format!("# {name}\n")).into_response()
        })
    };
    server.respond(&format!("/{full_name}/{file}"), &headers, respond).await
}

/// Returns the error for callers who cannot read a model; `None` for those who can.
fn denied(hub: &Hub, name: &str, headers: &HeaderMap) -> Option<Response> {
    let caller = caller(headers);
    if caller == Caller::InvalidToken {
        return Some(unknown_token());
    }
    if !hub.models.contains_key(name) || (hub.private.contains(name) && caller != Caller::WithAccess) {
        // Anonymous callers do not learn whether a private model exists.
        let status = if caller == Caller::Anonymous { StatusCode::UNAUTHORIZED } else { StatusCode::NOT_FOUND };
        return Some(error(status, "RepoNotFound", "Repository not found"));
    }
    (hub.gated.contains(name) && caller != Caller::WithAccess).then(|| gated(name, headers))
}

/// Returns the error for callers without access to a gated model.
fn gated(name: &str, headers: &HeaderMap) -> Response {
    let status = if caller(headers) == Caller::Anonymous { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
    error(status, "GatedRepo", &format!("Access to model {name} is restricted"))
}
