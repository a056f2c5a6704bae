use serde::{Deserialize, Serialize};

use crate::entities::{CustomProperties, EpochMillis};

/// A skill of agents: instructions in a file `SKILL.md`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Skill {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    pub name: String,
    /// Id of its source.
    #[serde(rename = "source_id", skip_serializing_if = "String::is_empty")]
    pub source_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compatibility: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_tools: Option<Vec<String>>,
    /// The text of its `SKILL.md`, Markdown of its author: viewers have to sanitise it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readme: Option<String>,
    /// URL of the repository that it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Path of its directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Tag or commit; `latest` for a branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_tier: Option<SkillTrustTier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// Paths of the other files of its directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supporting_files: Option<Vec<String>>,
    /// Lines of its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_line_count: Option<i32>,
    #[serde(skip_serializing_if = "CustomProperties::is_empty")]
    pub custom_properties: CustomProperties,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}

/// The trust that the configuration of a source gives to its skills.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SkillTrustTier {
    PlatformProvided,
    PartnerVerified,
    OrganizationApproved,
    CommunityContributed,
    /// A tier that this version does not know.
    #[serde(untagged)]
    Other(String),
}
