//! The catalog: what others publish — models with their measurements, MCP servers with their tools — read from sources,
//! kept in the store, served by the catalog's REST API.
//!
//! It never writes SQL (the store does), never opens a socket (the server crate does), and never lets a client choose
//! which file or address the server reads: only configured sources do.
//!
//! Sources are read by the crate `catalog-sources`. To add an
//! operation, add its line in `routes.rs`, its handler in `routes/` and its entry in `openapi/operations.rs`; tests tell what is
//! missing.

mod catalog;
mod metrics;
mod openapi;
mod recommendation;
mod routes;
mod serve;
mod syncs;
mod watch;

pub use catalog::{Catalog, LoadSummary};
pub use model_registry_catalog_sources::{
    CheckReport, CheckedSource, HubAccess, Problem, Settings, check, sample_sources,
};
pub use openapi::{PATH as OPENAPI_PATH, document as openapi_document};
pub use routes::{RULES, router};
