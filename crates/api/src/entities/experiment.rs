use serde::{Deserialize, Serialize};

use super::{Change, CustomProperties, EpochMillis, State};

/// An experiment, the parent of its runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Experiment {
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
    /// Owner of the experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Life cycle state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Set by the server.
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    /// Set by the server.
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}

/// Creation body of [`Experiment`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExperimentCreate {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "CustomProperties::is_empty")]
    pub custom_properties: CustomProperties,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
}

/// Update body of [`Experiment`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExperimentUpdate {
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub description: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub external_id: Change<String>,
    /// Replaces all custom properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_properties: Option<CustomProperties>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub owner: Change<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
}
