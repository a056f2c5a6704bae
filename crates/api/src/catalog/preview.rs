use serde::{Deserialize, Serialize};

/// A page of the names in a source, each with whether it would be published.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PreviewPage {
    pub items: Vec<ModelPreview>,
    /// Counts over all pages.
    pub summary: PreviewSummary,
    /// Page token of the next page; empty on the last one.
    pub next_page_token: String,
    pub page_size: u32,
    pub size: u32,
}

/// A name in a source, and whether it would be published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelPreview {
    pub name: String,
    pub included: bool,
}

/// The number of names in a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PreviewSummary {
    pub total_models: u64,
    pub included_models: u64,
    pub excluded_models: u64,
}
