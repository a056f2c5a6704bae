//! `/mcp_servers/{server_id}/tools`: what a server can do.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use model_registry_catalog_store::{CatalogKind, CatalogList, CatalogOrder, CatalogRecord, CatalogSet};
use model_registry_server::{ApiError, Query, response};
use serde_json::Value;

use super::segments::Segments;
use super::{PageBody, mcp_servers, parameters, store_error};
use crate::Catalog;

pub(super) async fn without_server() -> ApiError {
    ApiError::UnprocessableEntity("required field 'server_id' is empty: put the id behind `mcp_servers/`".to_owned())
}

pub(super) async fn list(
    State(catalog): State<Catalog>,
    Segments(server_id): Segments<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let page_size = parameters::page_size(&query)?;
    let filters: Vec<_> = parameters::filter(&query)?.into_iter().collect();
    let order = query.get("orderBy").and_then(|text| parameters::common_order(&text.to_ascii_uppercase()));
    let order = order.unwrap_or(CatalogOrder::Id);
    let page_token = parameters::page_token(&query, &order)?;
    let server = mcp_servers::find(&catalog, &server_id).await?;
    let list = CatalogList {
        set: CatalogSet {
            kinds: &[CatalogKind::McpTool],
            parent_id: Some(server.id),
            sources: None,
            search: None,
            filters: &filters,
        },
        order,
        sort_order: parameters::sort_order_of_servers(&query),
        page_size: Some(page_size),
        page_token,
    };
    let page = catalog.store.list(&list).await.map_err(store_error)?;
    let items = page.rows.iter().map(CatalogRecord::to_wire).collect();
    Ok(PageBody { items, page_size, next_page_token: page.next_page_token }.into_response())
}

pub(super) async fn get_one(
    State(catalog): State<Catalog>,
    Segments((server_id, tool_name)): Segments<(String, String)>,
) -> Result<Response, ApiError> {
    let server = mcp_servers::find(&catalog, &server_id).await?;
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
