//! A stand-in for a Hugging Face hub: pages, tokens, gated and private models, limits, failures, slowness, redirects.
//!
//! It answers as the hub does, error codes and limit headers included; the published `huggingface_hub` package is run
//! against it to prove that (`crates/cli/tests/it/hub.rs`).

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

/// A token that may see everything.
pub const TOKEN: &str = "hf_test";
/// A token of somebody who was not granted access to gated models.
pub const STRANGER: &str = "hf_stranger";

/// How many models a page has at most, unless a test says otherwise: pages are to be turned.
const PAGE: usize = 2;

/// A hub on a port of its own; clones are one hub.
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
    /// Models whose files are closed although they are described.
    closed_files: HashSet<String>,
    cards: HashMap<String, String>,
    page: Option<usize>,
    /// Answers given instead of the real ones, for a path, one after the other.
    planned: HashMap<String, Vec<Planned>>,
    /// What the address of the next page begins with; otherwise the hub's own address.
    next_pages_at: Option<String>,
    /// Added to every answer.
    headers: HeaderMap,
    pause: Duration,
    requests: Vec<String>,
    /// What each of the requests said of who is asking.
    authorizations: Vec<Option<String>>,
    running: usize,
    most_running: usize,
}

/// An answer instead of the real one.
pub enum Planned {
    /// 429, with these headers.
    Busy(Vec<(&'static str, String)>),
    /// 502.
    Broken,
    Refused(StatusCode),
    /// The real answer, after a while.
    Slow(Duration),
    Redirect(String),
    /// The real answer, with these headers.
    With(Vec<(&'static str, String)>),
}

impl HubServer {
    pub async fn start() -> Result<Self> {
        Self::start_below("").await
    }

    /// A mirror of a hub, somewhere on a server that has more to offer.
    pub async fn start_below(path: &'static str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = Self { address, path, hub: Shared::default() };
        let router = Router::new()
            .route("/api/whoami-v2", get(whoami))
            .route("/api/models", get(list))
            .route("/api/models/{*name}", get(model))
            .route("/{organization}/{name}/raw/main/{file}", get(raw))
            .with_state(server.clone());
        let router = if path.is_empty() { router } else { Router::new().nest(path, router) };
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(server)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Without a slash at the end.
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

    /// From now on the model is only for those who were granted access.
    pub fn gate(&self, name: &str) {
        let mut hub = self.hub();
        hub.gated.insert(name.to_owned());
        hub.models.entry(name.to_owned()).and_modify(|info| info["gated"] = json!("manual"));
    }

    /// From now on the model's files are only for those who were granted access; everybody may read what is said of it.
    pub fn gate_files(&self, name: &str) {
        let mut hub = self.hub();
        hub.closed_files.insert(name.to_owned());
        hub.models.entry(name.to_owned()).and_modify(|info| info["gated"] = json!("auto"));
    }

    /// Changes what the hub says of a model.
    pub fn edit(&self, name: &str, edit: impl FnOnce(&mut Value)) {
        self.hub().models.entry(name.to_owned()).and_modify(edit);
    }

    /// Gives a model this card.
    pub fn set_card(&self, name: &str, card: String) {
        self.hub().cards.insert(name.to_owned(), card);
    }

    /// Gives pages this length at most.
    pub fn set_page_size(&self, size: usize) {
        self.hub().page = Some(size);
    }

    /// From now on nobody else can tell that there is such a model.
    pub fn hide(&self, name: &str) {
        let mut hub = self.hub();
        hub.private.insert(name.to_owned());
        hub.models.entry(name.to_owned()).and_modify(|info| info["private"] = json!(true));
    }

    /// From now on everybody may see the model.
    pub fn open(&self, name: &str) {
        let mut hub = self.hub();
        hub.gated.remove(name);
        hub.private.remove(name);
        let open = |info: &mut Value| (info["gated"], info["private"]) = (json!(false), json!(false));
        hub.models.entry(name.to_owned()).and_modify(open);
    }

    pub fn plan(&self, path: &str, answers: Vec<Planned>) {
        self.hub().planned.insert(path.to_owned(), answers);
    }

    /// Makes every answer take this long.
    pub fn slow_down(&self, pause: Duration) {
        self.hub().pause = pause;
    }

    /// Adds a header to every answer from now on.
    pub fn always_send(&self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.hub().headers.insert(HeaderName::from_static(name), value);
        }
    }

    /// Names another host in the addresses of next pages.
    pub fn send_next_pages_to(&self, base_url: &str) {
        self.hub().next_pages_at = Some(base_url.to_owned());
    }

    /// The paths asked for since the last call.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.hub().requests)
    }

    /// The `Authorization` of each request since the last call.
    pub fn authorizations(&self) -> Vec<Option<String>> {
        std::mem::take(&mut self.hub().authorizations)
    }

    /// How many requests ran at once at most.
    pub fn most_at_once(&self) -> usize {
        self.hub().most_running
    }

    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request, and answers as planned or else as it should.
    async fn answer(&self, path: &str, headers: &HeaderMap, real: impl FnOnce(&Hub) -> Response) -> Response {
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
            None => real(&self.hub()),
            Some(Planned::Busy(headers)) => {
                let message = json!({"error": "You have exceeded your limit of requests"});
                with(headers, (StatusCode::TOO_MANY_REQUESTS, Json(message)).into_response())
            }
            Some(Planned::Broken) => StatusCode::BAD_GATEWAY.into_response(),
            Some(Planned::Refused(status)) => status.into_response(),
            Some(Planned::Slow(pause)) => {
                tokio::time::sleep(pause).await;
                real(&self.hub())
            }
            Some(Planned::Redirect(target)) => (StatusCode::FOUND, [("location", target)]).into_response(),
            Some(Planned::With(headers)) => with(headers, real(&self.hub())),
        };
        response.headers_mut().extend(always);
        response
    }
}

/// A request that is being answered; whoever asks may go away at any time.
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

/// An error as the hub tells it: clients go by the headers.
fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let headers = [("x-error-code", code.to_owned()), ("x-error-message", message.to_owned())];
    (status, headers, Json(json!({"error": message}))).into_response()
}

/// Who is asking.
#[derive(Clone, Copy, PartialEq)]
enum Asker {
    Nobody,
    Stranger,
    Member,
    /// With a token that the hub has never given out.
    Impostor,
}

fn asker(headers: &HeaderMap) -> Asker {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match token {
        None => Asker::Nobody,
        Some(TOKEN) => Asker::Member,
        Some(STRANGER) => Asker::Stranger,
        Some(_) => Asker::Impostor,
    }
}

/// What the hub says to a token that it does not know, whatever was asked for.
fn unknown_token() -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({"error": "Invalid username or password."}))).into_response()
}

async fn whoami(State(server): State<HubServer>, headers: HeaderMap) -> Response {
    let answer = |_: &Hub| match asker(&headers) {
        Asker::Member => Json(json!({"type": "user", "name": "member", "orgs": []})).into_response(),
        Asker::Stranger => Json(json!({"type": "user", "name": "stranger", "orgs": []})).into_response(),
        Asker::Nobody | Asker::Impostor => unknown_token(),
    };
    server.answer("/api/whoami-v2", &headers, answer).await
}

async fn list(
    State(server): State<HubServer>,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let value = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let answer = |hub: &Hub| {
        let asker = asker(&headers);
        if asker == Asker::Impostor {
            return unknown_token();
        }
        let search = value("search").to_lowercase();
        let found = hub.models.iter().filter(|(name, info)| {
            (value("author").is_empty() || info["author"] == value("author"))
                && name.to_lowercase().contains(&search)
                && (asker == Asker::Member || !hub.private.contains(*name))
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
    server.answer("/api/models", &headers, answer).await
}

async fn model(State(server): State<HubServer>, headers: HeaderMap, Path(name): Path<String>) -> Response {
    let answer = |hub: &Hub| closed(hub, &name, &headers).unwrap_or_else(|| Json(&hub.models[&name]).into_response());
    server.answer(&format!("/api/models/{name}"), &headers, answer).await
}

async fn raw(
    State(server): State<HubServer>,
    headers: HeaderMap,
    Path((organization, name, file)): Path<(String, String, String)>,
) -> Response {
    let full_name = format!("{organization}/{name}");
    let answer = |hub: &Hub| {
        let closed = closed(hub, &full_name, &headers);
        let is_closed = hub.closed_files.contains(&full_name) && asker(&headers) != Asker::Member;
        closed.or_else(|| is_closed.then(|| gated(&full_name, &headers))).unwrap_or_else(|| {
            hub.cards.get(&full_name).cloned().unwrap_or_else(|| format!("# {name}\n")).into_response()
        })
    };
    server.answer(&format!("/{full_name}/{file}"), &headers, answer).await
}

/// What those hear who may not see a model; `None` for those who may.
fn closed(hub: &Hub, name: &str, headers: &HeaderMap) -> Option<Response> {
    let asker = asker(headers);
    if asker == Asker::Impostor {
        return Some(unknown_token());
    }
    if !hub.models.contains_key(name) || (hub.private.contains(name) && asker != Asker::Member) {
        // Whoever is not known may not even learn that there is none.
        let status = if asker == Asker::Nobody { StatusCode::UNAUTHORIZED } else { StatusCode::NOT_FOUND };
        return Some(error(status, "RepoNotFound", "Repository not found"));
    }
    (hub.gated.contains(name) && asker != Asker::Member).then(|| gated(name, headers))
}

/// What those hear who were not granted access.
fn gated(name: &str, headers: &HeaderMap) -> Response {
    let status = if asker(headers) == Asker::Nobody { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
    error(status, "GatedRepo", &format!("Access to model {name} is restricted"))
}
