//! What every server of the system does alike, whatever it serves: settings, error answers, query strings and bodies,
//! health, request ids, limits, who may call, the listening socket with its TLS and its orderly end, logs, metrics and
//! traces.
//!
//! It never knows SQL, and never knows a kind of the registry or the catalog. The environment is read in `config` only.
//!
//! A server is put together like this, from the inside out:
//!
//! ```no_run
//! # use axum::{Router, routing::get};
//! # use model_registry_server::auth::{self, Rules};
//! # use model_registry_server::{config::Settings, fallback, health::Health, layers, metrics::Metrics, serve};
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
//! let listener = serve::bind(&host, port).await?;
//! auth::check_exposure(&authenticator, listener.local_addr()?, false)?;
//! let options = serve::Options { tls: settings.tls()?, ..settings.serve_options() };
//! serve::serve(listener, service, options, serve::stop_signal()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! To add an error: one variant in `error.rs` and its line in the one `match` there. To add something that has to
//! happen around every request: one step in `layers.rs`, where the order is spelled out. To add an extractor: one file
//! beside `query.rs` whose rejection is [`ApiError`]. To add a setting: see [`config`]; a way to authenticate:
//! [`auth`]. To add a schema that several documents have: [`openapi`].

pub mod auth;
pub mod body;
pub mod config;
pub mod docs;
pub mod error;
pub mod fallback;
pub mod health;
pub mod layers;
pub mod log;
pub mod metrics;
pub mod openapi;
pub mod otlp;
mod preconditions;
pub mod query;
pub mod reload;
pub mod request;
pub mod response;
pub mod serve;
pub mod tls;
mod trace_context;

pub use body::JsonBody;
pub use error::ApiError;
pub use preconditions::Preconditions;
pub use query::Query;
