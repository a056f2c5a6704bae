use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What filters of a list can use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FilterOptions {
    /// By the name in filters.
    pub filters: BTreeMap<String, FilterOption>,
    /// Number of entities.
    pub entities: u64,
    /// Whether numbers of entities are exact; otherwise they are estimates.
    pub counts_are_exact: bool,
    /// Seconds since the options were computed.
    pub age_seconds: u64,
}

/// What is known of a field or custom property.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FilterOption {
    /// `string`, `number` or `boolean`.
    #[serde(rename = "type")]
    pub value_type: String,
    /// Number of entities with a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// All values if they are few, otherwise frequent ones; the most frequent first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    /// Number of entities with each of `values`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<FilterOptionRange>,
}

/// The least and the greatest value: integers or doubles.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FilterOptionRange {
    pub min: Value,
    pub max: Value,
}
