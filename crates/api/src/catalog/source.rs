use serde::{Deserialize, Serialize};

use super::ReportedAssetType;

/// A source of assets, with the result of its last load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CatalogSource {
    pub id: String,
    pub name: String,
    /// Enabled by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    pub labels: Vec<String>,
    /// Absent before the first load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<SourceStatus>,
    /// Error of the last load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Patterns of the names that are published; all names without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub included_models: Option<Vec<String>>,
    /// Patterns of the names that are not published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excluded_models: Option<Vec<String>>,
    /// Models by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset_type: Option<ReportedAssetType>,
}

/// The result of the last load of a source.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceStatus {
    Available,
    /// Some items were skipped.
    PartiallyAvailable,
    Error,
    Disabled,
    /// A status that this version does not know.
    #[serde(untagged)]
    Other(String),
}
