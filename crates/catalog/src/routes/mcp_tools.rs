//! `/mcp_servers/{server_id}/tools`: what a server can do.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use model_registry_server::{ApiError, Query, response};
use model_registry_store::{CatalogKind, CatalogList, CatalogOrder, CatalogRecord, CatalogSet};
use serde_json::Value;

use super::{PageBody, database, mcp_servers, parameters, store_error};
use crate::Catalog;

pub(super) async fn list(
    State(catalog): State<Catalog>,
    Path(server_id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let page_size = parameters::page_size(&query)?;
    let filters: Vec<_> = parameters::filter(&query)?.into_iter().collect();
    let server = mcp_servers::find(&catalog, &server_id).await?;
    let order = query.get("orderBy").and_then(|text| parameters::common_order(&text.to_ascii_uppercase()));
    let list = CatalogList {
        set: CatalogSet {
            kinds: &[CatalogKind::McpTool],
            parent_id: Some(server.id),
            sources: None,
            search: None,
            filters: &filters,
        },
        order: order.unwrap_or(CatalogOrder::Id),
        sort_order: parameters::sort_order(&query),
        page_size: Some(page_size),
        page_token: query.get("nextPageToken"),
    };
    let page = database(&catalog)?.list_catalog(&list).await.map_err(store_error)?;
    let items = page.rows.iter().map(CatalogRecord::to_wire).collect();
    Ok(PageBody { items, page_size, next_page_token: page.next_page_token }.into_response())
}

pub(super) async fn get_one(
    State(catalog): State<Catalog>,
    Path((server_id, tool_name)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let server = mcp_servers::find(&catalog, &server_id).await?;
    let tool = database(&catalog)?
        .find_catalog_child(CatalogKind::McpTool, server.id, &tool_name)
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
