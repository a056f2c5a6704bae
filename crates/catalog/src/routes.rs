//! The routes of the catalog: those that every asset type has follow from its declaration, the others are listed here.

mod artifacts;
mod children;
mod in_memory_page;
mod included;
mod items;
mod labels;
mod mcp_tools;
mod model;
mod parameters;
mod path_parameters;
mod performance;
mod preview;
mod recommended_models;
mod sources;
mod wire;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use model_registry_api::catalog::{Address, AssetType, CatalogVersion};
use model_registry_server::auth::{Access, Right, Rule};
use model_registry_server::openapi::DocumentHandler;
use model_registry_server::{ApiError, Query, response};
use model_registry_store::StoreError;
use serde_json::Value;

use self::path_parameters::PathParameters;
use crate::{Catalog, openapi};

/// Access rules in addition to those of the server crate: a preview is a POST that changes nothing, and the OpenAPI document is
/// public.
pub const RULES: &[Rule] = &[
    Rule::all("/api/model_catalog/v1alpha1/sources/preview", Access::Requires(Right::Read)),
    Rule::all("/api/model_catalog/v1/sources/preview", Access::Requires(Right::Read)),
    Rule::reading(openapi::PATH, Access::Public),
];

/// The routes of the catalog, without the server crate's fallbacks.
pub fn router(catalog: Catalog) -> Router {
    let versions =
        CatalogVersion::ALL.into_iter().fold(Router::new(), |router, version| router.merge(of_version(version)));
    let document = DocumentHandler::new(&openapi::document());
    versions.with_state(catalog).route(openapi::PATH, get(async move |headers: HeaderMap| document.respond(&headers)))
}

/// The routes of a version of the API.
fn of_version(version: CatalogVersion) -> Router<Catalog> {
    let models = Router::new()
        .route("/labels", get(labels::list))
        .route("/sources", get(sources::list))
        // The server has its own limit on bodies.
        .route("/sources/preview", post(preview::preview).layer(DefaultBodyLimit::disable()))
        .route("/sources/{source_id}/models/", get(model::without_name))
        .route("/sources//models/{*name}", get(model::without_source))
        // Names contain slashes, so the paths below a name cannot be routes of their own.
        .route(
            "/sources/{source_id}/models/{*name}",
            get(move |catalog, path, query| model::dispatch(catalog, version, path, query)),
        );
    let tools = Router::new()
        .route("/mcp_servers//tools/{*tool_name}", get(async || children::without_id(AssetType::McpServers.spec())))
        .route("/mcp_servers/{server_id}/tools/{*tool_name}", get(mcp_tools::get_one));
    let base = |asset_type: AssetType| asset_type.spec().api.base_path(version);
    let special = Router::new().nest(&base(AssetType::Models), models).nest(&base(AssetType::McpServers), tools);
    let all = AssetType::ALL.into_iter();
    all.fold(special, |router, asset_type| router.merge(of_asset_type(asset_type, version)))
}

/// The list, the filter options and, if items are addressed by id, the single item of an asset type and its children.
fn of_asset_type(asset_type: AssetType, version: CatalogVersion) -> Router<Catalog> {
    let api = &asset_type.spec().api;
    let list = format!("{}/{}", api.base_path(version), api.collection);
    let router = Router::new()
        .route(
            &list,
            get(move |State(catalog): State<Catalog>, query: Query| items::list(catalog, asset_type, version, query)),
        )
        .route(
            &format!("{list}/filter_options"),
            get(move |State(catalog): State<Catalog>| items::filter_options(catalog, asset_type)),
        );
    match api.address {
        Address::SourceAndName { .. } => router,
        Address::Id { parameter, .. } => {
            let item = format!("{list}/{{{parameter}}}");
            let router = router.route(
                &item,
                get(move |State(catalog): State<Catalog>, PathParameters(id): PathParameters<String>, query: Query| {
                    items::get_one(catalog, asset_type, version, id, query)
                }),
            );
            api.children.iter().fold(router, |router, children| {
                let collection = children.collection;
                router
                    .route(
                        &format!("{item}/{collection}"),
                        get(
                            move |State(catalog): State<Catalog>,
                                  PathParameters(id): PathParameters<String>,
                                  query: Query| {
                                children::list(catalog, asset_type, version, children, id, query)
                            },
                        ),
                    )
                    .route(&format!("{list}//{collection}"), get(async move || children::without_id(asset_type.spec())))
            })
        }
    }
}

/// The names of the asset types in the readiness probe: those of their APIs.
pub fn plugins() -> impl Iterator<Item = &'static str> {
    let families = AssetType::ALL.into_iter().map(|asset_type| asset_type.spec().api.family);
    families.map(|family| family.trim_start_matches("/api/").trim_end_matches("_catalog"))
}

/// The body of a list's response; the items are JSON.
struct PageBody {
    items: Vec<String>,
    page_size: u32,
    next_page_token: String,
}

impl PageBody {
    fn into_response(self) -> Response {
        self.with("")
    }

    /// `more` is further JSON members, each with a leading comma.
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

/// The error that a client receives for an error of the store. It never contains SQL.
fn store_error(error: StoreError) -> ApiError {
    match error {
        StoreError::Filter(_) | StoreError::PageToken(_) => ApiError::Invalid(error.to_string()),
        StoreError::Unavailable(cause) => {
            tracing::warn!(error = &cause as &dyn std::error::Error, "database unavailable");
            ApiError::Unavailable("the database is not available; try again later".to_owned())
        }
        StoreError::NoMemory => ApiError::Unavailable(error.to_string()),
        StoreError::Storage { problem, source } => {
            tracing::warn!(error = &source as &dyn std::error::Error, "the database stores nothing");
            ApiError::Unavailable(problem.to_string())
        }
        StoreError::Retry(_)
        | StoreError::Conflict(_)
        | StoreError::DuplicateKey(_)
        | StoreError::OrderBy { .. }
        | StoreError::TooLarge(_)
        | StoreError::Corrupt { .. }
        | StoreError::Database(_) => ApiError::internal(error),
    }
}
