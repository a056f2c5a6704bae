//! The operations that every asset type has: the list, the filter options and the single item by id.

use axum::response::Response;
use http::StatusCode;
use model_registry_api::catalog::{Address, AssetType, AssetTypeSpec, CatalogVersion, ListParameter, RECOMMENDED};
use model_registry_catalog_sources::to_filter;
use model_registry_catalog_store::{CatalogHead, CatalogList, CatalogRecord, CatalogSet};
use model_registry_filter::{Comparison, Expression, Operation, Position, Property};
use model_registry_server::{ApiError, Query, response};
use serde_json::{Map, Value, json};

use super::included::Included;
use super::performance::PerformanceParameters;
use super::wire::to_wire;
use super::{PageBody, parameters, recommended_models, store_error};
use crate::Catalog;
use crate::filter_options::{FilterOptions, bound};

pub(super) async fn list(
    catalog: Catalog,
    asset_type: AssetType,
    version: CatalogVersion,
    query: Query,
) -> Result<Response, ApiError> {
    let spec = asset_type.spec();
    let recommendations = if spec.list.has(ListParameter::Recommendations) { recommendations(&query)? } else { None };
    let included = Included::read(spec, &query)?;
    let page_size = parameters::page_size(&query)?;
    let filters = filters(&catalog, asset_type, &query).await?;
    let sources = sources(&catalog, asset_type, &query)?;
    let set = CatalogSet {
        kinds: &[spec.item],
        parent_id: None,
        sources: sources.as_deref(),
        search: query.get("q"),
        filters: &filters,
    };
    if let Some(parameters) = recommendations {
        return recommended_models::list(&catalog, version, &query, set, page_size, &parameters).await;
    }
    let order = parameters::item_order(spec, version, &query)?;
    let list = CatalogList {
        set,
        sort_order: parameters::item_sort_order(spec, &query, &order),
        order,
        page_size: Some(page_size),
        page_token: query.get("nextPageToken"),
    };
    let (page, items) = if let Some(included) = included {
        // One snapshot: a load between the two reads would leave items without their children.
        let mut snapshot = catalog.store.snapshot(page_size).await.map_err(store_error)?;
        let page = snapshot.list(&list).await.map_err(store_error)?;
        let items = included.append(&mut snapshot, &page.rows, version).await?;
        (page, items)
    } else {
        let page = catalog.store.list(&list).await.map_err(store_error)?;
        let items = page.rows.iter().map(|row| to_wire(row, version)).collect();
        (page, items)
    };
    Ok(PageBody { items, page_size, next_page_token: page.next_page_token }.into_response())
}

/// The parameters of recommendations, if they are requested in either form. They are checked in any case.
fn recommendations(query: &Query) -> Result<Option<PerformanceParameters>, ApiError> {
    let requested = parameters::boolean(query, "recommendations")? || query.get("orderBy") == Some(RECOMMENDED);
    let parameters = PerformanceParameters::read(query)?;
    Ok(requested.then_some(parameters))
}

async fn filters(catalog: &Catalog, asset_type: AssetType, query: &Query) -> Result<Vec<Expression>, ApiError> {
    let list = &asset_type.spec().list;
    let mut filters: Vec<Expression> = parameters::filter(query)?.into_iter().collect();
    if let Some(name) = query.get("namedQuery").filter(|_| list.has(ListParameter::NamedQuery)) {
        filters.extend(named_query(catalog, asset_type, name).await?);
    }
    if let Some(pattern) = query.get("name").filter(|_| list.has(ListParameter::NamePattern)) {
        filters.push(name_like(pattern));
    }
    Ok(filters)
}

/// The sources whose items are listed: those named, or those with one of the labels; `None` for all.
fn sources(catalog: &Catalog, asset_type: AssetType, query: &Query) -> Result<Option<Vec<String>>, ApiError> {
    let named = parameters::list(query, "source").filter(|_| asset_type.spec().list.has(ListParameter::Source));
    match (named, parameters::list(query, "sourceLabel")) {
        (named, None) => Ok(named),
        (None, Some(labels)) => Ok(Some(catalog.configuration().sources_with_labels(asset_type, &labels))),
        (Some(_), Some(_)) => Err(ApiError::Invalid("source and sourceLabel cannot be used together".to_owned())),
    }
}

async fn named_query(catalog: &Catalog, asset_type: AssetType, name: &str) -> Result<Option<Expression>, ApiError> {
    let configuration = catalog.configuration();
    let query = configuration.named_queries(asset_type).find(|(known, _)| *known == name);
    let Some((_, query)) = query else {
        return Err(ApiError::Invalid(format!("unknown named query \"{name}\"")));
    };
    let options = options(catalog, asset_type).await?;
    to_filter(query, |field, value| bound(&options, field, value))
        .map_err(|error| ApiError::Invalid(format!("named query \"{name}\": {error}")))
}

/// A condition on the name. parity: the parameter `name` is a LIKE pattern, as in the Kubeflow Model Registry.
fn name_like(pattern: &str) -> Expression {
    let position = Position::default();
    Expression::Comparison(Comparison {
        property: Property { name: "name".to_owned(), explicit: None },
        operation: Operation::Like { negated: false, ignore_case: false, pattern: pattern.to_owned(), position },
        position,
    })
}

async fn options(catalog: &Catalog, asset_type: AssetType) -> Result<FilterOptions, ApiError> {
    catalog.filter_options.get(&catalog.store, asset_type).await.map_err(store_error)
}

pub(super) async fn filter_options(catalog: Catalog, asset_type: AssetType) -> Result<Response, ApiError> {
    let filters = options(&catalog, asset_type).await?;
    let configuration = catalog.configuration();
    let publishes_queries = asset_type.spec().list.publishes_named_queries;
    let queries: Map<String, Value> = configuration
        .named_queries(asset_type)
        .filter(|_| publishes_queries)
        .map(|(name, query)| (name.clone(), query.to_wire(|field, value| bound(&filters, field, value))))
        .collect();
    let mut body = json!({"filters": *filters});
    if !queries.is_empty() {
        body["namedQueries"] = queries.into();
    }
    Ok(response::json(StatusCode::OK, body.to_string()))
}

pub(super) async fn get_one(
    catalog: Catalog,
    asset_type: AssetType,
    version: CatalogVersion,
    id: String,
    query: Query,
) -> Result<Response, ApiError> {
    let spec = asset_type.spec();
    let Some(included) = Included::read(spec, &query)? else {
        return Ok(response::json(StatusCode::OK, to_wire(&find(&catalog, spec, &id).await?, version)));
    };
    let number = parse_id(spec, &id)?;
    let mut snapshot = catalog.store.snapshot(1).await.map_err(store_error)?;
    let found = snapshot.find_item_by_id(spec.item, number).await.map_err(store_error)?;
    let item = found.ok_or_else(|| not_found(spec, &id))?;
    let body = included.append(&mut snapshot, std::slice::from_ref(&item), version).await?.concat();
    Ok(response::json(StatusCode::OK, body))
}

/// The item with an id, without its document.
pub(super) async fn find_head(catalog: &Catalog, spec: &AssetTypeSpec, id: &str) -> Result<CatalogHead, ApiError> {
    let number = parse_id(spec, id)?;
    let found = catalog.store.find_head_by_id(spec.item, number).await.map_err(store_error)?;
    found.ok_or_else(|| not_found(spec, id))
}

/// The item with an id.
async fn find(catalog: &Catalog, spec: &AssetTypeSpec, id: &str) -> Result<CatalogRecord, ApiError> {
    let number = parse_id(spec, id)?;
    let found = catalog.store.find_item_by_id(spec.item, number).await.map_err(store_error)?;
    found.ok_or_else(|| not_found(spec, id))
}

fn parse_id(spec: &AssetTypeSpec, id: &str) -> Result<i64, ApiError> {
    let label = label(spec);
    model_registry_api::parse_id(id).ok_or_else(|| {
        ApiError::Invalid(format!(
            "invalid {label} ID '{id}': it is not a 64-bit integer without leading zeros or plus sign"
        ))
    })
}

fn not_found(spec: &AssetTypeSpec, id: &str) -> ApiError {
    ApiError::NotFound(format!("{} not found with ID {id}", label(spec)))
}

fn label(spec: &AssetTypeSpec) -> &'static str {
    match spec.api.address {
        Address::Id { label, .. } => label,
        Address::SourceAndName { .. } => spec.label,
    }
}
