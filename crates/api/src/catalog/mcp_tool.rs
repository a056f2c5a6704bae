use serde::{Deserialize, Serialize};

use crate::entities::{CustomProperties, EpochMillis};

/// A tool of an MCP server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct McpTool {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    pub name: String,
    /// `read_only`, `read_write` or `execute`.
    pub access_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Vec<McpToolParameter>>,
    pub custom_properties: CustomProperties,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}

/// A parameter of a tool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct McpToolParameter {
    pub name: String,
    #[serde(rename = "type")]
    pub value_type: String,
    pub required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A tool and its server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct McpToolWithServer {
    pub server_id: String,
    pub server_name: String,
    pub tool: McpTool,
}
