//! Servers on local ports, for one test each.

use std::future::pending;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use model_registry_base::Clock;
use model_registry_catalog::{Catalog, Settings, sample_sources};
use model_registry_client::{Client, Retries};
use model_registry_registry::Registry;
use model_registry_server::{fallback, layers, listener, tls};
use model_registry_store::{DatabaseUrl, PoolOptions, Store};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server that is stopped when dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url).unwrap()
    }

    /// A client with short waits and time limits.
    pub(crate) fn quick_client(&self, attempts: u32) -> Client {
        Client::builder(&self.url).retries(quick_retries(attempts)).timeout(Duration::from_millis(500)).build().unwrap()
    }
}

pub(crate) fn quick_retries(attempts: u32) -> Retries {
    Retries { attempts, first_wait: Duration::from_millis(1), ..Retries::default() }
}

pub(crate) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// The registry with a database in memory.
pub(crate) async fn registry() -> Server {
    start(registry_router().await).await
}

/// The registry with TLS.
pub(crate) async fn registry_with_tls(certificate: &Path, key: &Path) -> Server {
    let (socket, url) = listen().await;
    let tls = Some(tls::server_config(certificate, key).unwrap());
    let router = registry_router().await;
    let task = tokio::spawn(async {
        listener::serve(socket, router, listener::Options { tls, ..Default::default() }, pending()).await.unwrap();
    });
    Server { url: url.replace("http:", "https:"), task }
}

async fn registry_router() -> Router {
    let routes = fallback::finish(model_registry_registry::router(Registry::new(store().await)));
    layers::wrap(routes, layers::Options::default())
}

/// The catalog with the sample sources.
pub(crate) async fn catalog() -> Server {
    let settings = Settings { sources: vec![sample_sources()], ..Settings::default() };
    let catalog = Catalog::new(store().await, settings);
    catalog.load().await.unwrap();
    start(layers::wrap(fallback::finish(model_registry_catalog::router(catalog)), layers::Options::default())).await
}

async fn store() -> Store {
    let source = DatabaseUrl::Sqlite { path: None };
    Store::connect(&source, PoolOptions::default(), Clock::stepping(1_700_000_000_000)).await.unwrap()
}

async fn start(router: Router) -> Server {
    let (socket, url) = listen().await;
    let task = tokio::spawn(async {
        listener::serve(socket, router, listener::Options::default(), pending()).await.unwrap();
    });
    Server { url, task }
}

/// A request to a fake server.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: http::HeaderMap,
}

impl ReceivedRequest {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A server with scripted responses, which records the requests.
pub(crate) struct FakeServer {
    pub(crate) server: Server,
    requests: Arc<Mutex<Vec<ReceivedRequest>>>,
}

impl FakeServer {
    /// `respond` gets the number of the request, from 0.
    pub(crate) async fn start(respond: impl Fn(usize) -> Response + Send + Sync + 'static) -> Self {
        let requests: Arc<Mutex<Vec<ReceivedRequest>>> = Arc::default();
        let (received, count, respond) = (Arc::clone(&requests), Arc::new(AtomicUsize::new(0)), Arc::new(respond));
        let router = Router::new().fallback(move |request: Request| {
            let (received, count, respond) = (Arc::clone(&received), Arc::clone(&count), Arc::clone(&respond));
            async move {
                received.lock().unwrap().push(ReceivedRequest {
                    method: request.method().to_string(),
                    path: request.uri().to_string(),
                    headers: request.headers().clone(),
                });
                respond(count.fetch_add(1, Ordering::SeqCst))
            }
        });
        Self { server: start(router).await, requests }
    }

    pub(crate) fn requests(&self) -> Vec<ReceivedRequest> {
        self.requests.lock().unwrap().clone()
    }
}

pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Body::from(body.to_owned())).unwrap()
}
