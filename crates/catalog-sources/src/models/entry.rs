//! A model as authors write it.

use model_registry_api::catalog::ServingConfig;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::custom_properties::CustomProperties;
use crate::yaml::{StringList, Tolerant};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ModelEntry {
    pub(super) name: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) description: Option<String>,
    pub(super) readme: Option<String>,
    pub(super) maturity: Option<String>,
    pub(super) language: Option<StringList>,
    pub(super) tasks: Option<StringList>,
    pub(super) validated_tasks: Option<StringList>,
    pub(super) serving_config: Option<Tolerant<ServingConfig>>,
    pub(super) provider: Option<String>,
    pub(super) logo: Option<String>,
    pub(super) license: Option<StringList>,
    #[serde(alias = "license_name")]
    pub(super) license_name: Option<String>,
    #[serde(alias = "license_link")]
    pub(super) license_link: Option<String>,
    pub(super) library_name: Option<String>,
    pub(super) custom_properties: Option<CustomProperties>,
    pub(super) artifacts: Option<Vec<Tolerant<ArtifactEntry>>>,
    pub(super) create_time_since_epoch: Option<String>,
    pub(super) last_update_time_since_epoch: Option<String>,
    // Exports of the API have these; the server assigns them.
    #[serde(rename = "id")]
    _id: Option<IgnoredAny>,
    #[serde(rename = "source_id")]
    _source_id: Option<IgnoredAny>,
    #[serde(rename = "artifactCounts")]
    _artifact_counts: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArtifactEntry {
    pub(super) artifact_type: Option<String>,
    pub(super) metrics_type: Option<String>,
    pub(super) uri: Option<String>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) custom_properties: Option<CustomProperties>,
    pub(super) create_time_since_epoch: Option<String>,
    pub(super) last_update_time_since_epoch: Option<String>,
    // As above.
    #[serde(rename = "id")]
    _id: Option<IgnoredAny>,
}
