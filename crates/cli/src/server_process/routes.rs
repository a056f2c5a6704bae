//! The routes of a process and their authorization rules.

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use model_registry_catalog::Catalog;
use model_registry_registry::Registry;
use model_registry_server::auth::{self, Rules};
use model_registry_server::docs;
use model_registry_server::openapi::DocumentHandler;
use model_registry_server::telemetry::Metrics;

/// The path of the OpenAPI document of the registry, or of the catalog if that is the only API.
const DOCUMENT: &str = "/openapi.json";

/// All routes, except for the health probes, which the layers handle.
pub(super) fn all(registry: Option<Registry>, catalog: Option<&Catalog>, metrics: Option<&Metrics>) -> Router {
    let mut routes = Router::new();
    let mut documents = Vec::new();
    if let Some(registry) = registry {
        routes = routes.merge(model_registry_registry::router(registry));
        documents.push(("Registry", DOCUMENT));
    }
    if let Some(catalog) = catalog {
        routes = routes.merge(model_registry_catalog::router(catalog.clone()));
        if documents.is_empty() {
            let document = DocumentHandler::new(&model_registry_catalog::openapi_document());
            routes = routes.route(DOCUMENT, get(async move |headers: HeaderMap| document.respond(&headers)));
        }
        documents.push(("Catalog", model_registry_catalog::OPENAPI_PATH));
    }
    routes = routes.merge(docs::router(&documents));
    if let Some(metrics) = metrics {
        routes = routes.merge(metrics.router());
    }
    routes
}

/// The authorization rules of all routes; a test checks that every route has one.
pub(super) fn rules() -> Rules {
    Rules::new(&[model_registry_catalog::RULES, auth::DEFAULT_RULES])
}
