//! The typed form of what the catalog publishes: models with their artifacts, MCP servers with their tools, agents with
//! their templates, sources.
//!
//! The declarations come first: an asset type ([`AssetType`]) is declared once, in `asset_types/`, with the kinds of rows
//! that it stores ([`CatalogKind`]). Routes, the OpenAPI document, filters, searches, filter options and messages derive from
//! the declaration.
//!
//! Then there are structs for clients; clients write none of it. Catalogs may be newer than this code: unknown fields are
//! ignored, and an unknown member of an enumeration becomes its `Other`. A test compares every struct with the OpenAPI
//! document.

mod agent;
mod artifact;
mod asset_type;
mod asset_types;
mod catalog_kind;
mod filter_options;
mod label;
mod mcp_runtime;
mod mcp_server;
mod mcp_tool;
mod model;
mod preview;
mod serving_config;
mod skill;
mod source;
mod version;

pub use agent::{Agent, AgentArtifact, AgentEnvVar, AgentImageArtifact, AgentTemplateArtifact};
pub use artifact::{CatalogArtifact, CatalogMetricsArtifact, CatalogModelArtifact, MetricsType};
pub use asset_type::{
    Address, ApiSpec, AssetType, AssetTypeSpec, ChildList, IncludedChildren, ItemOrder, ListParameter, ListSpec,
    OrderSpec, RECOMMENDED, ReportedAssetType, SourceType, SourcesSpec,
};
pub use asset_types::mcp_servers::{ACCESS_TYPES, DEPLOYMENT_MODES, LONGEST_DISPLAY_NAME, TRANSPORTS};
pub use asset_types::skills::SKILL_TRUST_TIERS;
pub use catalog_kind::{
    CatalogField, CatalogKind, CatalogKindSpec, CatalogShape, CatalogStorage, CatalogTable, FilterShape, Hidden,
};
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
pub use preview::{AssetPreview, PreviewPage, PreviewSummary};
pub use serving_config::{ServingConfig, ToolCallingConfig};
pub use skill::{Skill, SkillTrustTier};
pub use source::{CatalogSource, SourceStatus};
pub use version::CatalogVersion;

/// The path below which sources, labels and models are served.
pub const MODEL_CATALOG: &str = "/api/model_catalog/v1alpha1";
/// The path below which MCP servers and their tools are served.
pub const MCP_CATALOG: &str = "/api/mcp_catalog/v1alpha1";
/// The path below which agents and their templates are served.
pub const AGENT_CATALOG: &str = "/api/agent_catalog/v1alpha1";
/// The path below which skills are served.
pub const SKILL_CATALOG: &str = "/api/skill_catalog/v1alpha1";
