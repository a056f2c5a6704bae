//! `/labels`: descriptions of the labels of sources.

use axum::extract::State;
use axum::response::Response;
use model_registry_api::SortOrder;
use model_registry_api::catalog::AssetType;
use model_registry_catalog_sources::Label;
use model_registry_server::{ApiError, Query};
use serde_json::Value;

use super::in_memory_page::InMemoryList;
use super::parameters;
use super::sources::checked_sort_order;
use crate::Catalog;

pub(super) async fn list(State(catalog): State<Catalog>, query: Query) -> Result<Response, ApiError> {
    let page_size = parameters::page_size(&query)?;
    let asset_type = asset_type(&query)?;
    let sort_order = checked_sort_order(&query)?;
    let order_by = query.get("orderBy");
    let configuration = catalog.configuration();
    let mut labels: Vec<_> = configuration.labels.iter().filter(|label| label.is_for(asset_type)).collect();
    if let Some(field) = order_by {
        // Labels without the field come last in either direction, in the order of the configuration: the sort is stable.
        labels.sort_by(|a, b| match (a.string(field), b.string(field)) {
            (Some(a), Some(b)) if sort_order == SortOrder::Descending => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        });
    }
    let name = format!("labels {asset_type:?} {order_by:?} {sort_order:?}");
    let list = InMemoryList {
        name: &name,
        items: &labels,
        // The label whose name is null gets a key that differs from the key of every name.
        key: |label: &&Label| label.name().map_or_else(String::new, |name| format!("={name}")),
    };
    let wire = |label: &&Label| Value::Object(label.fields.clone()).to_string();
    Ok(list.page(page_size, query.get("nextPageToken"), wire)?.into_response())
}

/// parity: unlike `/sources`, an unknown asset type is rejected, as in the Kubeflow Model Registry.
fn asset_type(query: &Query) -> Result<AssetType, ApiError> {
    let Some(name) = query.get("assetType") else { return Ok(AssetType::default()) };
    AssetType::from_name(name).ok_or_else(|| {
        let valid = AssetType::names(" ");
        ApiError::Invalid(format!("invalid value '{name}' for assetType: valid values are [{valid}]"))
    })
}
