//! A catalog over a fresh database, called in process.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use model_registry_base::Clock;
use model_registry_catalog::{Catalog, Settings};
use model_registry_server::config::{Environment, Group, Inputs, SETTINGS, Schema};
use model_registry_server::health::{Health, Scope};
use model_registry_server::{fallback, layers};
use model_registry_store::{DatabaseUrl, PoolOptions, Store};
use model_registry_testkit::{Backend, TestDatabase};
use serde_json::Value;
use tower::ServiceExt;

/// A catalog over a database of its own.
pub(crate) struct Api {
    pub(crate) router: Router,
    pub(crate) catalog: Catalog,
    pub(crate) store: Store,
    // Dropped last, because it drops the database.
    _database: TestDatabase,
}

/// A response with its complete body.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Response {
    /// The body as JSON; panics if it is not JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.bytes)))
    }

    pub(crate) fn message(&self) -> String {
        self.json()["message"].as_str().unwrap_or_default().to_owned()
    }
}

/// The files of a catalog in a temporary directory.
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

/// Waits until a condition holds, for a minute at most.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds().await {
        assert!(Instant::now() < deadline, "did not happen: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The directory of the recorded exchanges and their data.
pub(crate) fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

impl Api {
    /// A catalog that has loaded its sources.
    pub(crate) async fn on(backend: Backend, settings: Settings) -> Self {
        Self::with_clock(backend, settings, Clock::system()).await
    }

    /// The same with a clock of the test.
    pub(crate) async fn with_clock(backend: Backend, settings: Settings, clock: Clock) -> Self {
        Self::with_options(backend, settings, clock, layers::Options::default()).await
    }

    /// A catalog with the layers of a server that was started with these flags.
    pub(crate) async fn with_flags(backend: Backend, settings: Settings, flags: &[String]) -> Self {
        let schema = Schema::new(&[SETTINGS]);
        let command = schema.attach(clap::Command::new("catalog"), &Group::ALL);
        let arguments = command.get_matches_from(std::iter::once("catalog").chain(flags.iter().map(String::as_str)));
        let environment = Environment::default();
        let inputs = Inputs { arguments: &arguments, environment: &environment, default_file: None };
        let flags = schema.load(&inputs).unwrap();
        let sunset = flags.alpha_sunset();
        let deprecations = sunset.as_deref().map(model_registry_catalog::alpha_deprecation).into_iter().collect();
        let options = layers::Options { deprecations, ..flags.layer_options(Health::new()) };
        Self::with_options(backend, settings, Clock::system(), options).await
    }

    async fn with_options(backend: Backend, settings: Settings, clock: Clock, options: layers::Options) -> Self {
        let database = TestDatabase::create(backend).await.unwrap();
        let source: DatabaseUrl = database.url().parse().unwrap();
        let store = Store::connect(&source, PoolOptions::default(), clock).await.unwrap();
        let catalog = Catalog::new(store.clone(), settings);
        catalog.load().await.unwrap();
        let complete = fallback::finish(model_registry_catalog::router(catalog.clone()));
        let checked = catalog.clone();
        let health = Health::new().check("catalog", Scope::Service, move || checked.clone().check());
        let health = health.plugins(model_registry_catalog::plugins());
        let router = layers::wrap(complete, layers::Options { health, ..options });
        Self { router, catalog, store, _database: database }
    }

    /// The catalog of the recorded exchanges.
    pub(crate) async fn of_golden_data(backend: Backend) -> Self {
        let data = golden().join("data");
        let settings = Settings {
            sources: vec![data.join("sources.yaml")],
            performance_metrics: vec![data.join("performance")],
            ..Settings::default()
        };
        Self::on(backend, settings).await
    }

    /// Requests a path below the model catalog; a path with a leading slash is absolute.
    pub(crate) async fn get(&self, path: &str) -> Response {
        let uri = if path.starts_with('/') { path.to_owned() } else { format!("/api/model_catalog/v1alpha1/{path}") };
        self.send(Request::get(uri.replace(' ', "%20").replace('"', "%22")).body(Body::empty()).unwrap()).await
    }

    /// The names in a list; panics unless the status is 200.
    pub(crate) async fn names(&self, path: &str) -> Vec<String> {
        let response = self.get(path).await;
        assert_eq!(response.status, 200, "{path}: {}", String::from_utf8_lossy(&response.bytes));
        let items = response.json()["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    }

    /// The number of statements that `call` runs, and its response.
    pub(crate) async fn statements(&self, call: impl Future<Output = Response>) -> (u64, Response) {
        let database = self.store.database().unwrap();
        let before = database.statements();
        let response = call.await;
        (database.statements() - before, response)
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Response { status: parts.status.as_u16(), headers: parts.headers, bytes }
    }
}

/// The two ways to read lists: from the database alone, and with the index in memory. Runs `test` in both.
pub(crate) async fn without_and_with_index(api: &Api, test: impl AsyncFn(&str)) {
    test("without an index").await;
    api.catalog.index().await.unwrap();
    test("with an index").await;
}
