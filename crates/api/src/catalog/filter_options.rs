use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The fields that filters on a list can use, and the named queries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FilterOptions {
    /// By the name of the field in filters.
    pub filters: BTreeMap<String, FilterOption>,
    /// The conditions of each named query by field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub named_queries: BTreeMap<String, BTreeMap<String, FieldFilter>>,
}

/// The values or the range of a field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FilterOption {
    /// `string` with values, or `number` with a range.
    #[serde(rename = "type")]
    pub value_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<FilterOptionRange>,
}

/// The least and the greatest value that occur.
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
