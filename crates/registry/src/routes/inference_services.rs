//! What an inference service serves.

use axum::response::Response;
use model_registry_api::Kind;
use model_registry_server::ApiError;
use model_registry_store::Document;

use super::entity::{answer, load};
use super::request::{PathText, Request, path_id};
use crate::rules::RuleError;

/// The registered model of a service.
pub(super) async fn model(request: Request, id: PathText) -> Result<Response, ApiError> {
    let service = service(&request, &id).await?;
    let model_id = service.id("registeredModelId").unwrap_or_default();
    Ok(answer(&request, &load(&request, &[Kind::RegisteredModel], model_id).await?))
}

/// The version of a service: the one it names, or else the model's newest.
pub(super) async fn version(request: Request, id: PathText) -> Result<Response, ApiError> {
    let service = service(&request, &id).await?;
    if let Some(version_id) = service.id("modelVersionId") {
        return Ok(answer(&request, &load(&request, &[Kind::ModelVersion], version_id).await?));
    }
    let model_id = service.id("registeredModelId").unwrap_or_default();
    let newest = request.database()?.find_newest_child(Kind::ModelVersion, model_id).await.map_err(RuleError::from)?;
    let version =
        newest.ok_or_else(|| ApiError::NotFound(format!("no model versions found for registered model {model_id}")))?;
    Ok(answer(&request, &version))
}

async fn service(request: &Request, id: &PathText) -> Result<Document, ApiError> {
    let id = path_id(Kind::InferenceService, id)?;
    let record = load(request, &[Kind::InferenceService], id).await?;
    Ok(record.document().map_err(RuleError::from)?)
}
