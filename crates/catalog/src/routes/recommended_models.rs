//! `/models?recommendations=true`: models ordered by the least latency among their recommended configurations.

use std::collections::HashMap;

use axum::response::Response;
use model_registry_api::catalog::CatalogKind;
use model_registry_catalog_store::{CatalogRecord, CatalogSet};
use model_registry_server::{ApiError, Query};

use super::in_memory_page::{self, Item};
use super::performance::{PerformanceParameters, performance_metrics};
use super::store_error;
use crate::Catalog;
use crate::recommendation::{PerformanceMetrics, recommended};

pub(super) async fn list(
    catalog: &Catalog,
    query: &Query,
    set: CatalogSet<'_>,
    page_size: u32,
    parameters: &PerformanceParameters,
) -> Result<Response, ApiError> {
    let mut ids = catalog.store.list_ids(&set).await.map_err(store_error)?;
    let records = catalog.store.list_artifacts_of(&set, CatalogKind::PerformanceMetrics).await.map_err(store_error)?;
    let mut by_model: HashMap<i64, Vec<PerformanceMetrics>> = HashMap::new();
    for record in &records {
        by_model.entry(record.parent_id).or_default().push(performance_metrics(record)?);
    }
    let latencies: HashMap<i64, f64> = by_model
        .into_iter()
        .filter_map(|(model, metrics)| Some((model, least_latency(metrics, parameters)?)))
        .collect();
    // Models with equal latency, or without, stay in the order of their names: the sort is stable.
    let latency = |id: &i64| latencies.get(id).copied().unwrap_or(f64::INFINITY);
    ids.sort_by(|a, b| latency(a).total_cmp(&latency(b)));

    let items = ids.iter().map(|id| Item { key: id.to_string(), json: id.to_string() }).collect();
    let list = format!("recommended {set:?} {parameters:?}");
    let mut page = in_memory_page::page(items, &list, page_size, query.get("nextPageToken"))?;
    // Only the documents of this page are read.
    let ids: Vec<i64> = page.items.iter().filter_map(|id| id.parse().ok()).collect();
    let records = catalog.store.list_items_by_id(CatalogKind::Model, &ids).await.map_err(store_error)?;
    let records: HashMap<i64, &CatalogRecord> = records.iter().map(|record| (record.id, record)).collect();
    page.items = ids.iter().filter_map(|id| Some(records.get(id)?.to_wire())).collect();
    Ok(page.into_response())
}

/// The least latency among the recommended configurations of a model. parity: `None` for a model without one of the required
/// properties, as in the Kubeflow Model Registry.
fn least_latency(mut metrics: Vec<PerformanceMetrics>, parameters: &PerformanceParameters) -> Option<f64> {
    let is_present = |name: &String| metrics.iter().any(|one| one.has(name));
    if !parameters.required.iter().all(is_present) {
        return None;
    }
    let target_rps = parameters.target_rps.filter(|target| *target > 0).unwrap_or(1);
    for one in &mut metrics {
        one.add_replicas(&parameters.names, target_rps);
    }
    let kept = recommended(metrics, &parameters.names);
    kept.iter().filter_map(|one| one.number(&parameters.names.latency)).reduce(f64::min)
}
