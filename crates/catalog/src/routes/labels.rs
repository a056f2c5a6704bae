//! `/labels`: what the labels of sources mean.

use axum::extract::State;
use axum::response::Response;
use model_registry_api::SortOrder;
use model_registry_server::{ApiError, Query};
use serde_json::Value;

use super::memory_page::{self, Item};
use super::parameters;
use super::sources::{asset_type, strict_sort_order};
use crate::Catalog;

pub(super) async fn list(State(catalog): State<Catalog>, query: Query) -> Result<Response, ApiError> {
    let page_size = parameters::page_size(&query)?;
    let asset = asset_type(&query)?;
    let sort_order = strict_sort_order(&query)?;
    let order_by = query.get("orderBy");
    let configuration = catalog.configuration();
    let mut labels: Vec<_> = configuration.labels.iter().filter(|label| label.is_for(asset)).collect();
    if let Some(field) = order_by {
        // Labels without the field come last and keep their order, whatever the direction; sorting is stable.
        labels.sort_by(|a, b| match (a.text(field), b.text(field)) {
            (Some(a), Some(b)) if sort_order == SortOrder::Descending => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        });
    }
    let items = labels.into_iter().map(|label| Item {
        // A label named null has no name, so it gets a key that no name can be.
        key: label.name().map_or_else(String::new, |name| format!("={name}")),
        json: Value::Object(label.fields.clone()).to_string(),
    });
    let list = format!("labels {asset:?} {order_by:?} {sort_order:?}");
    Ok(memory_page::page(items.collect(), &list, page_size, query.get("nextPageToken"))?.into_response())
}
