use serde::{Deserialize, Serialize};

use super::{ArtifactState, Change, CustomProperties, EpochMillis};

/// The bytes of a model version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ModelArtifact {
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
    /// Format of the model, for example `onnx`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_format_name: Option<String>,
    /// Version of the format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_format_version: Option<String>,
    /// Name of the storage secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_key: Option<String>,
    /// Path of the model in its storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_path: Option<String>,
    /// Service account with the storage secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// Kind of system the model comes from, for example `kfp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_source_kind: Option<String>,
    /// Class within the source, for example `pipelinerun`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_source_class: Option<String>,
    /// Group within the source, for example a namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_source_group: Option<String>,
    /// Id within the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_source_id: Option<String>,
    /// Name within the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_source_name: Option<String>,
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

/// What [`ModelArtifact`] is created from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ModelArtifactCreate {
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
    pub model_format_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_format_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_source_kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_source_class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_source_group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_source_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_source_name: Option<String>,
}

/// What of [`ModelArtifact`] is changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ModelArtifactUpdate {
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
    pub model_format_name: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub model_format_version: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub storage_key: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub storage_path: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub service_account_name: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub model_source_kind: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub model_source_class: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub model_source_group: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub model_source_id: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub model_source_name: Change<String>,
}
