//! The API of the catalog.
//!
//! Lists are streams, as in the registry. Options are structs whose defaults select everything.

mod list;
mod options;
mod preview;

use crate::call::{Call, entity_path, named_path};
use crate::client::Client;
use crate::error::Result;

pub use list::CatalogList;
pub use model_registry_api::catalog::*;
pub use options::{
    AgentArtifactOptions, AgentOptions, ArtifactKind, ArtifactOptions, IncludedTools, LabelOptions, McpServerOptions,
    McpToolOptions, ModelOptions, PerformanceOptions, PerformanceProperties, SkillOptions, SourceOptions,
};
pub use preview::{PreviewRequest, SourcePreview};

/// The operations of the catalog; see [`Client::catalog`].
///
/// ```
/// use futures::TryStreamExt;
/// use model_registry_client::Client;
/// use model_registry_client::catalog::{ArtifactOptions, CatalogArtifact, ModelOptions};
///
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctest/server.rs"));
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), model_registry_client::Error> {
/// # let client = Client::new(&catalog().await)?;
/// let catalog = client.catalog();
/// let options = ModelOptions { search: Some("chat".to_owned()), ..ModelOptions::default() };
/// let mut models = catalog.models().list(options);
/// while let Some(model) = models.try_next().await? {
///     let mut artifacts = catalog.artifacts_of(&model.source_id, &model.name).list(ArtifactOptions::default());
///     while let Some(artifact) = artifacts.try_next().await? {
///         if let CatalogArtifact::Model(artifact) = artifact {
///             println!("{} is at {}", model.name, artifact.uri);
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Catalog {
    client: Client,
}

impl Catalog {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The configured sources with the result of their last load.
    pub fn sources(&self) -> CatalogList<CatalogSource, SourceOptions> {
        CatalogList::new(self.client.clone(), Ok(format!("{MODEL_CATALOG}/sources")))
    }

    /// The labels of sources with their descriptions.
    pub fn labels(&self) -> CatalogList<CatalogLabel, LabelOptions> {
        CatalogList::new(self.client.clone(), Ok(format!("{MODEL_CATALOG}/labels")))
    }

    /// The models of all sources.
    pub fn models(&self) -> CatalogList<CatalogModel, ModelOptions> {
        CatalogList::new(self.client.clone(), Ok(format!("{MODEL_CATALOG}/models")))
    }

    /// The properties that models can be filtered by.
    pub async fn model_filter_options(&self) -> Result<FilterOptions> {
        let path = format!("{MODEL_CATALOG}/models/filter_options");
        self.client.transport.fetch(Call::get(path, Vec::new())).await
    }

    /// A model by source and name.
    pub async fn model(&self, source_id: &str, name: &str) -> Result<CatalogModel> {
        self.client.transport.fetch(Call::get(model_path(source_id, name)?, Vec::new())).await
    }

    /// The artifacts of a model: where it is stored, and its metrics.
    pub fn artifacts_of(&self, source_id: &str, name: &str) -> CatalogList<CatalogArtifact, ArtifactOptions> {
        let path = model_path(source_id, name).map(|path| format!("{path}/artifacts"));
        CatalogList::new(self.client.clone(), path)
    }

    /// The performance metrics of a model by hardware, and recommendations.
    pub fn performance_of(&self, source_id: &str, name: &str) -> CatalogList<CatalogArtifact, PerformanceOptions> {
        let path = model_path(source_id, name).map(|path| format!("{path}/artifacts/performance"));
        CatalogList::new(self.client.clone(), path)
    }

    /// The names that a source would publish, before it is configured.
    pub fn preview(&self, request: PreviewRequest) -> SourcePreview {
        SourcePreview::new(self.client.clone(), request)
    }

    /// The MCP servers of all sources.
    pub fn mcp_servers(&self) -> CatalogList<McpServer, McpServerOptions> {
        CatalogList::new(self.client.clone(), Ok(format!("{MCP_CATALOG}/mcp_servers")))
    }

    /// The properties that MCP servers can be filtered by.
    pub async fn mcp_server_filter_options(&self) -> Result<FilterOptions> {
        let path = format!("{MCP_CATALOG}/mcp_servers/filter_options");
        self.client.transport.fetch(Call::get(path, Vec::new())).await
    }

    /// An MCP server, optionally with tools.
    pub async fn mcp_server(&self, id: &str, tools: IncludedTools) -> Result<McpServer> {
        self.client.transport.fetch(Call::get(server_path(id)?, tools.query())).await
    }

    /// The skills of all sources.
    pub fn skills(&self) -> CatalogList<Skill, SkillOptions> {
        CatalogList::new(self.client.clone(), Ok(format!("{SKILL_CATALOG}/skills")))
    }

    /// The properties that skills can be filtered by.
    pub async fn skill_filter_options(&self) -> Result<FilterOptions> {
        let path = format!("{SKILL_CATALOG}/skills/filter_options");
        self.client.transport.fetch(Call::get(path, Vec::new())).await
    }

    /// A skill by id.
    pub async fn skill(&self, id: &str) -> Result<Skill> {
        let path = entity_path(&format!("{SKILL_CATALOG}/skills"), id)?;
        self.client.transport.fetch(Call::get(path, Vec::new())).await
    }

    /// The tools of an MCP server.
    pub fn tools_of(&self, server_id: &str) -> CatalogList<McpTool, McpToolOptions> {
        CatalogList::new(self.client.clone(), server_path(server_id).map(|path| format!("{path}/tools")))
    }

    /// The agents of all sources.
    pub fn agents(&self) -> CatalogList<Agent, AgentOptions> {
        CatalogList::new(self.client.clone(), Ok(format!("{AGENT_CATALOG}/agents")))
    }

    /// The properties that agents can be filtered by.
    pub async fn agent_filter_options(&self) -> Result<FilterOptions> {
        let path = format!("{AGENT_CATALOG}/agents/filter_options");
        self.client.transport.fetch(Call::get(path, Vec::new())).await
    }

    /// An agent.
    pub async fn agent(&self, id: &str) -> Result<Agent> {
        self.client.transport.fetch(Call::get(agent_path(id)?, Vec::new())).await
    }

    /// The artifacts of an agent: its templates.
    pub fn agent_artifacts_of(&self, agent_id: &str) -> CatalogList<AgentArtifact, AgentArtifactOptions> {
        CatalogList::new(self.client.clone(), agent_path(agent_id).map(|path| format!("{path}/artifacts")))
    }

    /// A tool by server and name.
    pub async fn mcp_tool(&self, server_id: &str, name: &str) -> Result<McpToolWithServer> {
        let path = entity_path(&format!("{}/tools", server_path(server_id)?), name)?;
        self.client.transport.fetch(Call::get(path, Vec::new())).await
    }
}

fn model_path(source_id: &str, name: &str) -> Result<String> {
    named_path(&format!("{}/models", entity_path(&format!("{MODEL_CATALOG}/sources"), source_id)?), name)
}

fn server_path(id: &str) -> Result<String> {
    entity_path(&format!("{MCP_CATALOG}/mcp_servers"), id)
}

fn agent_path(id: &str) -> Result<String> {
    entity_path(&format!("{AGENT_CATALOG}/agents"), id)
}
