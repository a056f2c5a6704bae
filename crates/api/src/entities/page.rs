use serde::{Deserialize, Serialize};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Asks for the next page; empty on the last one.
    #[serde(default)]
    pub next_page_token: String,
    /// Items on a page at most.
    #[serde(default)]
    pub page_size: u32,
    /// Items on this page.
    #[serde(default)]
    pub size: u32,
}
