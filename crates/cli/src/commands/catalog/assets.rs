//! What the commands need of each asset type: its items as JSON, and the reference of an item.

use futures::TryStreamExt;
use model_registry_client::Items;
use model_registry_client::catalog::{AgentOptions, AssetType, Catalog, McpServerOptions, ModelOptions, SkillOptions};
use serde_json::Value;

use super::{agents, list, servers, skills};
use crate::entity::values;
use crate::output::Layout;

/// The items of an asset type that contain a text, or all.
pub(crate) fn items(
    catalog: &Catalog,
    asset_type: AssetType,
    search: Option<String>,
    page_size: Option<u32>,
) -> Items<Value> {
    match asset_type {
        AssetType::Models => {
            values(catalog.models().list(ModelOptions { search, page_size, ..ModelOptions::default() }))
        }
        AssetType::McpServers => {
            values(catalog.mcp_servers().list(McpServerOptions { search, page_size, ..McpServerOptions::default() }))
        }
        AssetType::Agents => {
            values(catalog.agents().list(AgentOptions { search, page_size, ..AgentOptions::default() }))
        }
        AssetType::Skills => {
            values(catalog.skills().list(SkillOptions { search, page_size, ..SkillOptions::default() }))
        }
    }
}

/// The columns of the lists of an asset type.
pub(super) fn layout(asset_type: AssetType) -> &'static Layout {
    match asset_type {
        AssetType::Models => &list::MODELS,
        AssetType::McpServers => &servers::SERVERS,
        AssetType::Agents => &agents::AGENTS,
        AssetType::Skills => &skills::SKILLS,
    }
}

/// The reference of an item, which other commands accept.
pub(crate) fn reference(asset_type: AssetType, item: &Value) -> String {
    match asset_type {
        AssetType::Models => list::reference(item),
        AssetType::McpServers => servers::reference(item),
        AssetType::Agents => agents::reference(item),
        AssetType::Skills => skills::reference(item),
    }
}

/// The asset type whose items an argument with this placeholder names.
pub(crate) fn of_placeholder(placeholder: &str) -> Option<AssetType> {
    match placeholder {
        "MODEL" => Some(AssetType::Models),
        "MCP_SERVER" => Some(AssetType::McpServers),
        "AGENT" => Some(AssetType::Agents),
        "SKILL" => Some(AssetType::Skills),
        _ => None,
    }
}

/// Whether commands find an item by its name alone if it is unique; otherwise they need the reference.
pub(crate) fn is_found_without_source(asset_type: AssetType) -> bool {
    matches!(asset_type, AssetType::Agents | AssetType::Skills | AssetType::McpServers)
}

/// Collects items; none from a server that does not serve their asset type, such as an older one.
pub(super) async fn collect_if_served(items: Items<Value>) -> model_registry_client::Result<Vec<Value>> {
    match items.try_collect().await {
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        collected => collected,
    }
}
