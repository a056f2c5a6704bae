//! Transactions that create and update entities: one unit of work per kind of write, repeatable after a conflict.

mod create;
mod document;
mod error;
mod hub_access;
mod idempotent;
mod references;
mod register;
mod update;
mod upsert_artifact;

pub(crate) use create::{Create, NewReference, random_name};
pub(crate) use document::new_document;
pub(crate) use error::RuleError;
pub(crate) use idempotent::Idempotent;
pub(crate) use register::{Register, RegisterArtifact};
pub(crate) use update::Update;
pub(crate) use upsert_artifact::UpsertArtifact;

use model_registry_api::Kind;
use model_registry_server::ApiError;

/// The 404 for an id without an entity.
pub(crate) fn not_found(kind: Kind, id: i64) -> ApiError {
    ApiError::NotFound(format!("no {} found for id {id}", kind.spec().label))
}
