//! `/models`: all models, searched and filtered.

use axum::extract::State;
use axum::response::Response;
use model_registry_catalog_store::{CatalogKind, CatalogList, CatalogOrder, CatalogSet};
use model_registry_filter::ValueType;
use model_registry_server::{ApiError, Query};

use super::performance::Parameters;
use super::{PageBody, parameters, recommended_models, store_error};
use crate::Catalog;
use model_registry_catalog_sources::AssetType;

pub(super) async fn list(State(catalog): State<Catalog>, query: Query) -> Result<Response, ApiError> {
    let is_recommending = parameters::boolean(&query, "recommendations")?;
    let performance = Parameters::read(&query)?;
    let page_size = parameters::page_size(&query)?;
    let filters: Vec<_> = parameters::filter(&query)?.into_iter().collect();
    let sources = sources(&catalog, &query)?;
    let set = CatalogSet {
        kinds: &[CatalogKind::Model],
        parent_id: None,
        sources: sources.as_deref(),
        search: query.get("q"),
        filters: &filters,
    };
    if is_recommending {
        return recommended_models::list(&catalog, &query, set, page_size, &performance).await;
    }
    let order = order(query.get("orderBy"));
    let list = CatalogList {
        set,
        sort_order: parameters::sort_order(&query, &order),
        order,
        page_size: Some(page_size),
        page_token: query.get("nextPageToken"),
    };
    let page = catalog.store.list(&list).await.map_err(store_error)?;
    let items = page.rows.iter().map(model_registry_catalog_store::CatalogRecord::to_wire).collect();
    Ok(PageBody { items, page_size, next_page_token: page.next_page_token }.into_response())
}

/// Which sources are meant: those named, or those with a label; `None` for all.
fn sources(catalog: &Catalog, query: &Query) -> Result<Option<Vec<String>>, ApiError> {
    // parity (catalog-service 2.5): an empty value is none; commas alone are one that nothing has.
    match (parameters::given_list(query, "source"), parameters::given_list(query, "sourceLabel")) {
        (None, None) => Ok(None),
        (Some(named), None) => Ok(Some(named)),
        (None, Some(labels)) => Ok(Some(catalog.configuration().sources_with_labels(AssetType::Models, &labels))),
        (Some(_), Some(_)) => Err(ApiError::Invalid("source and sourceLabel cannot be used together".to_owned())),
    }
}

fn order(text: Option<&str>) -> CatalogOrder {
    let Some(text) = text else { return CatalogOrder::Name };
    if text == "ACCURACY" {
        return CatalogOrder::ArtifactProperty { name: "overall_average".to_owned(), value: ValueType::Double };
    }
    if let Some(order) = parameters::common_order(text) {
        return order;
    }
    match parameters::property_order(text) {
        Some((name, Some(value))) if !name.is_empty() => match name.strip_prefix("artifacts.") {
            Some(name) => CatalogOrder::ArtifactProperty { name: name.to_owned(), value },
            None => CatalogOrder::Property { name: name.to_owned(), value },
        },
        // parity (catalog-service 2.5): anything else is the id.
        _ => CatalogOrder::Id,
    }
}
