use serde::{Deserialize, Serialize};

use super::{ArtifactState, Change, CustomProperties, EpochMillis};

/// A data set that a version or run used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DataSet {
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
    /// Where the artifact is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Life cycle state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ArtifactState>,
    /// Digest of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Type of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_type: Option<String>,
    /// Where the data comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Schema of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Profile of the data, for example counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Id of the experiment it was logged in; set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment_id: Option<String>,
    /// Id of the run it was logged in; set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment_run_id: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    /// Set by the server.
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}

/// What [`DataSet`] is created from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DataSetCreate {
    /// Made up by the server where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "CustomProperties::is_empty")]
    pub custom_properties: CustomProperties,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ArtifactState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// What of [`DataSet`] is changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DataSetUpdate {
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub description: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub external_id: Change<String>,
    /// Replaces all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_properties: Option<CustomProperties>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub uri: Change<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ArtifactState>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub digest: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub source_type: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub source: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub schema: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub profile: Change<String>,
}
