use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::entities::{CustomProperties, EpochMillis};

/// An agent; its name is unique within its source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Agent {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    pub name: String,
    /// Id of its source.
    #[serde(rename = "source_id", skip_serializing_if = "String::is_empty")]
    pub source_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Markdown of its author: viewers have to sanitise it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readme: Option<String>,
    /// Framework that it is built with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub framework: Option<String>,
    /// Labels of the agent, which are not those of its source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// A URL or path of a logo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_url: Option<String>,
    /// Environment variables that it needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<AgentEnvVar>>,
    /// Images to run it from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifacts: Option<Vec<AgentImageArtifact>>,
    #[serde(skip_serializing_if = "CustomProperties::is_empty")]
    pub custom_properties: CustomProperties,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}

/// An environment variable that an agent needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentEnvVar {
    pub name: String,
    pub required: bool,
}

/// An image to run an agent from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AgentImageArtifact {
    /// `image-artifact`.
    pub artifact_type: String,
    pub uri: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "CustomProperties::is_empty")]
    pub custom_properties: CustomProperties,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}

/// An artifact of an agent; `artifactType` is the discriminator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "artifactType")]
pub enum AgentArtifact {
    #[serde(rename = "template-artifact")]
    Template(Box<AgentTemplateArtifact>),
    /// An artifact of a type that this version does not know, unchanged.
    #[serde(untagged)]
    Other(Map<String, Value>),
}

/// A template: the text of a file that deploys an agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AgentTemplateArtifact {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Name of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "CustomProperties::is_empty")]
    pub custom_properties: CustomProperties,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}
