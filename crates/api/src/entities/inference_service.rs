use serde::{Deserialize, Serialize};

use super::{Change, CustomProperties, EpochMillis};

/// Whether a service should be deployed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InferenceServiceState {
    #[default]
    Deployed,
    Undeployed,
    /// One that this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// A deployment of a model, or of one of its versions, in a serving environment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct InferenceService {
    /// Set by the server; empty in one that does not exist yet.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Never changes; made up by the server where it is left empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The id in an external system; unique within the workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    pub custom_properties: CustomProperties,
    /// Id of the model that is served.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub registered_model_id: String,
    /// Id of the environment it is served in.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub serving_environment_id: String,
    /// Id of the version that is served; without it, the model's newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_version_id: Option<String>,
    /// Model runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// Whether it should be deployed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired_state: Option<InferenceServiceState>,
    /// Set by the server.
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    /// Set by the server.
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}

/// What [`InferenceService`] is created from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct InferenceServiceCreate {
    /// Made up by the server where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "CustomProperties::is_empty")]
    pub custom_properties: CustomProperties,
    /// Id of the model that is served.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub registered_model_id: String,
    /// Id of the environment it is served in.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub serving_environment_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_version_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired_state: Option<InferenceServiceState>,
}

/// What of [`InferenceService`] is changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct InferenceServiceUpdate {
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub description: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub external_id: Change<String>,
    /// Replaces all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_properties: Option<CustomProperties>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub model_version_id: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub runtime: Change<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired_state: Option<InferenceServiceState>,
}
