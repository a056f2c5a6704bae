//! Lists of the children of an item that is addressed by id: the tools of an MCP server, the templates of an agent.

use axum::response::Response;
use model_registry_api::catalog::{Address, AssetType, AssetTypeSpec, CatalogVersion, ChildList};
use model_registry_catalog_store::{CatalogList, CatalogSet};
use model_registry_server::{ApiError, Query};

use super::wire::to_wire;
use super::{PageBody, artifacts, items, parameters, store_error};
use crate::Catalog;

pub(super) async fn list(
    catalog: Catalog,
    asset_type: AssetType,
    version: CatalogVersion,
    children: &'static ChildList,
    id: String,
    query: Query,
) -> Result<Response, ApiError> {
    // Children are ordered like their items.
    let spec = asset_type.spec();
    if children.artifact_type.is_some() {
        artifacts::requested_kinds(&query, "artifactType", &[children.kind])?;
    }
    let page_size = parameters::page_size(&query)?;
    let filter = if children.is_filtered { parameters::filter(&query)? } else { None };
    let filters: Vec<_> = filter.into_iter().collect();
    let order = parameters::item_order(spec, version, &query)?;
    let page_token = parameters::page_token(&query, &order)?;
    let item = items::find_head(&catalog, spec, &id).await?;
    let list = CatalogList {
        set: CatalogSet {
            kinds: &[children.kind],
            parent_id: Some(item.id),
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
    let items = page.rows.iter().map(|row| to_wire(row, version)).collect();
    Ok(PageBody { items, page_size, next_page_token: page.next_page_token }.into_response())
}

/// The response to a path with an empty id.
pub(super) fn without_id(spec: &AssetTypeSpec) -> ApiError {
    let (Address::Id { parameter, .. } | Address::SourceAndName { parameter }) = spec.api.address;
    let message = format!(
        "required field '{parameter}' is empty: add the id of the {} after `{}/`",
        spec.label, spec.api.collection
    );
    ApiError::UnprocessableEntity(message)
}
