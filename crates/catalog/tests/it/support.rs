//! A catalog over a fresh database, called without a socket.

use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use http_body_util::BodyExt;
use model_registry_base::Clock;
use model_registry_catalog::{Catalog, Settings};
use model_registry_server::{fallback, layers};
use model_registry_store::{DatabaseUrl, PoolOptions, Store};
use model_registry_testkit::{Backend, TestDatabase};
use serde_json::Value;
use tower::ServiceExt;

/// The catalog over a database of its own.
pub(crate) struct Api {
    pub(crate) router: Router,
    pub(crate) catalog: Catalog,
    pub(crate) store: Store,
    // Dropped last: the database goes with it.
    _database: TestDatabase,
}

/// An answer, read completely.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// The body as JSON; panics where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.bytes)))
    }

    pub(crate) fn message(&self) -> String {
        self.json()["message"].as_str().unwrap_or_default().to_owned()
    }
}

/// Files of sources in a directory of their own.
pub(crate) struct Files(tempfile::TempDir);

impl Files {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let directory = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            directory.write(name, text);
        }
        directory
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Settings with `sources.yaml`.
    pub(crate) fn settings(&self) -> Settings {
        Settings { sources: vec![self.path("sources.yaml")], ..Settings::default() }
    }
}

/// Where the recorded exchanges and their data are.
pub(crate) fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

impl Api {
    /// A catalog that has loaded these sources.
    pub(crate) async fn on(backend: Backend, settings: Settings) -> Self {
        Self::with_clock(backend, settings, Clock::system()).await
    }

    /// The same at a time that the test decides.
    pub(crate) async fn with_clock(backend: Backend, settings: Settings, clock: Clock) -> Self {
        let database = TestDatabase::create(backend).await.unwrap();
        let source: DatabaseUrl = database.url().parse().unwrap();
        let store = Store::connect(&source, PoolOptions::default(), clock).await.unwrap();
        let catalog = Catalog::new(store.clone(), settings);
        catalog.load().await.unwrap();
        let complete = fallback::finish(model_registry_catalog::router(catalog.clone()));
        let router = layers::wrap(complete, layers::Options::default());
        Self { router, catalog, store, _database: database }
    }

    /// The catalog that the exchanges were recorded over.
    pub(crate) async fn of_golden_data(backend: Backend) -> Self {
        let data = golden().join("data");
        let settings = Settings {
            sources: vec![data.join("sources.yaml")],
            measurements: vec![data.join("performance")],
            ..Settings::default()
        };
        Self::on(backend, settings).await
    }

    /// Asks for a path below the model catalog, or, with a slash in front, for any path.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let uri = if path.starts_with('/') { path.to_owned() } else { format!("/api/model_catalog/v1alpha1/{path}") };
        self.send(Request::get(uri.replace(' ', "%20").replace('"', "%22")).body(Body::empty()).unwrap()).await
    }

    /// The names of a list, which has to be answered with 200.
    pub(crate) async fn names(&self, path: &str) -> Vec<String> {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.bytes));
        let items = answer.json()["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Statements that `call` runs.
    pub(crate) async fn statements(&self, call: impl Future<Output = Answer>) -> (u64, Answer) {
        let database = self.store.database().unwrap();
        let before = database.statements();
        let answer = call.await;
        (database.statements() - before, answer)
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response: Response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status.as_u16(), headers: parts.headers, bytes }
    }
}
