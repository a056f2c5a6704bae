//! Sources of the catalog: configuration and data files, Hugging Face hubs and performance metrics, read and checked into items.
//!
//! It never serves HTTP, never writes to a database and never lets a client choose which file or address is read: only
//! configured sources do.
//!
//! To add a type of source, add a module next to `models.rs` that turns its data into items, and a line in `loader.rs`.

mod check;
mod configuration;
mod files;
pub mod hub;
mod license;
mod loader;
mod mcp;
mod models;
mod pattern;
mod performance;
mod sample;
mod settings;
mod told;
mod values;
mod yaml;

pub use check::{CheckReport, CheckedSource, check};
pub use configuration::{Configuration, Files, Label, NamedQuery, Source, SourcePlaces, to_filter};
pub use files::{KnownFiles, data_files, read_configuration, watched_files};
pub use hub::HubAccess;
pub use loader::{Loaded, read_all};
pub use mcp::{ACCESS_TYPES, DEPLOYMENT_MODES, TRANSPORTS};
pub use models::names as model_names;
pub use pattern::{EmptyPattern, NameFilter};
pub use performance::Measurements;
pub use sample::sample_sources;
pub use settings::Settings;
pub use yaml::{Place, Problem, read as read_yaml};
