//! `/sources`: the configured sources, with the result of their last load.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Response;
use model_registry_api::SortOrder;
use model_registry_api::catalog::AssetType;
use model_registry_base::nearest_name;
use model_registry_catalog_sources::Source;
use model_registry_catalog_store::SourceState;
use model_registry_server::{ApiError, Query};
use serde_json::{Value, json};

use super::in_memory_page::InMemoryList;
use super::parameters;
use crate::Catalog;

pub(super) async fn list(State(catalog): State<Catalog>, query: Query) -> Result<Response, ApiError> {
    let page_size = parameters::page_size(&query)?;
    let asset_type = asset_type(&query)?;
    let by_name = match query.get("orderBy") {
        None | Some("ID") => false,
        Some("NAME") => true,
        Some(other) => return Err(ApiError::Invalid(format!("unsupported order by field: {other}: use ID or NAME"))),
    };
    let sort_order = checked_sort_order(&query)?;
    let part_of_name = query.get("name").map(str::to_lowercase);
    let configuration = catalog.configuration();
    let mut sources: Vec<&Source> =
        configuration.sources.values().filter(|source| Some(source.asset_type) == asset_type).collect();
    sources.retain(|source| part_of_name.as_ref().is_none_or(|part| source.name.to_lowercase().contains(part)));
    if by_name {
        sources.sort_by(|a, b| a.name.cmp(&b.name));
    }
    if sort_order == SortOrder::Descending {
        sources.reverse();
    }
    let states = catalog.store.list_source_states().await.map_err(super::store_error)?;
    let states: HashMap<&str, &SourceState> = states.iter().map(|state| (state.source_id.as_str(), state)).collect();
    let name = format!("sources {asset_type:?} {by_name} {sort_order:?} {part_of_name:?}");
    let list = InMemoryList { name: &name, items: &sources, key: |source: &&Source| source.id.clone() };
    let wire = |source: &&Source| to_wire(source, states.get(source.id.as_str()).copied()).to_string();
    Ok(list.page(page_size, query.get("nextPageToken"), wire)?.into_response())
}

fn to_wire(source: &Source, state: Option<&SourceState>) -> Value {
    let mut wire = json!({
        "enabled": source.enabled, "id": source.id, "labels": source.labels, "name": source.name,
    });
    if let Some(state) = state {
        wire["status"] = state.status.as_str().into();
        wire["error"] = state.error.as_deref().into();
    }
    let spec = source.asset_type.spec();
    if spec.sources.lists_patterns
        && let Some(keys) = spec.sources.pattern_keys()
    {
        for (key, patterns) in keys.iter().zip([&source.included, &source.excluded]) {
            if let Some(patterns) = patterns.as_ref().filter(|patterns| !patterns.is_empty()) {
                wire[key] = patterns.clone().into();
            }
        }
    }
    // parity: clients take a source without an asset type for a source of models.
    if source.states_asset_type || source.asset_type != AssetType::default() {
        wire["assetType"] = source.asset_type.as_str().into();
    }
    wire
}

/// The requested asset type. parity: an unknown one (`None`) has no sources, as in the Kubeflow Model Registry: it may be
/// that of a newer version. A misspelt one is an error.
fn asset_type(query: &Query) -> Result<Option<AssetType>, ApiError> {
    let Some(name) = query.get("assetType") else { return Ok(Some(AssetType::default())) };
    if let Some(asset_type) = AssetType::from_name(name) {
        return Ok(Some(asset_type));
    }
    match nearest_name(&name.to_lowercase(), AssetType::ALL.map(AssetType::as_str)) {
        Some(nearest) => Err(ApiError::Invalid(format!(
            "invalid value '{name}' for assetType, did you mean `{nearest}`? Valid values are [{}]",
            AssetType::names(" ")
        ))),
        None => Ok(None),
    }
}

/// `sortOrder`. parity: unlike lists of items, `/sources` and `/labels` reject an unknown value.
pub(super) fn checked_sort_order(query: &Query) -> Result<SortOrder, ApiError> {
    match query.get("sortOrder") {
        None | Some("ASC") => Ok(SortOrder::Ascending),
        Some("DESC") => Ok(SortOrder::Descending),
        Some(other) => Err(ApiError::Invalid(format!("unsupported sort order field: {other}: use ASC or DESC"))),
    }
}
