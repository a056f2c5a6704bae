//! The sources of the catalog: configuration, data files, Hugging Face hubs and performance metrics become items.
//!
//! It never serves HTTP, never writes to a database and never lets a client choose a file or URL of the server: sources are
//! configured by the administrator.
//!
//! * To add an asset type, declare it in `model_registry_api::catalog`, and register a reader of its entries in
//!   `item_reader.rs`, like those in `agents.rs` and `models.rs`.
//! * To add a type of source, declare it in `model_registry_api::catalog::SourceType`, and add a branch in `source_reader.rs`
//!   and its properties in `configuration/source_properties.rs`. Files with MCP servers in the form of another publisher are
//!   read by `server_lists.rs`.

mod agents;
mod artifact_keys;
mod check;
mod configuration;
mod custom_properties;
mod files;
pub mod git;
pub mod hub;
mod item_collector;
mod item_fields;
mod item_reader;
mod json;
mod license;
mod mcp_servers;
mod models;
mod name_filter;
mod performance_metrics;
mod preview;
mod problem;
mod problem_list;
pub mod remote;
mod sample;
mod server_lists;
mod settings;
mod skills;
mod source_reader;
mod yaml;

pub use check::{CheckReport, CheckedSource, check};
pub use configuration::{Configuration, Label, NamedQuery, Source, SourceLocation, SourcesFiles, to_filter};
pub use files::{KnownFiles, data_files, read_configuration, watched_files};
pub use hub::{HubAccess, Proxies};
pub use name_filter::{InvalidPattern, NameFilter};
pub use performance_metrics::{PerformanceMetrics, PerformanceMetricsSnapshot};
pub use preview::{PreviewConfig, PreviewError, PreviewHub};
pub use problem::{Position, Problem};
pub use sample::sample_sources;
pub use settings::Settings;
pub use source_reader::{LoadedSource, read_sources, report_ignored_configuration};
