//! A catalog over a fresh database, called without a socket.

use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use http_body_util::BodyExt;
use model_registry_catalog::{Catalog, Settings};
use model_registry_server::{fallback, layers};
use model_registry_store::{Clock, DatabaseSource, PoolOptions, Store};
use model_registry_testkit::{Backend, TestDatabase};
use tower::ServiceExt;

/// The catalog over a database of its own.
pub(crate) struct Api {
    router: Router,
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

/// Where the recorded exchanges and their data are.
pub(crate) fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

impl Api {
    /// A catalog that has loaded these sources.
    pub(crate) async fn on(backend: Backend, settings: Settings) -> Self {
        let database = TestDatabase::create(backend).await.unwrap();
        let source: DatabaseSource = database.url().parse().unwrap();
        let store = Store::connect(&source, PoolOptions::default(), Clock::system()).await.unwrap();
        let catalog = Catalog::new(store.clone(), settings);
        catalog.load().await.unwrap();
        let routes = fallback::finish(model_registry_catalog::router(catalog.clone()));
        let router = layers::wrap(routes, layers::Options::default());
        Self { router, catalog, store, _database: database }
    }

    /// The catalog that the exchanges were recorded over.
    pub(crate) async fn of_golden_data(backend: Backend) -> Self {
        let data = golden().join("data");
        let settings =
            Settings { sources: vec![data.join("sources.yaml")], measurements: vec![data.join("performance")] };
        Self::on(backend, settings).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response: Response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status.as_u16(), headers: parts.headers, bytes }
    }
}
