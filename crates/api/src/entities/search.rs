use serde::{Deserialize, Serialize};

/// Entities that match a search, the best first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SearchPage {
    pub items: Vec<SearchResult>,
    /// Number of results.
    pub size: u32,
    /// Maximum number of results.
    pub page_size: u32,
    /// Whether more entities match.
    pub has_more: bool,
}

/// An entity that matches a search.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SearchResult {
    /// Kind of the entity, such as `registered_model`.
    pub kind: String,
    pub id: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// How well it matches: `exact`, `prefix`, `word` or `substring`.
    #[serde(rename = "match")]
    pub matched: String,
    /// What matches: `id`, `name`, `externalId` or `label`.
    pub field: String,
    /// The label that matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The entities above it, the highest first.
    pub parents: Vec<SearchParent>,
}

/// An entity above a result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchParent {
    pub kind: String,
    pub id: String,
    pub name: String,
}
