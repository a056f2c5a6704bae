//! `…/artifacts`: the locations and metrics of a model.

use axum::response::Response;
use model_registry_api::SortOrder;
use model_registry_api::catalog::{CatalogKind, CatalogVersion};
use model_registry_catalog_store::{CatalogHead, CatalogList, CatalogOrder, CatalogRecord, CatalogSet};
use model_registry_filter::Expression;
use model_registry_server::{ApiError, Query};

use super::{PageBody, parameters, store_error};
use crate::Catalog;

/// The parameters that both lists of a model's artifacts have.
pub(super) struct ArtifactListing {
    pub(super) page_size: u32,
    pub(super) filters: Vec<Expression>,
    pub(super) order: CatalogOrder,
    pub(super) sort_order: SortOrder,
}

impl ArtifactListing {
    pub(super) fn read(query: &Query, version: CatalogVersion) -> Result<Self, ApiError> {
        let page_size = parameters::page_size(query)?;
        let filters = parameters::filter(query)?.into_iter().collect();
        let order = order(query.get("orderBy"), version)?;
        let sort_order = parameters::sort_order(query, &order);
        Ok(Self { page_size, filters, order, sort_order })
    }
}

/// A request for artifacts, before the model is read.
pub(super) struct ArtifactsRequest<'a> {
    kinds: Vec<CatalogKind>,
    listing: ArtifactListing,
    page_token: Option<&'a str>,
}

impl<'a> ArtifactsRequest<'a> {
    pub(super) fn read(query: &'a Query, version: CatalogVersion) -> Result<Self, ApiError> {
        let kinds = kinds(query)?;
        let listing = ArtifactListing::read(query, version)?;
        let page_token = parameters::page_token(query, &listing.order)?;
        Ok(Self { kinds, listing, page_token })
    }

    pub(super) async fn respond(self, catalog: &Catalog, model: &CatalogHead) -> Result<Response, ApiError> {
        let Self { kinds, listing: ArtifactListing { page_size, filters, order, sort_order }, page_token } = self;
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

/// The requested kinds; `artifact_type` is the old name of `artifactType`, and both may be present.
fn kinds(query: &Query) -> Result<Vec<CatalogKind>, ApiError> {
    let mut kinds = Vec::new();
    for parameter in ["artifactType", "artifact_type"] {
        kinds.extend(requested_kinds(query, parameter, &CatalogKind::ARTIFACTS)?);
    }
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.is_empty() {
        kinds.extend(CatalogKind::ARTIFACTS);
    }
    Ok(kinds)
}

/// The kinds whose artifact types a parameter lists; none without the parameter.
pub(super) fn requested_kinds(
    query: &Query,
    parameter: &str,
    all: &[CatalogKind],
) -> Result<Vec<CatalogKind>, ApiError> {
    let mut kinds = Vec::new();
    // parity: every element of the list is checked, an empty one too, as in the Kubeflow Model Registry.
    let empty = (query.has(parameter) && query.get_all(parameter).next().is_none()).then_some("");
    for name in query.get_all(parameter).chain(empty).flat_map(|value| value.split(',')) {
        let before = kinds.len();
        kinds.extend(all.iter().copied().filter(|kind| kind.spec().artifact_type == Some(name)));
        if kinds.len() == before {
            let mut valid: Vec<&str> = all.iter().filter_map(|kind| kind.spec().artifact_type).collect();
            valid.dedup();
            let valid = valid.join(" ");
            return Err(ApiError::Invalid(format!("{parameter}: invalid value '{name}': valid values are [{valid}]")));
        }
    }
    Ok(kinds)
}

/// parity: in v1alpha1, an unknown order means the id, as in the Kubeflow Model Registry; only a custom property without a valid
/// type is rejected.
fn order(order_by: Option<&str>, version: CatalogVersion) -> Result<CatalogOrder, ApiError> {
    let Some(order_by) = order_by else { return Ok(CatalogOrder::Id) };
    if let Some(order) = parameters::common_order(order_by) {
        return Ok(order);
    }
    match parameters::property_order(order_by) {
        None => parameters::unknown_order(order_by, version, &[], true),
        Some((name, None)) if name.contains('.') => parameters::unknown_order(order_by, version, &[], true),
        Some((name, _)) if name.is_empty() || name.chars().count() > 255 => Err(ApiError::Invalid(format!(
            "invalid orderBy: custom property name '{name}' has to have 1 to 255 characters"
        ))),
        Some((_, None)) => Err(ApiError::Invalid(format!(
            "invalid orderBy `{order_by}`: the type has to be one of 'int_value', 'double_value', or 'string_value'"
        ))),
        Some((name, Some(value))) => Ok(CatalogOrder::Property { name: name.to_owned(), value }),
    }
}
