//! `/models?recommendations=true`: the models by the least latency that they can be had with.

use std::collections::HashMap;

use axum::response::Response;
use model_registry_catalog_store::{CatalogKind, CatalogRecord, CatalogSet};
use model_registry_server::{ApiError, Query};

use super::memory_page::{self, Item};
use super::performance::{Parameters, measurement};
use super::store_error;
use crate::Catalog;
use crate::recommendation::{Measurement, recommended};

pub(super) async fn list(
    catalog: &Catalog,
    query: &Query,
    set: CatalogSet<'_>,
    page_size: u32,
    parameters: &Parameters,
) -> Result<Response, ApiError> {
    let ids = catalog.store.list_ids(&set).await.map_err(store_error)?;
    let measured = catalog.store.list_artifacts_of(&set, CatalogKind::PerformanceMetrics).await.map_err(store_error)?;
    let mut by_model: HashMap<i64, Vec<Measurement>> = HashMap::new();
    for record in &measured {
        by_model.entry(record.parent_id).or_default().push(measurement(record)?);
    }
    let target_rps = parameters.target_rps.filter(|target| *target > 0).unwrap_or(1);
    let mut latencies: HashMap<i64, f64> = HashMap::new();
    for (model, mut measurements) in by_model {
        // parity (catalog-service 2.6): without one of the properties, nothing is known of the latency either.
        let is_measured = |name: &String| measurements.iter().any(|measurement| measurement.has(name));
        if !parameters.needed.iter().all(is_measured) {
            continue;
        }
        for measurement in &mut measurements {
            measurement.add_replicas(&parameters.names, target_rps);
        }
        let kept = recommended(measurements, &parameters.names);
        let latency = kept.iter().filter_map(|one| one.number(&parameters.names.latency)).reduce(f64::min);
        latencies.extend(latency.map(|latency| (model, latency)));
    }
    // Stable: models of one latency, or without any, stay in the order of their names.
    let mut ranked = ids;
    let latency = |id: &i64| latencies.get(id).copied().unwrap_or(f64::INFINITY);
    ranked.sort_by(|a, b| latency(a).total_cmp(&latency(b)));

    let items = ranked.iter().map(|id| Item { key: id.to_string(), json: id.to_string() }).collect();
    let list = format!("recommended {set:?} {parameters:?}");
    let mut page = memory_page::page(items, &list, page_size, query.get("nextPageToken"))?;
    // Only the documents of this page are read.
    let wanted: Vec<i64> = page.items.iter().filter_map(|id| id.parse().ok()).collect();
    let records = catalog.store.list_items_by_id(CatalogKind::Model, &wanted).await.map_err(store_error)?;
    let records: HashMap<i64, &CatalogRecord> = records.iter().map(|record| (record.id, record)).collect();
    page.items = wanted.iter().filter_map(|id| Some(records.get(id)?.to_wire())).collect();
    Ok(page.into_response())
}
