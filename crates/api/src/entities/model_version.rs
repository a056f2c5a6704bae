use serde::{Deserialize, Serialize};

use super::{Change, CustomProperties, EpochMillis, State};

/// A version of a model, the parent of its artifacts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ModelVersion {
    /// Set by the server; empty before creation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Immutable.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The id in an external system; unique within the workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    pub custom_properties: CustomProperties,
    /// Id of the model of the version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub registered_model_id: String,
    /// Life cycle state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Author of the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    /// Set by the server.
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}

/// Creation body of [`ModelVersion`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ModelVersionCreate {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "CustomProperties::is_empty")]
    pub custom_properties: CustomProperties,
    /// Id of the model of the version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub registered_model_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
}

/// Update body of [`ModelVersion`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ModelVersionUpdate {
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub description: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub external_id: Change<String>,
    /// Replaces all custom properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_properties: Option<CustomProperties>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub author: Change<String>,
}
