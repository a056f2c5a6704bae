use serde::{Deserialize, Serialize};

/// A page of what a source would publish.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PreviewPage {
    pub items: Vec<ModelPreview>,
    /// Over all names, on every page.
    pub summary: PreviewSummary,
    /// Asks for the next page; empty on the last one.
    pub next_page_token: String,
    pub page_size: u32,
    pub size: u32,
}

/// A name that was found, and whether the source would publish it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelPreview {
    pub name: String,
    pub included: bool,
}

/// How many names there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PreviewSummary {
    pub total_models: u64,
    pub included_models: u64,
    pub excluded_models: u64,
}
