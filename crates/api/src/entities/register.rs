use serde::{Deserialize, Serialize};

use super::{Artifact, ArtifactCreate, ModelVersion, ModelVersionCreate, RegisteredModel, RegisteredModelCreate};

/// The body that registers a model, a version and its artifacts in one request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RegisterRequest {
    /// The model: created if no model has this name; an existing one is not changed.
    pub registered_model: RegisteredModelCreate,
    /// The new version, without a `registered_model_id`.
    pub model_version: ModelVersionCreate,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<ArtifactCreate>,
}

/// The found or created model, the created version and its artifacts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RegisterResponse {
    pub registered_model: RegisteredModel,
    pub model_version: ModelVersion,
    pub artifacts: Vec<Artifact>,
}
