//! The kinds of the catalog and where their rows are.

use serde::{Deserialize, Serialize};

/// What a row of the catalog is. The codes are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CatalogKind {
    Model = 1,
    McpServer = 2,
    McpTool = 3,
    ModelArtifact = 4,
    PerformanceMetrics = 5,
    AccuracyMetrics = 6,
}

impl CatalogKind {
    pub const ARTIFACTS: [Self; 3] = [Self::ModelArtifact, Self::PerformanceMetrics, Self::AccuracyMetrics];
    pub const METRICS: [Self; 2] = [Self::PerformanceMetrics, Self::AccuracyMetrics];

    pub(crate) const fn code(self) -> i16 {
        self as i16
    }

    pub(crate) fn from_code(code: i16) -> Option<Self> {
        [Self::Model, Self::McpServer, Self::McpTool]
            .into_iter()
            .chain(Self::ARTIFACTS)
            .find(|kind| kind.code() == code)
    }

    pub(crate) const fn table(self) -> &'static str {
        match self {
            Self::Model | Self::McpServer | Self::McpTool => "catalog_item",
            Self::ModelArtifact | Self::PerformanceMetrics | Self::AccuracyMetrics => "catalog_artifact",
        }
    }
}
