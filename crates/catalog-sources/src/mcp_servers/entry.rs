//! An MCP server as authors write it.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::custom_properties::CustomProperties;
use crate::yaml::{StringList, Tolerant};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServerEntry {
    pub(super) name: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) description: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) version: Option<String>,
    pub(super) logo: Option<String>,
    pub(super) license: Option<StringList>,
    #[serde(alias = "license_name")]
    pub(super) license_name: Option<String>,
    #[serde(rename = "license_link", alias = "licenseLink")]
    pub(super) license_link: Option<String>,
    pub(super) documentation_url: Option<String>,
    pub(super) repository_url: Option<String>,
    pub(super) source_code: Option<String>,
    pub(super) readme: Option<String>,
    pub(super) published_date: Option<String>,
    pub(super) last_updated: Option<String>,
    pub(super) transports: Option<StringList>,
    pub(super) tags: Option<StringList>,
    pub(super) tools: Option<Vec<Tolerant<ToolEntry>>>,
    pub(super) artifacts: Option<Vec<Tolerant<ArtifactEntry>>>,
    pub(super) deployment_mode: Option<String>,
    pub(super) endpoints: Option<Endpoints>,
    pub(super) runtime_metadata: Option<Value>,
    pub(super) security_indicators: Option<SecurityIndicators>,
    /// parity: unlike in the API, in snake case.
    #[serde(rename = "server_json")]
    pub(super) server_json: Option<Map<String, Value>>,
    pub(super) custom_properties: Option<CustomProperties>,
    pub(super) create_time_since_epoch: Option<String>,
    pub(super) last_update_time_since_epoch: Option<String>,
    // Exports of the API have these; the server assigns them.
    #[serde(rename = "id")]
    _id: Option<IgnoredAny>,
    #[serde(rename = "source_id")]
    _source_id: Option<IgnoredAny>,
    #[serde(rename = "toolCount")]
    _tool_count: Option<IgnoredAny>,
    /// The name in the API; a data file has `server_json`.
    #[serde(rename = "serverJson")]
    _server_json: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolEntry {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) access_type: Option<Tolerant<String>>,
    pub(super) external_id: Option<String>,
    pub(super) parameters: Option<Vec<ParameterEntry>>,
    pub(super) custom_properties: Option<CustomProperties>,
    // The API has no position for a schema; the others are this server's.
    #[serde(rename = "schema")]
    _schema: Option<IgnoredAny>,
    #[serde(rename = "id")]
    _id: Option<IgnoredAny>,
    #[serde(rename = "createTimeSinceEpoch")]
    _create_time: Option<IgnoredAny>,
    #[serde(rename = "lastUpdateTimeSinceEpoch")]
    _update_time: Option<IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct ParameterEntry {
    pub(super) name: String,
    #[serde(rename = "type", default)]
    pub(super) value_type: Option<String>,
    #[serde(default)]
    pub(super) required: Option<bool>,
    pub(super) description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArtifactEntry {
    pub(super) uri: Option<String>,
    pub(super) create_time_since_epoch: Option<String>,
    pub(super) last_update_time_since_epoch: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Endpoints {
    pub(super) http: Option<String>,
    pub(super) sse: Option<String>,
    pub(super) websocket: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SecurityIndicators {
    pub(super) verified_source: Option<Tolerant<bool>>,
    pub(super) secure_endpoint: Option<Tolerant<bool>>,
    pub(super) sast: Option<Tolerant<bool>>,
    pub(super) read_only_tools: Option<Tolerant<bool>>,
}
