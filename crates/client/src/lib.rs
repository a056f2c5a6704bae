//! A typed, asynchronous client of the REST APIs of the registry and the catalog, with lists as streams.
//!
//! Works with this registry and with any other server of the API `v1alpha3`. It never starts a runtime, never prints,
//! and reads no environment variables except those that name proxies.
//!
//! ```
//! use futures::TryStreamExt;
//! use model_registry_client::{Client, ListOptions, ModelArtifactCreate, ModelVersionCreate, RegisterRequest,
//!     RegisteredModelCreate};
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctest/server.rs"));
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), model_registry_client::Error> {
//! let client = Client::new("http://127.0.0.1:8080")?;
//! # let client = Client::new(&registry().await)?;
//!
//! // A model, a version and its artifact in one request, all or nothing.
//! let registered = client
//!     .register(&RegisterRequest {
//!         registered_model: RegisteredModelCreate { name: "fraud".to_owned(), ..Default::default() },
//!         model_version: ModelVersionCreate { name: "v1".to_owned(), ..Default::default() },
//!         artifacts: vec![
//!             ModelArtifactCreate { uri: Some("s3://models/fraud/1".to_owned()), ..Default::default() }.into(),
//!         ],
//!     })
//!     .await?;
//! println!("version {} of {}", registered.model_version.id, registered.registered_model.name);
//!
//! // All items of a list; pages are fetched as needed.
//! let options = ListOptions { filter: Some("state = 'LIVE'".to_owned()), ..Default::default() };
//! let mut models = client.registered_models().list(options);
//! while let Some(model) = models.try_next().await? {
//!     println!("{} {}", model.id, model.name);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Retries
//!
//! A request that could not be delivered, or whose response has status 429, 502, 503 or 504, is retried if that is
//! safe: reads always; creations if the server supports the `Idempotency-Key` that each carries, so that it returns
//! the response of the first request to a repeated one; updates never. `Retry-After` is respected, and the time is limited.
//! See [`Retries`], and [`ClientBuilder::on_notice`] to report what is going on.
//!
//! # Errors
//!
//! [`Error`] has a variant per meaning; [`Error::response`] has status, code, message and request id.
//!
//! # Adding an operation
//!
//! An operation of the registry is a method in `client.rs`, `collection.rs` or `children.rs`; a kind is an implementation in
//! `resource.rs`; an operation of the catalog is a method in `catalog.rs`. The tests
//! `every_operation_of_the_contract_is_called` fail for a missing one.

mod addresses;
mod builder;
mod call;
pub mod catalog;
mod changes;
mod children;
mod client;
mod collection;
mod error;
mod events;
mod json;
mod notice;
mod options;
mod pages;
mod resource;
mod retries;
mod transport;

pub use builder::ClientBuilder;
pub use changes::{After, ChangeFeed};
pub use children::{ArtifactsOf, Children, MetricHistory};
pub use client::Client;
pub use collection::{Collection, Tagged};
pub use error::{Error, ErrorResponse, Result};
pub use json::{Json, Place};
pub use model_registry_api::entities::*;
pub use model_registry_api::{Kind, SortOrder};
pub use model_registry_base::ConnectionProblem;
pub use notice::Notice;
pub use options::{FindBy, ListOptions, ListQuery, OrderBy, SearchOptions};
pub use pages::Items;
pub use resource::{Child, Resource};
pub use retries::{Creations, Retries};
