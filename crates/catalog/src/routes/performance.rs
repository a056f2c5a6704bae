//! `…/artifacts/performance`: measurements, what a request rate takes, and which to choose.

use axum::response::Response;
use model_registry_catalog_store::{CatalogKind, CatalogList, CatalogRecord, CatalogSet};
use model_registry_server::{ApiError, Query};
use serde_json::Value;

use super::artifacts::Listing;
use super::memory_page::{self, Item};
use super::{PageBody, parameters, store_error};
use crate::Catalog;
use crate::recommendation::{Measurement, PropertyNames, recommended};

/// What the arithmetic is about.
#[derive(Clone, Debug)]
pub(super) struct Parameters {
    pub(super) target_rps: Option<i32>,
    pub(super) names: PropertyNames,
    /// The names that the client chose.
    chosen: Vec<String>,
    /// The names that have to be measured for a recommendation among models: all but those given as empty texts.
    pub(super) needed: Vec<String>,
}

impl Parameters {
    pub(super) fn read(query: &Query) -> Result<Self, ApiError> {
        let mut chosen = Vec::new();
        let mut needed = Vec::new();
        let mut name = |parameter: &str, default: &str| {
            let given = query.get(parameter);
            let name = given.unwrap_or(default).to_owned();
            if given.is_some() {
                chosen.push(name.clone());
            }
            if given.is_some() || !query.has(parameter) {
                needed.push(name.clone());
            }
            name
        };
        let names = PropertyNames {
            rps: name("rpsProperty", "requests_per_second"),
            latency: name("latencyProperty", "ttft_p90"),
            hardware_count: name("hardwareCountProperty", "hardware_count"),
            hardware_type: name("hardwareTypeProperty", "hardware_type"),
        };
        Ok(Self { target_rps: parameters::integer(query, "targetRPS")?, names, chosen, needed })
    }
}

/// What is asked of a model, whichever it is.
pub(super) struct Asked<'a> {
    parameters: Parameters,
    is_recommending: bool,
    listing: Listing,
    page_token: Option<&'a str>,
}

impl<'a> Asked<'a> {
    pub(super) fn read(query: &'a Query) -> Result<Self, ApiError> {
        let parameters = Parameters::read(query)?;
        let is_recommending = parameters::boolean(query, "recommendations")?;
        let listing = Listing::read(query)?;
        let page_token =
            if is_recommending { memory_page::token(query)? } else { parameters::page_token(query, &listing.order)? };
        Ok(Self { parameters, is_recommending, listing, page_token })
    }

    pub(super) async fn answer(self, catalog: &Catalog, model: &CatalogRecord) -> Result<Response, ApiError> {
        let Self { parameters, is_recommending, listing, page_token } = self;
        let Listing { page_size, filters, order, sort_order } = listing;
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
            page_size: (!is_recommending).then_some(page_size),
            page_token: page_token.filter(|_| !is_recommending),
        };
        let page = catalog.store.list(&list).await.map_err(store_error)?;
        let mut measurements = page.rows.iter().map(measurement).collect::<Result<Vec<_>, _>>()?;
        let target_rps = match parameters.target_rps {
            Some(target) if target > 0 => Some(target),
            _ if is_recommending => Some(1),
            _ => None,
        };
        if let Some(target_rps) = target_rps {
            for measurement in &mut measurements {
                measurement.add_replicas(&parameters.names, target_rps);
            }
        }
        if !is_recommending {
            let items = measurements.into_iter().map(|one| Value::Object(one.document).to_string()).collect();
            return Ok(PageBody { items, page_size, next_page_token: page.next_page_token }.into_response());
        }
        refuse_unknown(&measurements, &parameters.chosen)?;
        let items = recommended(measurements, &parameters.names)
            .into_iter()
            .map(|one| Item { key: one.id.to_string(), json: Value::Object(one.document).to_string() })
            .collect();
        let name = format!("performance {list:?} {parameters:?}");
        Ok(memory_page::page(items, &name, page_size, page_token)?.into_response())
    }
}

/// A property that was asked for and that nothing measured is a mistake, most likely in its spelling.
fn refuse_unknown(measurements: &[Measurement], chosen: &[String]) -> Result<(), ApiError> {
    let unknown = |name: &&String| !measurements.iter().any(|measurement| measurement.has(name));
    let missing: Vec<&str> = chosen.iter().filter(unknown).map(String::as_str).collect();
    if measurements.is_empty() || missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(", ");
    Err(ApiError::Invalid(format!("properties not found in any performance artifacts: [{missing}]")))
}

/// The document of a measurement, to compute with.
pub(super) fn measurement(record: &CatalogRecord) -> Result<Measurement, ApiError> {
    let document = serde_json::from_str(&record.to_wire()).map_err(ApiError::internal)?;
    Ok(Measurement { id: record.id, document })
}
