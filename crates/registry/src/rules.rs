//! What creates and changes entities: one operation per kind of write, each a transaction that may be repeated.

mod apply;
mod create;
mod error;
mod idempotent;
mod register;
mod serve;
mod update;
mod upsert_artifact;

pub(crate) use apply::new_document;
pub(crate) use create::{Create, random_name};
pub(crate) use error::RuleError;
pub(crate) use idempotent::Idempotent;
pub(crate) use register::{Register, RegisterArtifact};
pub(crate) use update::Update;
pub(crate) use upsert_artifact::UpsertArtifact;

use model_registry_api::Kind;
use model_registry_server::ApiError;

/// Says that the entity an id names does not exist.
pub(crate) fn not_found(kind: Kind, id: i64) -> ApiError {
    ApiError::NotFound(format!("no {} found for id {id}", kind.spec().label))
}
