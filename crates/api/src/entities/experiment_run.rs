use serde::{Deserialize, Serialize};

use super::{Change, CustomProperties, EpochMillis, State};

/// What a run is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExperimentRunStatus {
    #[default]
    Running,
    Scheduled,
    Finished,
    Failed,
    Killed,
    /// One that this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// A run of an experiment, the parent of its artifacts, metrics and parameters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExperimentRun {
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
    /// Id of the experiment this is a run of.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub experiment_id: String,
    /// When the run started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time_since_epoch: Option<EpochMillis>,
    /// When the run ended; not before its start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time_since_epoch: Option<EpochMillis>,
    /// What the run is doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ExperimentRunStatus>,
    /// Life cycle state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Who owns the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    /// Set by the server.
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}

/// What [`ExperimentRun`] is created from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExperimentRunCreate {
    /// Made up by the server where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "CustomProperties::is_empty")]
    pub custom_properties: CustomProperties,
    /// Id of the experiment this is a run of.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub experiment_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time_since_epoch: Option<EpochMillis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time_since_epoch: Option<EpochMillis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ExperimentRunStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// What of [`ExperimentRun`] is changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExperimentRunUpdate {
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub description: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub external_id: Change<String>,
    /// Replaces all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_properties: Option<CustomProperties>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub end_time_since_epoch: Change<EpochMillis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ExperimentRunStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub owner: Change<String>,
}
