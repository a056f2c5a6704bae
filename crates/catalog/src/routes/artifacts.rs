//! `…/artifacts`: where to get a model, and what was measured of it.

use axum::response::Response;
use model_registry_api::SortOrder;
use model_registry_catalog_store::{CatalogKind, CatalogList, CatalogOrder, CatalogRecord, CatalogSet};
use model_registry_filter::Expression;
use model_registry_server::{ApiError, Query};

use super::{PageBody, parameters, store_error};
use crate::Catalog;

/// Which artifacts of a model are listed, and how, whichever model it is.
pub(super) struct Listing {
    pub(super) page_size: u32,
    pub(super) filters: Vec<Expression>,
    pub(super) order: CatalogOrder,
    pub(super) sort_order: SortOrder,
}

impl Listing {
    pub(super) fn read(query: &Query) -> Result<Self, ApiError> {
        let page_size = parameters::page_size(query)?;
        let filters = parameters::filter(query)?.into_iter().collect();
        let order = order(query.get("orderBy"))?;
        let sort_order = parameters::sort_order(query, &order);
        Ok(Self { page_size, filters, order, sort_order })
    }
}

/// What is asked of a model, whichever it is.
pub(super) struct Asked<'a> {
    kinds: Vec<CatalogKind>,
    listing: Listing,
    page_token: Option<&'a str>,
}

impl<'a> Asked<'a> {
    pub(super) fn read(query: &'a Query) -> Result<Self, ApiError> {
        let kinds = kinds(query)?;
        let listing = Listing::read(query)?;
        let page_token = parameters::page_token(query, &listing.order)?;
        Ok(Self { kinds, listing, page_token })
    }

    pub(super) async fn answer(self, catalog: &Catalog, model: &CatalogRecord) -> Result<Response, ApiError> {
        let Self { kinds, listing: Listing { page_size, filters, order, sort_order }, page_token } = self;
        let parent_id = Some(model.id);
        let list = CatalogList {
            set: CatalogSet { kinds: &kinds, parent_id, sources: None, search: None, filters: &filters },
            order,
            sort_order,
            page_size: Some(page_size),
            page_token,
        };
        let page = catalog.store.list(&list).await.map_err(store_error)?;
        let items = page.rows.iter().map(CatalogRecord::to_wire).collect();
        Ok(PageBody { items, page_size, next_page_token: page.next_page_token }.into_response())
    }
}

/// `artifact_type` is the old name of the parameter; both count.
fn kinds(query: &Query) -> Result<Vec<CatalogKind>, ApiError> {
    let mut kinds = Vec::new();
    for parameter in ["artifactType", "artifact_type"] {
        // parity (catalog-service 2.11): each element counts, an empty one too.
        let empty = (query.has(parameter) && query.get_all(parameter).next().is_none()).then_some("");
        for text in query.get_all(parameter).chain(empty).flat_map(|value| value.split(',')) {
            match text {
                "model-artifact" => kinds.push(CatalogKind::ModelArtifact),
                "metrics-artifact" => kinds.extend(CatalogKind::METRICS),
                other => {
                    return Err(ApiError::Invalid(format!(
                        "{parameter}: invalid value '{other}': valid values are [model-artifact metrics-artifact]"
                    )));
                }
            }
        }
    }
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.is_empty() {
        kinds.extend(CatalogKind::ARTIFACTS);
    }
    Ok(kinds)
}

fn order(text: Option<&str>) -> Result<CatalogOrder, ApiError> {
    let Some(text) = text else { return Ok(CatalogOrder::Id) };
    if let Some(order) = parameters::common_order(text) {
        return Ok(order);
    }
    match parameters::property_order(text) {
        // parity (catalog-service 2.11): anything else is the id.
        None => Ok(CatalogOrder::Id),
        Some((name, None)) if name.contains('.') => Ok(CatalogOrder::Id),
        Some((name, _)) if name.is_empty() || name.chars().count() > 255 => Err(ApiError::Invalid(format!(
            "invalid orderBy: custom property name '{name}' has to have 1 to 255 characters"
        ))),
        Some((_, None)) => Err(ApiError::Invalid(format!(
            "invalid orderBy `{text}`: the type has to be one of 'int_value', 'double_value', or 'string_value'"
        ))),
        Some((name, Some(value))) => Ok(CatalogOrder::Property { name: name.to_owned(), value }),
    }
}
