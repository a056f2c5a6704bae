//! The catalog: models with their metrics and MCP servers with their tools, loaded from sources, kept in a database and served
//! by the catalog's REST API.
//!
//! It never writes SQL (the crate `catalog-store` does), never parses a file of a source (the crate `catalog-sources` does) and
//! never opens a socket (the crate `server` does).
//!
//! To add an asset type, declare it in `crates/api/src/catalog/asset_types/`: its list, filter options, single item and their
//! OpenAPI operations follow from the declaration. To add another operation, add its route in `routes.rs`, its handler in
//! `routes/` and its row in `openapi/operations.rs`; tests report what is missing.

mod background;
mod catalog;
mod filter_options;
mod hub_syncs;
mod openapi;
mod recommendation;
mod routes;
mod successor;
mod telemetry;
mod watch;

use model_registry_server::layers::Deprecation;

pub use catalog::{Catalog, LoadSummary};
pub use model_registry_catalog_sources::{
    CheckReport, CheckedSource, HubAccess, Problem, Proxies, Settings, check, sample_sources,
};
pub use openapi::{PATH as OPENAPI_PATH, document as openapi_document};
pub use routes::{RULES, plugins, router};

/// The headers of v1alpha1 if it may be removed from this day on, given as an HTTP date.
pub fn alpha_deprecation(sunset: &str) -> Deprecation {
    Deprecation::new(successor::alpha_paths().collect(), sunset, successor::of_alpha)
}
