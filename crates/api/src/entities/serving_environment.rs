use serde::{Deserialize, Serialize};

use super::{Change, CustomProperties, EpochMillis};

/// An environment that models are served in, for example a Kubernetes namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServingEnvironment {
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
    /// Set by the server.
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    /// Set by the server.
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}

/// Creation body of [`ServingEnvironment`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServingEnvironmentCreate {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "CustomProperties::is_empty")]
    pub custom_properties: CustomProperties,
}

/// Update body of [`ServingEnvironment`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServingEnvironmentUpdate {
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub description: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub external_id: Change<String>,
    /// Replaces all custom properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_properties: Option<CustomProperties>,
}
