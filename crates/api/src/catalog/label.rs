use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a label of sources means to people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CatalogLabel {
    /// `None` describes the sources without any label.
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Whatever else was written about it; texts, as a rule.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}
