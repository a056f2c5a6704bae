use serde::{Deserialize, Serialize};

use super::{Artifact, ArtifactCreate, ModelVersion, ModelVersionCreate, RegisteredModel, RegisteredModelCreate};

/// A model, a version and its artifacts, registered in one step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RegisterRequest {
    /// The model as it is created if there is none of this name; one that exists stays as it is.
    pub registered_model: RegisteredModelCreate,
    /// The new version, without a `registered_model_id`.
    pub model_version: ModelVersionCreate,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<ArtifactCreate>,
}

/// What a registration found or created.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RegisterResponse {
    pub registered_model: RegisteredModel,
    pub model_version: ModelVersion,
    pub artifacts: Vec<Artifact>,
}
