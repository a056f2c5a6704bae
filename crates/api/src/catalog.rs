//! The typed form of what the catalog publishes: models with their artifacts, MCP servers with their tools, sources.
//!
//! Nothing here is written by clients. Catalogs may be newer than this code: unknown fields are ignored, unknown members
//! of an enumeration are its `Other`. The catalog's OpenAPI document stays the source; a test compares every struct
//! with it.

mod artifact;
mod filter_options;
mod label;
mod mcp_runtime;
mod mcp_server;
mod mcp_tool;
mod model;
mod preview;
mod source;

pub use artifact::{CatalogArtifact, CatalogMetricsArtifact, CatalogModelArtifact, MetricsType};
pub use filter_options::{FieldFilter, FilterOption, FilterOptionRange, FilterOptions};
pub use label::CatalogLabel;
pub use mcp_runtime::{
    McpCapabilities, McpConfigMapKey, McpConfigMapRequirement, McpEnvVarMetadata, McpHealthEndpoints, McpPrerequisites,
    McpResourceRecommendation, McpResources, McpRuntimeMetadata, McpSecretKey, McpSecretRequirement,
    McpServiceAccountRequirement,
};
pub use mcp_server::{McpArtifact, McpEndpoints, McpRuntime, McpSecurityIndicators, McpServer};
pub use mcp_tool::{McpTool, McpToolParameter, McpToolWithServer};
pub use model::CatalogModel;
pub use preview::{ModelPreview, PreviewPage, PreviewSummary};
pub use source::{AssetType, CatalogSource, SourceStatus};

/// The path below which sources, labels and models are served.
pub const MODEL_CATALOG: &str = "/api/model_catalog/v1alpha1";
/// The path below which MCP servers and their tools are served.
pub const MCP_CATALOG: &str = "/api/mcp_catalog/v1alpha1";
