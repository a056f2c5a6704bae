//! The parts that all HTTP servers of the system share: settings, error responses, query strings and bodies, health
//! probes, request ids, limits, authentication and authorization, the listener with TLS and graceful shutdown, logs,
//! metrics and traces.
//!
//! It contains no SQL and knows no entity of the registry or the catalog. Only `config` reads the environment.
//!
//! A server is assembled like this, from the inside out:
//!
//! ```no_run
//! # use axum::{Router, routing::get};
//! # use model_registry_server::auth::{self, Rules};
//! # use model_registry_server::{config::Settings, fallback, health::Health, layers, listener, telemetry::Metrics};
//! # async fn start(settings: Settings) -> Result<(), Box<dyn std::error::Error>> {
//! let _telemetry = settings.start_log()?;
//! let metrics = Metrics::new(&[("version", "1.2.3".to_owned())]);
//! let routes = Router::new().route("/api/hello", get(|| async { "hello" })).merge(metrics.router());
//! let auth = settings.auth(Rules::new(&[auth::DEFAULT_RULES]))?;
//! let authenticator = auth.authenticator.clone();
//! let routes = auth::protect(fallback::finish(routes), auth);
//! let options = layers::Options { metrics: Some(metrics), ..settings.layer_options(Health::new()) };
//! let service = layers::wrap(routes, options);
//!
//! let (host, port) = settings.listen_address()?;
//! let socket = listener::bind(&host, port).await?;
//! auth::check_exposure(&authenticator, socket.local_addr()?, false)?;
//! let options = listener::Options { tls: settings.tls()?, ..settings.listener_options() };
//! listener::serve(socket, service, options, listener::stop_signal()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! To add an error: a variant in `error.rs` and its arm of the `match` there. To add a step around every request: a
//! call in `layers.rs`, which documents the order. To add an extractor: a file next to `query.rs` whose rejection is
//! [`ApiError`]. To add a setting: see [`config`]; a way to authenticate: [`auth`]; a schema that several OpenAPI
//! documents share: [`openapi`].

pub mod auth;
pub mod body;
pub mod config;
pub mod docs;
pub mod error;
pub mod fallback;
pub mod health;
pub mod layers;
pub mod listener;
pub mod openapi;
mod preconditions;
pub mod query;
pub mod reload;
pub mod request;
pub mod response;
pub mod telemetry;
pub mod tls;

pub use body::JsonBody;
pub use error::ApiError;
pub use preconditions::Preconditions;
pub use query::Query;
