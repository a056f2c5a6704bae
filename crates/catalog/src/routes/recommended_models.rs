//! `/models?orderBy=RECOMMENDED`, or `recommendations=true`: models ordered by the least latency among their recommended
//! configurations.

use std::collections::HashMap;

use axum::response::Response;
use model_registry_api::SortOrder;
use model_registry_api::catalog::{CatalogKind, CatalogVersion};
use model_registry_base::{Cancellation, run_while_awaited};
use model_registry_catalog_store::{CatalogRecord, CatalogSet};
use model_registry_server::{ApiError, Query};

use super::performance::{PerformanceParameters, performance_metrics};
use super::wire::to_wire;
use super::{PageBody, parameters, store_error};
use crate::Catalog;
use crate::recommendation::{Configuration, recommended};

pub(super) async fn list(
    catalog: &Catalog,
    version: CatalogVersion,
    query: &Query,
    set: CatalogSet<'_>,
    page_size: u32,
    performance: &PerformanceParameters,
) -> Result<Response, ApiError> {
    let offset = offset(query)?;
    let mut ids = catalog.store.list_ids(&set).await.map_err(store_error)?;
    let artifacts =
        catalog.store.list_artifacts_of(&set, CatalogKind::PerformanceMetrics).await.map_err(store_error)?;
    let performance = performance.clone();
    let latencies = run_while_awaited(move |work| latencies(&artifacts.rows, &performance, work)).await?;
    rank(&mut ids, &latencies, parameters::sort_order_in_any_case(query));
    let start = offset.min(ids.len());
    let end = start.saturating_add(page_size as usize).min(ids.len());
    // Only the documents of this page are read.
    let on_page = ids.get(start..end).unwrap_or_default();
    let page = catalog.store.list_items_by_id(CatalogKind::Model, on_page).await.map_err(store_error)?;
    // The page may end earlier, at its limit of bytes.
    let last = page.rows.last().and_then(|last| on_page.iter().position(|id| *id == last.id));
    let end = last.map_or(end, |last| start + last + 1);
    let next_page_token = if end < ids.len() { end.to_string() } else { String::new() };
    let items = page.rows.iter().map(|record| to_wire(record, version)).collect();
    Ok(PageBody { items, page_size, next_page_token }.into_response())
}

/// What is kept of the measurements of a model: their documents would take several times the memory.
struct Measured {
    configurations: Vec<Configuration>,
    /// For each required property, whether a measurement has it.
    present: Vec<bool>,
}

/// The latencies by which models are ordered. All measurements of all models are read, which takes a while.
fn latencies(
    records: &[CatalogRecord],
    parameters: &PerformanceParameters,
    work: &Cancellation,
) -> Result<HashMap<i64, f64>, ApiError> {
    let target_rps = parameters.target_rps.filter(|target| *target > 0).unwrap_or(1);
    let none = || Measured { configurations: Vec::new(), present: vec![false; parameters.required.len()] };
    let mut by_model: HashMap<i64, Measured> = HashMap::new();
    for record in records {
        work.check().map_err(ApiError::internal)?;
        let metrics = performance_metrics(record)?;
        let measured = by_model.entry(record.parent_id).or_insert_with(none);
        measured.configurations.push(Configuration::of(&metrics, &parameters.names, target_rps));
        for (present, name) in measured.present.iter_mut().zip(&parameters.required) {
            *present |= metrics.has(name);
        }
    }
    Ok(by_model.iter().filter_map(|(model, measured)| Some((*model, least_latency(measured)?))).collect())
}

/// The number of models before the page: the token of this list. parity: a decimal number, as in the Kubeflow Model Registry.
fn offset(query: &Query) -> Result<usize, ApiError> {
    let Some(token) = query.get("nextPageToken") else { return Ok(0) };
    let number = token.bytes().all(|byte| byte.is_ascii_digit()).then(|| token.parse::<u32>().ok()).flatten();
    let number = number.and_then(|number| i32::try_from(number).ok()).and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| {
        let limit = i32::MAX;
        ApiError::Invalid(format!(
            "invalid nextPageToken: must be a non-negative integer (0..{limit}), got \"{token}\": pass the token of the \
             previous page unchanged"
        ))
    })
}

/// Orders models by latency. Those without come last in either direction; equal ones stay in the order of their names and
/// ids, because the sort is stable.
fn rank(ids: &mut [i64], latencies: &HashMap<i64, f64>, sort_order: SortOrder) {
    ids.sort_by(|a, b| match (latencies.get(a), latencies.get(b)) {
        (Some(a), Some(b)) => match sort_order {
            SortOrder::Ascending => a.total_cmp(b),
            SortOrder::Descending => b.total_cmp(a),
        },
        (a, b) => a.is_none().cmp(&b.is_none()),
    });
}

/// The least latency among the recommended configurations of a model. parity: `None` for a model without one of the required
/// properties, as in the Kubeflow Model Registry.
fn least_latency(measured: &Measured) -> Option<f64> {
    if !measured.present.iter().all(|present| *present) {
        return None;
    }
    let kept = recommended(&measured.configurations);
    let configurations = measured.configurations.iter().filter(|one| kept.contains(&one.id));
    configurations.filter_map(|one| one.latency).reduce(f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_without_a_latency_come_last_in_either_direction_and_equal_ones_keep_their_order() {
        let latencies = HashMap::from([(1, 80.0), (2, 35.0), (4, 80.0)]);
        for (sort_order, expected) in
            [(SortOrder::Ascending, [2, 4, 1, 5, 3]), (SortOrder::Descending, [4, 1, 2, 5, 3])]
        {
            // The order of names.
            let mut ids = [4, 1, 5, 2, 3];
            rank(&mut ids, &latencies, sort_order);
            assert_eq!(ids, expected, "{sort_order:?}");
        }
    }
}
