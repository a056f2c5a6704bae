//! `/mcp_servers/{server_id}/tools`: the tools of an MCP server.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use model_registry_api::catalog::{AssetType, CatalogKind};
use model_registry_catalog_store::{CatalogList, CatalogRecord, CatalogSet};
use model_registry_server::{ApiError, Query, response};
use serde_json::Value;

use super::path_parameters::PathParameters;
use super::{PageBody, items, parameters, store_error};
use crate::Catalog;

pub(super) async fn without_server() -> ApiError {
    let message = "required field 'server_id' is empty: add the id of the server after `mcp_servers/`";
    ApiError::UnprocessableEntity(message.to_owned())
}

pub(super) async fn list(
    State(catalog): State<Catalog>,
    PathParameters(server_id): PathParameters<String>,
    query: Query,
) -> Result<Response, ApiError> {
    // Tools are ordered like servers.
    let spec = AssetType::McpServers.spec();
    let page_size = parameters::page_size(&query)?;
    let filters: Vec<_> = parameters::filter(&query)?.into_iter().collect();
    let order = parameters::item_order(spec, &query);
    let page_token = parameters::page_token(&query, &order)?;
    let server = items::find(&catalog, spec, &server_id).await?;
    let list = CatalogList {
        set: CatalogSet {
            kinds: &[CatalogKind::McpTool],
            parent_id: Some(server.id),
            sources: None,
            search: None,
            filters: &filters,
        },
        sort_order: parameters::item_sort_order(spec, &query, &order),
        order,
        page_size: Some(page_size),
        page_token,
    };
    let page = catalog.store.list(&list).await.map_err(store_error)?;
    let items = page.rows.iter().map(CatalogRecord::to_wire).collect();
    Ok(PageBody { items, page_size, next_page_token: page.next_page_token }.into_response())
}

pub(super) async fn get_one(
    State(catalog): State<Catalog>,
    PathParameters((server_id, tool_name)): PathParameters<(String, String)>,
) -> Result<Response, ApiError> {
    let server = items::find(&catalog, AssetType::McpServers.spec(), &server_id).await?;
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
