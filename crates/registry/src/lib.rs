//! The REST API of the registry: operations, handlers, rules, and the OpenAPI document.
//!
//! It contains no SQL (the store does) and opens no sockets (the server crate does). Kinds differ in their declarations
//! in the api crate, not in code here.
//!
//! To add an operation, declare it in `operations.rs` and write its handler in `routes/` and, if it writes, its
//! transaction in `rules/`. The route and the OpenAPI entry derive from the declaration.

mod decode;
mod filter_options;
mod openapi;
mod operations;
mod response;
mod routes;
mod rules;
mod successor;

use std::sync::Arc;

use model_registry_server::layers::Deprecation;
use model_registry_store::Store;

pub use openapi::document as openapi_document;
pub use routes::router;

/// The headers of v1alpha3 if it may be removed from this day on, given as an HTTP date.
pub fn alpha_deprecation(sunset: &str) -> Deprecation {
    Deprecation::new(vec![successor::ALPHA.to_owned()], sunset, successor::of_alpha)
}

/// State shared by the handlers.
pub struct Registry {
    store: Store,
    feed_readers: routes::FeedReaders,
    filter_options: Arc<filter_options::FilterOptionsCache>,
}

impl Registry {
    pub fn new(store: Store) -> Self {
        Self { store, feed_readers: routes::FeedReaders::new(), filter_options: Arc::default() }
    }
}
