use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{McpRuntimeMetadata, McpTool};
use crate::entities::{CustomProperties, EpochMillis};

/// An MCP server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct McpServer {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    pub name: String,
    /// Name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Id of its source.
    #[serde(rename = "source_id", skip_serializing_if = "String::is_empty")]
    pub source_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// A URL or data URL of a logo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// Markdown of its author: viewers have to sanitise it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readme: Option<String>,
    /// Display name of the licence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    #[serde(rename = "license_link", skip_serializing_if = "Option::is_none")]
    pub license_link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documentation_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_code: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_date: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// `stdio`, `http`, `sse`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transports: Option<Vec<String>>,
    /// `local` or `remote`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<McpEndpoints>,
    /// Images to run it from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifacts: Option<Vec<McpArtifact>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_indicators: Option<McpSecurityIndicators>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_metadata: Option<McpRuntime>,
    /// The `server.json` of the MCP registry, as its publisher wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_json: Option<Map<String, Value>>,
    /// Number of its tools, whether they are included or not.
    pub tool_count: u32,
    /// Present if they were requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<McpTool>>,
    pub custom_properties: CustomProperties,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}

/// Requirements for running a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum McpRuntime {
    Known(Box<McpRuntimeMetadata>),
    /// In a form that this version does not know, unchanged: not every catalog checks it.
    Other(Map<String, Value>),
}

/// URLs of a remote server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct McpEndpoints {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sse: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub websocket: Option<String>,
}

/// An image to run a server from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct McpArtifact {
    pub uri: String,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}

/// Security claims of the publisher of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct McpSecurityIndicators {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_source: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure_endpoint: Option<bool>,
    /// Whether its code was analysed statically.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sast: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only_tools: Option<bool>,
}
