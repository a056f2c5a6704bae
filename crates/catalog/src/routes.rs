//! Every route of the catalog, one line each.

mod artifacts;
mod filter_options;
mod labels;
mod mcp_servers;
mod mcp_tools;
mod memory_page;
mod model;
mod models;
mod parameters;
mod performance;
mod preview;
mod recommended_models;
mod segments;
mod sources;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use model_registry_api::catalog::{MCP_CATALOG, MODEL_CATALOG};
use model_registry_server::auth::{Access, Right, Rule};
use model_registry_server::openapi::DocumentHandler;
use model_registry_server::{ApiError, response};
use model_registry_store::StoreError;
use serde_json::Value;

use crate::{Catalog, openapi};

pub(crate) use filter_options::{OptionsCache, prepare as prepare_options};

/// Who may do what, beyond the server crate's own rules: a preview changes nothing, although it is a POST, and the API's
/// description is no secret.
pub const RULES: &[Rule] = &[
    Rule::all("/api/model_catalog/v1alpha1/sources/preview", Access::Requires(Right::Read)),
    Rule::reading(openapi::PATH, Access::Public),
];

/// The routes of the catalog, to be completed with the server crate's fallbacks.
pub fn router(catalog: Catalog) -> Router {
    let models = Router::new()
        .route("/labels", get(labels::list))
        .route("/models", get(models::list))
        .route("/models/filter_options", get(filter_options::of_models))
        .route("/sources", get(sources::list))
        // The server's own limit on bodies counts.
        .route("/sources/preview", post(preview::preview).layer(DefaultBodyLimit::disable()))
        .route("/sources/{source_id}/models/", get(model::without_name))
        .route("/sources//models/{*name}", get(model::without_source))
        // Names contain slashes, so what follows a name cannot be a route of its own.
        .route("/sources/{source_id}/models/{*name}", get(model::dispatch));
    let servers = Router::new()
        .route("/mcp_servers", get(mcp_servers::list))
        .route("/mcp_servers/filter_options", get(filter_options::of_servers))
        .route("/mcp_servers/{server_id}", get(mcp_servers::get_one))
        .route("/mcp_servers//tools", get(mcp_tools::without_server))
        .route("/mcp_servers//tools/{*tool_name}", get(mcp_tools::without_server))
        .route("/mcp_servers/{server_id}/tools", get(mcp_tools::list))
        .route("/mcp_servers/{server_id}/tools/{*tool_name}", get(mcp_tools::get_one));
    let document = DocumentHandler::new(&openapi::document());
    Router::new()
        .nest(MODEL_CATALOG, models)
        .nest(MCP_CATALOG, servers)
        .with_state(catalog)
        .route(openapi::PATH, get(async move |headers: HeaderMap| document.respond(&headers)))
}

/// A page as every list answers it; the items are JSON already.
struct PageBody {
    items: Vec<String>,
    page_size: u32,
    next_page_token: String,
}

impl PageBody {
    fn into_response(self) -> Response {
        self.with("")
    }

    /// `more` is further JSON members, each with a comma in front.
    fn with(self, more: &str) -> Response {
        let body = format!(
            r#"{{"items":[{}],"nextPageToken":{},"pageSize":{},"size":{}{more}}}"#,
            self.items.join(","),
            Value::from(self.next_page_token),
            self.page_size,
            self.items.len(),
        );
        response::json(StatusCode::OK, body)
    }
}

/// What a client is told of a failure of the store: never any SQL.
fn store_error(error: StoreError) -> ApiError {
    match error {
        StoreError::Filter(_) | StoreError::PageToken(_) => ApiError::Invalid(error.to_string()),
        StoreError::Unavailable(cause) => {
            tracing::warn!(error = &cause as &dyn std::error::Error, "database unavailable");
            ApiError::Unavailable("the database is not available; try again later".to_owned())
        }
        StoreError::Retry(_)
        | StoreError::Conflict(_)
        | StoreError::DuplicateKey(_)
        | StoreError::TooLarge(_)
        | StoreError::Corrupt { .. }
        | StoreError::Database(_) => ApiError::internal(error),
    }
}
