//! `/sources`: what is configured, and how its last load went.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Response;
use model_registry_api::SortOrder;
use model_registry_catalog_store::SourceState;
use model_registry_server::{ApiError, Query};
use serde_json::{Value, json};

use super::memory_page::{self, Item};
use super::parameters;
use crate::Catalog;
use model_registry_catalog_sources::{AssetType, Source};

pub(super) async fn list(State(catalog): State<Catalog>, query: Query) -> Result<Response, ApiError> {
    let page_size = parameters::page_size(&query)?;
    let asset = asset_type(&query)?;
    let by_name = match query.get("orderBy") {
        None | Some("ID") => false,
        Some("NAME") => true,
        Some(other) => return Err(ApiError::Invalid(format!("unsupported order by field: {other}: use ID or NAME"))),
    };
    let sort_order = strict_sort_order(&query)?;
    let wanted = query.get("name").map(str::to_lowercase);
    let configuration = catalog.configuration();
    let mut sources: Vec<&Source> = configuration.sources.values().filter(|source| source.listing() == asset).collect();
    sources.retain(|source| wanted.as_ref().is_none_or(|wanted| source.name.to_lowercase().contains(wanted)));
    if by_name {
        sources.sort_by(|a, b| a.name.cmp(&b.name));
    }
    if sort_order == SortOrder::Descending {
        sources.reverse();
    }
    let states = catalog.store.list_source_states().await.map_err(super::store_error)?;
    let states: HashMap<&str, &SourceState> = states.iter().map(|state| (state.source_id.as_str(), state)).collect();
    let items = sources.into_iter().map(|source| Item {
        key: source.id.clone(),
        json: wire(source, states.get(source.id.as_str()).copied()).to_string(),
    });
    let list = format!("sources {asset:?} {by_name} {sort_order:?} {wanted:?}");
    Ok(memory_page::page(items.collect(), &list, page_size, query.get("nextPageToken"))?.into_response())
}

fn wire(source: &Source, state: Option<&SourceState>) -> Value {
    let mut wire = json!({
        "enabled": source.enabled, "id": source.id, "labels": source.labels, "name": source.name,
    });
    if let Some(state) = state {
        wire["status"] = state.status.as_str().into();
        wire["error"] = state.error.as_deref().into();
    }
    let asset = match source.asset {
        AssetType::McpServers => Some(source.listing()),
        // parity (catalog-service 1.5): the patterns of MCP sources are not shown, and models are the default.
        AssetType::Models => {
            for (field, list) in [("includedModels", &source.included), ("excludedModels", &source.excluded)] {
                if let Some(list) = list.as_ref().filter(|list| !list.is_empty()) {
                    wire[field] = list.clone().into();
                }
            }
            source.listed_as
        }
    };
    if let Some(asset) = asset {
        wire["assetType"] = asset.as_str().into();
    }
    wire
}

pub(super) fn asset_type(query: &Query) -> Result<AssetType, ApiError> {
    let Some(text) = query.get("assetType") else { return Ok(AssetType::Models) };
    AssetType::parse(text).ok_or_else(|| {
        ApiError::Invalid(format!("invalid value '{text}' for assetType: valid values are [models mcp_servers]"))
    })
}

/// Unlike lists of models, these refuse a direction they do not know.
pub(super) fn strict_sort_order(query: &Query) -> Result<SortOrder, ApiError> {
    match query.get("sortOrder") {
        None | Some("ASC") => Ok(SortOrder::Ascending),
        Some("DESC") => Ok(SortOrder::Descending),
        Some(other) => Err(ApiError::Invalid(format!("unsupported sort order field: {other}: use ASC or DESC"))),
    }
}
