use serde::{Deserialize, Serialize};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Page token of the next page; empty on the last page.
    #[serde(default)]
    pub next_page_token: String,
    /// Maximum number of items per page.
    #[serde(default)]
    pub page_size: u32,
    /// Number of items on this page.
    #[serde(default)]
    pub size: u32,
    /// Number of entities on all pages, if it was requested: a lower bound unless `total_is_exact`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_is_exact: Option<bool>,
}
