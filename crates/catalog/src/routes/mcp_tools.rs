//! `/mcp_servers/{server_id}/tools/{tool_name}`: a tool of an MCP server.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use model_registry_api::catalog::{AssetType, CatalogKind};
use model_registry_server::{ApiError, response};
use serde_json::Value;

use super::path_parameters::PathParameters;
use super::{items, store_error};
use crate::Catalog;

pub(super) async fn get_one(
    State(catalog): State<Catalog>,
    PathParameters((server_id, tool_name)): PathParameters<(String, String)>,
) -> Result<Response, ApiError> {
    let server = items::find_head(&catalog, AssetType::McpServers.spec(), &server_id).await?;
    let tool = catalog
        .store
        .find_child(CatalogKind::McpTool, server.id, &tool_name)
        .await
        .map_err(store_error)?
        .ok_or_else(|| ApiError::NotFound(format!("tool '{tool_name}' not found in server {server_id}")))?;
    let body = format!(
        r#"{{"serverId":"{}","serverName":{},"tool":{}}}"#,
        server.id,
        Value::from(server.name.as_str()),
        tool.to_wire()
    );
    Ok(response::json(StatusCode::OK, body))
}
