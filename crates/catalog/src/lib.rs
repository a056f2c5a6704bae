//! The catalog: what others publish — models with their measurements, MCP servers with their tools — read from sources,
//! kept in the store, served by the catalog's REST API.
//!
//! It never writes SQL (the store does), never opens a socket (the server crate does), and never lets a client choose
//! which file or address the server reads: only configured sources do.
//!
//! To add a type of source, add a file beside `models.rs` that turns it into items, and a line in `loader.rs`. To add an
//! operation, add its line in `routes.rs`, its handler in `routes/` and its entry in `openapi/operations.rs`; tests tell what is
//! missing.

mod catalog;
mod check;
mod configuration;
mod hub;
mod license;
mod loader;
mod mcp;
mod metrics;
mod models;
mod openapi;
mod pattern;
mod performance;
mod recommendation;
mod routes;
mod sample;
mod serve;
mod syncs;
mod told;
mod values;
mod watch;
mod yaml;

pub use catalog::{Catalog, LoadSummary, Settings};
pub use check::{CheckReport, CheckedSource, check};
pub use hub::HubAccess;
pub use openapi::{PATH as OPENAPI_PATH, document as openapi_document};
pub use routes::{RULES, router};
pub use sample::sample_sources;
pub use yaml::Problem;
