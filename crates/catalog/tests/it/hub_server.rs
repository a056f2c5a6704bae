//! A stand-in for a Hugging Face hub: pages, tokens, gated models, limits, failures, redirects.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

pub(crate) const TOKEN: &str = "hf_test";
const PAGE: usize = 2;

/// A hub on a port of its own.
#[derive(Clone)]
pub(crate) struct HubServer {
    pub(crate) address: SocketAddr,
    state: Shared,
}

type Shared = Arc<Mutex<Hub>>;

#[derive(Default)]
struct Hub {
    models: BTreeMap<String, Value>,
    gated: Vec<String>,
    /// Answers given instead of the real one, for a path, one after the other.
    planned: HashMap<String, Vec<Planned>>,
    requests: Vec<String>,
}

pub(crate) enum Planned {
    Busy { retry_after: u64 },
    Broken,
    Redirect(String),
}

impl HubServer {
    pub(crate) async fn start() -> Self {
        let state = Shared::default();
        let router = Router::new()
            .route("/api/whoami-v2", get(whoami))
            .route("/api/models", get(list))
            .route("/api/models/{*name}", get(model))
            .route("/{organization}/{name}/raw/main/{file}", get(raw))
            .with_state(Arc::clone(&state));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::task::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    /// Publishes a model, or a new revision of it.
    pub(crate) fn publish(&self, name: &str, revision: u32) {
        let organization = name.split('/').next().unwrap();
        let info = json!({
            "id": name, "author": organization, "sha": format!("sha{revision}"),
            "createdAt": "2024-01-01T00:00:00.000Z", "lastModified": format!("2024-02-{revision:02}T00:00:00.000Z"),
            "private": false, "gated": "auto", "library_name": "transformers", "pipeline_tag": "text-generation",
            "tags": ["license:apache-2.0", "pytorch"],
            "cardData": {"description": format!("revision {revision}"), "language": ["en", "de"]},
            "config": {"architectures": ["LlamaForCausalLM"], "model_type": "llama"},
            "siblings": [{"rfilename": "README.md"}],
        });
        self.state.lock().unwrap().models.insert(name.to_owned(), info);
    }

    pub(crate) fn withdraw(&self, name: &str) {
        self.state.lock().unwrap().models.remove(name);
    }

    pub(crate) fn gate(&self, name: &str) {
        self.state.lock().unwrap().gated.push(name.to_owned());
    }

    pub(crate) fn plan(&self, path: &str, answers: Vec<Planned>) {
        self.state.lock().unwrap().planned.insert(path.to_owned(), answers);
    }

    /// The paths asked for since the last call.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }
}

/// Notes a request; gives the answer that was planned for it.
fn enter(state: &Shared, path: &str) -> Option<Response> {
    let mut hub = state.lock().unwrap();
    hub.requests.push(path.to_owned());
    let planned = hub.planned.get_mut(path)?;
    if planned.is_empty() {
        return None;
    }
    Some(match planned.remove(0) {
        Planned::Busy { retry_after } => {
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", retry_after.to_string())]).into_response()
        }
        Planned::Broken => StatusCode::BAD_GATEWAY.into_response(),
        Planned::Redirect(target) => (StatusCode::FOUND, [("location", target)]).into_response(),
    })
}

fn is_known(headers: &HeaderMap) -> bool {
    headers.get("authorization").is_some_and(|value| value == &format!("Bearer {TOKEN}"))
}

async fn whoami(headers: HeaderMap) -> Response {
    if is_known(&headers) {
        return axum::Json(json!({"name": "test"})).into_response();
    }
    StatusCode::UNAUTHORIZED.into_response()
}

async fn list(State(state): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    if let Some(answer) = enter(&state, "/api/models") {
        return answer;
    }
    let value = |name: &str| {
        query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).unwrap_or_default().to_owned()
    };
    let hub = state.lock().unwrap();
    let author = value("author");
    let found: Vec<&Value> = hub.models.values().filter(|info| info["author"] == author.as_str()).collect();
    let start: usize = value("cursor").parse().unwrap_or(0);
    let page: Vec<Value> = found.iter().skip(start).take(PAGE).map(|info| (*info).clone()).collect();
    let mut response = axum::Json(page).into_response();
    if found.len() > start + PAGE {
        // The host is nobody's: only the cursor may be taken over.
        let next =
            format!("<https://elsewhere.example/api/models?author={author}&cursor={}>; rel=\"next\"", start + PAGE);
        response.headers_mut().insert("link", next.parse().unwrap());
    }
    response
}

async fn model(State(state): State<Shared>, headers: HeaderMap, Path(name): Path<String>) -> Response {
    if let Some(answer) = enter(&state, &format!("/api/models/{name}")) {
        return answer;
    }
    let hub = state.lock().unwrap();
    if hub.gated.contains(&name) && !is_known(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    hub.models
        .get(&name)
        .map_or_else(|| StatusCode::NOT_FOUND.into_response(), |info| axum::Json(info.clone()).into_response())
}

async fn raw(
    State(state): State<Shared>,
    Path((organization, name, file)): Path<(String, String, String)>,
) -> Response {
    if let Some(answer) = enter(&state, &format!("/{organization}/{name}/{file}")) {
        return answer;
    }
    format!("# {name}\n").into_response()
}
