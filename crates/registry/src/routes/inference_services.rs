//! The model and the model version that an inference service serves.

use axum::response::Response;
use model_registry_api::Kind;
use model_registry_server::ApiError;
use model_registry_store::Document;

use super::entity::{load, respond};
use super::request::{PathParameter, Request, path_id};
use crate::rules::RuleError;

/// Responds with the registered model of a service.
pub(crate) async fn model(request: Request, id: PathParameter) -> Result<Response, ApiError> {
    let service = service(&request, &id).await?;
    let model_id = service.id("registeredModelId").unwrap_or_default();
    Ok(respond(&request, &load(&request, &[Kind::RegisteredModel], model_id).await?))
}

/// Responds with the version of a service: the one it names, or else the newest of its model.
pub(crate) async fn version(request: Request, id: PathParameter) -> Result<Response, ApiError> {
    let service = service(&request, &id).await?;
    if let Some(version_id) = service.id("modelVersionId") {
        return Ok(respond(&request, &load(&request, &[Kind::ModelVersion], version_id).await?));
    }
    let model_id = service.id("registeredModelId").unwrap_or_default();
    let newest = request.store().find_newest_child(Kind::ModelVersion, model_id).await.map_err(RuleError::from)?;
    let version =
        newest.ok_or_else(|| ApiError::NotFound(format!("no model versions found for registered model {model_id}")))?;
    Ok(respond(&request, &version))
}

async fn service(request: &Request, id: &PathParameter) -> Result<Document, ApiError> {
    let id = path_id(request.context.version, Kind::InferenceService, id)?;
    let record = load(request, &[Kind::InferenceService], id).await?;
    Ok(record.document().map_err(RuleError::from)?)
}
