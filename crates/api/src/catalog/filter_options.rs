use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What lists can be filtered by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FilterOptions {
    /// By the name that a filter uses.
    pub filters: BTreeMap<String, FilterOption>,
    /// Filters that an administrator wrote, by their name and then by the field they look at.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub named_queries: BTreeMap<String, BTreeMap<String, FieldFilter>>,
}

/// What there is of one field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FilterOption {
    /// `string`, with values, or `number`, with a range.
    #[serde(rename = "type")]
    pub value_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<FilterOptionRange>,
}

/// The smallest and the largest number that occurs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FilterOptionRange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// A condition on one field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FieldFilter {
    pub operator: String,
    pub value: Value,
}
