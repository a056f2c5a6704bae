//! An agent as authors write it.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::custom_properties::CustomProperties;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AgentEntry {
    pub(super) name: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) readme: Option<String>,
    pub(super) framework: Option<String>,
    pub(super) logo: Option<String>,
    pub(super) repository_url: Option<String>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) env: Option<Vec<Option<VariableEntry>>>,
    pub(super) artifacts: Option<Vec<Option<ImageEntry>>>,
    pub(super) templates: Option<Vec<Option<TemplateEntry>>>,
    pub(super) custom_properties: Option<CustomProperties>,
    pub(super) create_time_since_epoch: Option<String>,
    pub(super) last_update_time_since_epoch: Option<String>,
    // Exports of the API have these; the server assigns them.
    #[serde(rename = "id")]
    _id: Option<IgnoredAny>,
    #[serde(rename = "source_id", alias = "sourceId")]
    _source_id: Option<IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct VariableEntry {
    pub(super) name: Option<String>,
    pub(super) required: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct ImageEntry {
    pub(super) uri: Option<String>,
    // As above.
    #[serde(rename = "artifactType")]
    _artifact_type: Option<IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct TemplateEntry {
    pub(super) name: Option<String>,
    pub(super) content: Option<String>,
}
