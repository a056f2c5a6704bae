//! `…/artifacts/performance`: the performance metrics of a model, with the replicas that a request rate needs, or only the
//! recommended ones.

use axum::response::Response;
use model_registry_api::catalog::{CatalogKind, CatalogVersion};
use model_registry_catalog_store::{CatalogHead, CatalogList, CatalogRecord, CatalogSet};
use model_registry_server::{ApiError, Query};
use serde_json::Value;

use super::artifacts::ArtifactListing;
use super::in_memory_page::{self, InMemoryList};
use super::{PageBody, parameters, store_error};
use crate::Catalog;
use crate::recommendation::{Configuration, PerformanceMetrics, PropertyNames, recommended};

/// The target rate and the names of the properties.
#[derive(Clone, Debug)]
pub(super) struct PerformanceParameters {
    pub(super) target_rps: Option<i32>,
    pub(super) names: PropertyNames,
    /// The names that the request sets.
    requested: Vec<String>,
    /// The properties that a model needs for a recommendation among models: all but those that the request sets to the empty
    /// string.
    pub(super) required: Vec<String>,
}

impl PerformanceParameters {
    pub(super) fn read(query: &Query) -> Result<Self, ApiError> {
        let mut requested = Vec::new();
        let mut required = Vec::new();
        let mut name = |parameter: &str, default: &str| {
            let value = query.get(parameter);
            let name = value.unwrap_or(default).to_owned();
            if value.is_some() {
                requested.push(name.clone());
            }
            if value.is_some() || !query.has(parameter) {
                required.push(name.clone());
            }
            name
        };
        let names = PropertyNames {
            rps: name("rpsProperty", "requests_per_second"),
            latency: name("latencyProperty", "ttft_p90"),
            hardware_count: name("hardwareCountProperty", "hardware_count"),
            hardware_type: name("hardwareTypeProperty", "hardware_type"),
        };
        Ok(Self { target_rps: parameters::integer(query, "targetRPS")?, names, requested, required })
    }
}

/// A request for performance metrics, before the model is read.
pub(super) struct PerformanceRequest<'a> {
    parameters: PerformanceParameters,
    recommendations: bool,
    listing: ArtifactListing,
    page_token: Option<&'a str>,
}

impl<'a> PerformanceRequest<'a> {
    pub(super) fn read(query: &'a Query, version: CatalogVersion) -> Result<Self, ApiError> {
        let parameters = PerformanceParameters::read(query)?;
        let recommendations = parameters::boolean(query, "recommendations")?;
        let listing = ArtifactListing::read(query, version)?;
        let page_token = if recommendations {
            in_memory_page::token(query)?
        } else {
            parameters::page_token(query, &listing.order)?
        };
        Ok(Self { parameters, recommendations, listing, page_token })
    }

    pub(super) async fn respond(self, catalog: &Catalog, model: &CatalogHead) -> Result<Response, ApiError> {
        let Self { parameters, recommendations, listing, page_token } = self;
        let ArtifactListing { page_size, filters, order, sort_order } = listing;
        let list = CatalogList {
            set: CatalogSet {
                kinds: &[CatalogKind::PerformanceMetrics],
                parent_id: Some(model.id),
                sources: None,
                search: None,
                filters: &filters,
            },
            order,
            sort_order,
            page_size: (!recommendations).then_some(page_size),
            page_token: page_token.filter(|_| !recommendations),
        };
        let page = catalog.store.list(&list).await.map_err(store_error)?;
        let mut metrics = page.rows.iter().map(performance_metrics).collect::<Result<Vec<_>, _>>()?;
        let target_rps = match parameters.target_rps {
            Some(target) if target > 0 => Some(target),
            _ if recommendations => Some(1),
            _ => None,
        };
        if let Some(target_rps) = target_rps {
            for one in &mut metrics {
                one.add_replicas(&parameters.names, target_rps);
            }
        }
        if !recommendations {
            let items = metrics.into_iter().map(|one| Value::Object(one.document).to_string()).collect();
            return Ok(PageBody { items, page_size, next_page_token: page.next_page_token }.into_response());
        }
        check_properties(&metrics, &parameters.requested)?;
        let configuration = |one| Configuration::of(one, &parameters.names, target_rps.unwrap_or(1));
        let kept = recommended(&metrics.iter().map(configuration).collect::<Vec<_>>());
        metrics.retain(|one| kept.contains(&one.id));
        let name = format!("performance {list:?} {parameters:?}");
        let page = InMemoryList { name: &name, items: &metrics, key: |one: &PerformanceMetrics| one.id.to_string() };
        let wire = |one: &PerformanceMetrics| serde_json::to_string(&one.document).unwrap_or_default();
        Ok(page.page(page_size, page_token, wire)?.into_response())
    }
}

/// Rejects a requested property that no artifact has, which is most likely misspelled.
fn check_properties(metrics: &[PerformanceMetrics], requested: &[String]) -> Result<(), ApiError> {
    let is_missing = |name: &&String| !metrics.iter().any(|one| one.has(name));
    let missing: Vec<&str> = requested.iter().filter(is_missing).map(String::as_str).collect();
    if metrics.is_empty() || missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(", ");
    Err(ApiError::Invalid(format!("properties not found in any performance artifacts: [{missing}]")))
}

/// Decodes a performance metrics artifact.
pub(super) fn performance_metrics(record: &CatalogRecord) -> Result<PerformanceMetrics, ApiError> {
    let document = serde_json::from_str(&record.to_wire()).map_err(ApiError::internal)?;
    Ok(PerformanceMetrics { id: record.id, document })
}
