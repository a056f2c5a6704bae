//! The router, built from the table of operations; one module per group of handlers.

pub(crate) mod artifacts;
pub(crate) mod changes;
pub(crate) mod entity;
mod explanation;
pub(crate) mod filter_options;
pub(crate) mod inference_services;
mod list;
pub(crate) mod metric_history;
pub(crate) mod register;
mod request;
pub(crate) mod search;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use http::HeaderMap;
use model_registry_api::ApiVersion;
use model_registry_server::openapi::DocumentHandler;

pub(crate) use changes::FeedReaders;

use crate::{Registry, openapi, operations};

/// What handlers need in addition to the request.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) registry: Arc<Registry>,
    pub(crate) version: ApiVersion,
}

/// The routes of the registry, to be completed with the fallbacks of the server crate.
pub fn router(registry: Registry) -> Router {
    let document = DocumentHandler::new(&openapi::document());
    let registry = Arc::new(registry);
    ApiVersion::ALL
        .into_iter()
        .fold(Router::new(), |router, version| {
            let context = Context { registry: Arc::clone(&registry), version };
            router.nest(version.base_path(), routes(version).with_state(context))
        })
        .route(openapi::PATH, get(async move |headers: HeaderMap| document.respond(&headers)))
}

fn routes(version: ApiVersion) -> Router<Context> {
    operations::all(version)
        .into_iter()
        .fold(Router::new(), |router, operation| router.route(&operation.path, operation.handler))
}
