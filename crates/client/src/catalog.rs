//! The catalog's API: what others publish.
//!
//! Lists are streams as the registry's are, and options are structs whose defaults ask for everything.

mod listed;
mod options;
mod preview;

use crate::call::{Call, entity_path, named_path};
use crate::client::Client;
use crate::error::Result;

pub use listed::Listed;
pub use model_registry_api::catalog::*;
pub use options::{
    ArtifactKind, ArtifactOptions, LabelOptions, McpServerOptions, McpToolOptions, ModelOptions, PerformanceOptions,
    PerformanceProperties, SourceOptions, ToolsOf,
};
pub use preview::{PreviewRequest, Previewed};

/// The operations of the catalog; [`Client::catalog`] gives them.
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
/// let options = ModelOptions { text: Some("chat".to_owned()), ..ModelOptions::default() };
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

    /// What is configured, and how its last load went.
    pub fn sources(&self) -> Listed<CatalogSource, SourceOptions> {
        Listed::new(self.client.clone(), Ok(format!("{MODEL_CATALOG}/sources")))
    }

    /// What the labels of sources mean.
    pub fn labels(&self) -> Listed<CatalogLabel, LabelOptions> {
        Listed::new(self.client.clone(), Ok(format!("{MODEL_CATALOG}/labels")))
    }

    /// The models of all sources.
    pub fn models(&self) -> Listed<CatalogModel, ModelOptions> {
        Listed::new(self.client.clone(), Ok(format!("{MODEL_CATALOG}/models")))
    }

    /// What models can be filtered by.
    pub async fn model_filter_options(&self) -> Result<FilterOptions> {
        let path = format!("{MODEL_CATALOG}/models/filter_options");
        self.client.transport.fetch(Call::get(path, Vec::new())).await
    }

    /// A model by its source and name.
    pub async fn model(&self, source_id: &str, name: &str) -> Result<CatalogModel> {
        self.client.transport.fetch(Call::get(model_path(source_id, name)?, Vec::new())).await
    }

    /// Where to get a model, and what was measured of it.
    pub fn artifacts_of(&self, source_id: &str, name: &str) -> Listed<CatalogArtifact, ArtifactOptions> {
        let path = model_path(source_id, name).map(|path| format!("{path}/artifacts"));
        Listed::new(self.client.clone(), path)
    }

    /// How fast a model is on which hardware, and what to choose.
    pub fn performance_of(&self, source_id: &str, name: &str) -> Listed<CatalogArtifact, PerformanceOptions> {
        let path = model_path(source_id, name).map(|path| format!("{path}/artifacts/performance"));
        Listed::new(self.client.clone(), path)
    }

    /// What a source would publish, before anybody configures it.
    pub fn preview(&self, request: PreviewRequest) -> Previewed {
        Previewed::new(self.client.clone(), request)
    }

    /// The MCP servers of all sources.
    pub fn mcp_servers(&self) -> Listed<McpServer, McpServerOptions> {
        Listed::new(self.client.clone(), Ok(format!("{MCP_CATALOG}/mcp_servers")))
    }

    /// What MCP servers can be filtered by.
    pub async fn mcp_server_filter_options(&self) -> Result<FilterOptions> {
        let path = format!("{MCP_CATALOG}/mcp_servers/filter_options");
        self.client.transport.fetch(Call::get(path, Vec::new())).await
    }

    /// An MCP server, with some of its tools or without.
    pub async fn mcp_server(&self, id: &str, tools: ToolsOf) -> Result<McpServer> {
        self.client.transport.fetch(Call::get(server_path(id)?, tools.query())).await
    }

    /// What an MCP server can do.
    pub fn tools_of(&self, server_id: &str) -> Listed<McpTool, McpToolOptions> {
        Listed::new(self.client.clone(), server_path(server_id).map(|path| format!("{path}/tools")))
    }

    /// A tool by its server and name.
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
