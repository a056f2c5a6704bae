//! The handler that registers a model, a version and its artifacts with one request.

use axum::response::Response;
use model_registry_api::Kind;
use model_registry_server::{ApiError, JsonBody};
use model_registry_store::Document;
use serde_json::{Map, Value};

use super::artifacts::{discriminated, read_new_artifact};
use super::request::Request;
use crate::decode::{Decoder, Mode, as_object, limits, object, unknown_field};
use crate::rules::{Register, RegisterArtifact, new_document};

pub(crate) async fn register(request: Request, JsonBody(body): JsonBody) -> Result<Response, ApiError> {
    let (mut model, mut model_version, mut artifacts) = (None, None, Vec::new());
    for (key, value) in object(&body)? {
        match key.as_str() {
            "registeredModel" => model = Some(read_registered_model(value)?),
            "modelVersion" => model_version = Some(read_model_version(value)?),
            "artifacts" => artifacts = read_artifacts(value)?,
            _ => return Err(unknown_field(key)),
        }
    }
    let missing = |field: &str| ApiError::Unprocessable(format!("required field '{field}' is zero value."));
    let operation = Register {
        version: request.context.version,
        registered_model: model.ok_or_else(|| missing("registeredModel"))?,
        model_version: model_version.ok_or_else(|| missing("modelVersion"))?,
        artifacts,
        author: request.author(),
    };
    request.create(&body, operation).await
}

fn read_registered_model(value: Value) -> Result<Document, ApiError> {
    let body = as_object(value, "field `registeredModel`")?;
    let spec = Kind::RegisteredModel.spec();
    let draft = Decoder { mode: Mode::Create, strict: true }.draft(spec, body)?;
    draft.check_required(spec)?;
    let name = draft.name.clone().unwrap_or_default();
    Ok(new_document(spec, draft, name))
}

/// The body of the version has no `registeredModelId`: its model is in the same body.
fn read_model_version(value: Value) -> Result<Document, ApiError> {
    let body: Map<String, Value> = as_object(value, "field `modelVersion`")?;
    let spec = Kind::ModelVersion.spec();
    let mut draft = Decoder { mode: Mode::Create, strict: true }.draft(spec, body)?;
    if draft.fields.contains_key("registeredModelId") {
        return Err(ApiError::Invalid(
            "`modelVersion.registeredModelId` is not allowed here: the version belongs to `registeredModel`".to_owned(),
        ));
    }
    // Passes the check; the transaction sets the real id.
    draft.set("registeredModelId", "1");
    draft.check_required(spec)?;
    let name = draft.name.clone().unwrap_or_default();
    Ok(new_document(spec, draft, name))
}

fn read_artifacts(value: Value) -> Result<Vec<RegisterArtifact>, ApiError> {
    let Value::Array(items) = value else {
        return Err(ApiError::Invalid("field `artifacts` must be an array".to_owned()));
    };
    if items.len() > limits::REGISTERED_ARTIFACTS {
        return Err(ApiError::Invalid(format!("`artifacts` has more than {} elements", limits::REGISTERED_ARTIFACTS)));
    }
    items
        .into_iter()
        .map(|item| {
            let (kind, body) = discriminated(as_object(item, "an element of `artifacts`")?)?;
            Ok(RegisterArtifact { kind, document: read_new_artifact(kind, body, false)? })
        })
        .collect()
}
