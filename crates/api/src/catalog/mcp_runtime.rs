use serde::{Deserialize, Serialize};

/// Requirements for running an MCP server: hints of its publisher.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct McpRuntimeMetadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_args: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_environment_variables: Option<Vec<McpEnvVarMetadata>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional_environment_variables: Option<Vec<McpEnvVarMetadata>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recommended_resources: Option<McpResourceRecommendation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_endpoints: Option<McpHealthEndpoints>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<McpCapabilities>,
    /// Path of the MCP endpoint; `/mcp` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcp_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prerequisites: Option<McpPrerequisites>,
}

/// An environment variable of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct McpEnvVarMetadata {
    pub name: String,
    pub description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_value: Option<String>,
    /// `string`, `int`, `boolean`, `secret` or `config`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub value_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// Resources of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct McpResourceRecommendation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimal: Option<McpResources>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recommended: Option<McpResources>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<McpResources>,
}

/// Quantities in the notation of Kubernetes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct McpResources {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
}

/// Paths of probes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct McpHealthEndpoints {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<String>,
}

/// Capabilities that a server needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct McpCapabilities {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requires_network: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requires_file_system: Option<bool>,
    #[serde(rename = "requiresGPU", skip_serializing_if = "Option::is_none")]
    pub requires_gpu: Option<bool>,
}

/// Objects that have to exist before a server runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct McpPrerequisites {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account: Option<McpServiceAccountRequirement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<McpSecretRequirement>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_maps: Option<Vec<McpConfigMapRequirement>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_variables: Option<Vec<McpEnvVarMetadata>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_resources: Option<Vec<String>>,
}

/// The service account of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct McpServiceAccountRequirement {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggested_name: Option<String>,
}

/// A secret that a server reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct McpSecretRequirement {
    pub name: String,
    pub description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<McpSecretKey>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount_as_file: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount_path: Option<String>,
}

/// A key of a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct McpSecretKey {
    pub key: String,
    pub description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env_var_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
}

/// A config map that a server reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct McpConfigMapRequirement {
    pub name: String,
    pub description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<McpConfigMapKey>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount_as_file: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount_path: Option<String>,
}

/// A key of a config map.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct McpConfigMapKey {
    pub key: String,
    pub description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env_var_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
}
