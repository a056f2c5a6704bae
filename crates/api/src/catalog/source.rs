use serde::{Deserialize, Serialize};

use super::ReportedAssetType;

/// Where models or MCP servers come from, and how its last load went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CatalogSource {
    pub id: String,
    pub name: String,
    /// On unless it is switched off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    pub labels: Vec<String>,
    /// Absent before the first load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<SourceStatus>,
    /// What went wrong with the last load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Patterns of the names that are published; all of them without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub included_models: Option<Vec<String>>,
    /// Patterns of the names that are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excluded_models: Option<Vec<String>>,
    /// Models where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset_type: Option<ReportedAssetType>,
}

/// How the last load of a source went.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceStatus {
    Available,
    /// Some of its items could not be used.
    PartiallyAvailable,
    Error,
    Disabled,
    /// One that this version does not know.
    #[serde(untagged)]
    Other(String),
}
