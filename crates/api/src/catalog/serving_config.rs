use serde::{Deserialize, Serialize};

/// How to serve a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServingConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_calling: Option<ToolCallingConfig>,
}

/// The settings of an inference server with which a model calls tools.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ToolCallingConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_call_parser: Option<String>,
    /// Path of a template file that is packed with the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_template: Option<String>,
    /// True if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_auto_tool_choice: Option<bool>,
    /// Command line arguments, each complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_args: Option<Vec<String>>,
}
