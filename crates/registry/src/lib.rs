//! The registry's REST API: routes, rules, and the OpenAPI document.
//!
//! It never writes SQL (the store does), never opens a socket (the server crate does), and has no code per kind where
//! kinds differ only in their declaration.
//!
//! To add an operation, add its line in `routes.rs`, its handler in `routes/`, its rule in `rules/` where it has one,
//! and its entry in `openapi/operations.rs`; the contract test tells what is missing.

mod answer;
mod decode;
mod openapi;
mod routes;
mod rules;

use model_registry_store::Store;

pub use openapi::document as openapi_document;
pub use routes::router;

/// What the handlers share.
pub struct Registry {
    store: Store,
    waiting: routes::WaitingRoom,
}

impl Registry {
    pub fn new(store: Store) -> Self {
        Self { store, waiting: routes::WaitingRoom::new() }
    }
}
