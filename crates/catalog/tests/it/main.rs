//! The catalog's API, called in process on every configured database.

#![expect(clippy::unwrap_used, reason = "an unexpected error fails the test")]

mod absence;
mod agents;
mod conformity;
mod contract;
mod filters;
mod golden;
mod hub;
mod index;
mod large_documents;
mod limits;
mod mcp_fields;
mod model_fields;
mod notices;
mod openapi;
mod pages;
mod parity;
mod performance_metrics;
mod preview;
mod recommended;
mod reload;
mod replicas;
mod search;
mod server_lists;
mod skills;
mod source_limits;
mod support;
mod v1;
