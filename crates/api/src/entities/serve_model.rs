use serde::{Deserialize, Serialize};

use super::{CustomProperties, EpochMillis};

/// What a serving is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExecutionState {
    #[default]
    Unknown,
    New,
    Running,
    Complete,
    Failed,
    Cached,
    Canceled,
    /// One that this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// One serving of a model version by an inference service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServeModel {
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
    /// Id of the version that is served.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub model_version_id: String,
    /// State of the serving when it was last looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_known_state: Option<ExecutionState>,
    /// Set by the server.
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    /// Set by the server.
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}

/// What [`ServeModel`] is created from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServeModelCreate {
    /// Made up by the server where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "CustomProperties::is_empty")]
    pub custom_properties: CustomProperties,
    /// Id of the version that is served.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub model_version_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_known_state: Option<ExecutionState>,
}
