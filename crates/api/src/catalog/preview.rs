use serde::{Deserialize, Serialize};

use super::{AssetType, ReportedAssetType};

/// A page of the names in a source, each with whether it would be published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PreviewPage {
    pub asset_type: ReportedAssetType,
    pub items: Vec<AssetPreview>,
    /// Counts over all pages.
    pub summary: PreviewSummary,
    /// Page token of the next page; empty on the last one.
    pub next_page_token: String,
    pub page_size: u32,
    pub size: u32,
}

impl Default for PreviewPage {
    fn default() -> Self {
        Self {
            // Older catalogs preview models only, and do not say so.
            asset_type: AssetType::default().into(),
            items: Vec::new(),
            summary: PreviewSummary::default(),
            next_page_token: String::new(),
            page_size: 0,
            size: 0,
        }
    }
}

/// A name in a source, and whether it would be published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AssetPreview {
    pub name: String,
    pub included: bool,
}

/// The number of names in a source. The names of the fields on the wire depend on the asset type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum PreviewSummary {
    Models { total_models: u64, included_models: u64, excluded_models: u64 },
    Assets { total_assets: u64, included_assets: u64, excluded_assets: u64 },
}

impl Default for PreviewSummary {
    fn default() -> Self {
        Self::Models { total_models: 0, included_models: 0, excluded_models: 0 }
    }
}

impl PreviewSummary {
    /// Names that were found.
    pub fn total(&self) -> u64 {
        match self {
            Self::Models { total_models: total, .. } | Self::Assets { total_assets: total, .. } => *total,
        }
    }

    /// Names that would be published.
    pub fn included(&self) -> u64 {
        match self {
            Self::Models { included_models: included, .. } | Self::Assets { included_assets: included, .. } => {
                *included
            }
        }
    }

    /// Names that would not be published.
    pub fn excluded(&self) -> u64 {
        match self {
            Self::Models { excluded_models: excluded, .. } | Self::Assets { excluded_assets: excluded, .. } => {
                *excluded
            }
        }
    }
}
