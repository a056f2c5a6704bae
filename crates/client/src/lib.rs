//! A client of the registry's REST API and the catalog's: typed, async, with pages as streams.
//!
//! Works with this registry and with every other server that speaks `v1alpha3`. It never starts a runtime, never
//! prints, and reads no settings or environment on its own, but for the proxies that the environment names.
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
//! // All pages of a list, one item after the other.
//! let options = ListOptions { filter: Some("state = 'LIVE'".to_owned()), ..Default::default() };
//! let mut models = client.registered_models().list(options);
//! while let Some(model) = models.try_next().await? {
//!     println!("{} {}", model.id, model.name);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What is sent again
//!
//! A request that reached nobody, or was answered with 429, 502, 503 or 504, is sent again where that can do no harm:
//! reads always; creations where the server knows the `Idempotency-Key` that each carries, under which it answers a
//! repeated request with the first one's answer; changes never. `Retry-After` is respected. See [`Retries`].
//!
//! # Failures
//!
//! [`Error`] has a variant per meaning; [`Error::answer`] gives status, code, message and request id.
//!
//! To add an operation of a kind: one method here or in `collection.rs`, `children.rs`; a new kind is a few lines in
//! `resource.rs`; an operation of the catalog is a method in `catalog.rs`. The tests
//! `every_operation_of_the_contract_is_called` tell what is missing.

mod builder;
mod call;
pub mod catalog;
mod changes;
mod children;
mod client;
mod collection;
mod error;
mod events;
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
pub use error::{Answer, Error, Result};
pub use model_registry_api::entities::*;
pub use model_registry_api::{Kind, OrderBy, SortOrder};
pub use options::{FindBy, ListOptions, ListQuery};
pub use pages::Items;
pub use resource::{Child, Resource};
pub use retries::{Creations, Retries};
