//! What every server of the system does alike, whatever it serves: error answers, query strings and bodies, health,
//! request ids, limits, the listening socket and its orderly end, logs.
//!
//! It never knows SQL, never knows a kind of the registry or the catalog, and reads no clock or environment on a
//! caller's behalf beyond measuring how long a request took.
//!
//! A server is put together in four lines:
//!
//! ```no_run
//! # use axum::{Router, routing::get};
//! # use model_registry_server::{fallback, layers, serve};
//! # async fn start() -> Result<(), serve::ServeError> {
//! let routes = fallback::finish(Router::new().route("/hello", get(|| async { "hello" })));
//! let service = layers::wrap(routes, layers::Options::default());
//! let listener = serve::bind("127.0.0.1", 8080).await?;
//! serve::serve(listener, service, serve::Options::default(), serve::stop_signal()).await
//! # }
//! ```
//!
//! To add an error: one variant in `error.rs` and its line in the one `match` there. To add something that has to
//! happen around every request: one step in `layers.rs`, where the order is spelled out. To add an extractor: one file
//! beside `query.rs` whose rejection is [`ApiError`].

pub mod auth;
pub mod body;
pub mod config;
pub mod error;
pub mod fallback;
pub mod health;
pub mod late;
pub mod layers;
pub mod log;
pub mod metrics;
#[cfg(feature = "otlp")]
pub mod otlp;
pub mod query;
pub mod reload;
pub mod request;
pub mod response;
pub mod serve;
pub mod tls;
mod trace_context;

pub use body::JsonBody;
pub use error::ApiError;
pub use query::Query;
