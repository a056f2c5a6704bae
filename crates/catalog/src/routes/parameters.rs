//! Query parameters that several lists have.

use model_registry_api::SortOrder;
use model_registry_api::catalog::{AssetTypeSpec, CatalogVersion, ItemOrder};
use model_registry_api::page::MAX_PAGE_SIZE;
use model_registry_catalog_store::CatalogOrder;
use model_registry_filter::{Expression, ValueType, parse};
use model_registry_server::{ApiError, Query};

use super::store_error;

const DEFAULT_PAGE_SIZE: u32 = 10;

/// `pageSize`; a larger value than the maximum means the maximum.
pub(super) fn page_size(query: &Query) -> Result<u32, ApiError> {
    let Some(value) = query.get("pageSize") else { return Ok(DEFAULT_PAGE_SIZE) };
    match value.parse::<i32>() {
        Ok(size) if size >= 1 => Ok(size.unsigned_abs().min(MAX_PAGE_SIZE)),
        Ok(size) => Err(ApiError::Invalid(format!("pageSize must be at least 1, got {size}"))),
        Err(_) => Err(ApiError::Invalid(format!("invalid pageSize: `{value}` is not a 32-bit integer"))),
    }
}

pub(super) fn boolean(query: &Query, name: &str) -> Result<bool, ApiError> {
    match query.get(name) {
        None | Some("0" | "f" | "F" | "FALSE" | "false" | "False") => Ok(false),
        Some("1" | "t" | "T" | "TRUE" | "true" | "True") => Ok(true),
        Some(other) => Err(ApiError::Invalid(format!("{name}: `{other}` is neither true nor false"))),
    }
}

pub(super) fn integer(query: &Query, name: &str) -> Result<Option<i32>, ApiError> {
    let Some(value) = query.get(name) else { return Ok(None) };
    let number = value.parse().map_err(|_| ApiError::Invalid(format!("{name}: `{value}` is not a 32-bit integer")))?;
    Ok(Some(number))
}

/// The non-empty elements of a list that is written with commas, by repetition, or both; `None` if the parameter is absent
/// or empty. A list of commas alone has no elements.
pub(super) fn list(query: &Query, name: &str) -> Option<Vec<String>> {
    query.get_all(name).next()?;
    let elements = query.get_all(name).flat_map(|value| value.split(','));
    Some(elements.filter(|element| !element.is_empty()).map(str::to_owned).collect())
}

pub(super) fn filter(query: &Query) -> Result<Option<Expression>, ApiError> {
    let parsed = query.get("filterQuery").map(parse).transpose();
    parsed.map(Option::flatten).map_err(|error| ApiError::Invalid(error.to_string()))
}

/// `orderBy` of the list of an asset type.
pub(super) fn item_order(
    spec: &AssetTypeSpec,
    version: CatalogVersion,
    query: &Query,
) -> Result<CatalogOrder, ApiError> {
    let list = &spec.list;
    let Some(written) = query.get("orderBy") else { return Ok(order_of(list.order.default)) };
    let value = if list.order.ignores_case { written.to_ascii_uppercase() } else { written.to_owned() };
    if let Some((_, property)) = list.order.named.iter().find(|(name, _)| *name == value) {
        return Ok(CatalogOrder::ArtifactProperty { name: (*property).to_owned(), value: ValueType::Double });
    }
    if let Some(order) = common_order(&value) {
        return Ok(order);
    }
    match property_order(&value).filter(|_| list.order.by_property) {
        Some((name, Some(value))) if !name.is_empty() => Ok(match name.strip_prefix("artifacts.") {
            Some(name) => CatalogOrder::ArtifactProperty { name: name.to_owned(), value },
            None => CatalogOrder::Property { name: name.to_owned(), value },
        }),
        _ => {
            let named: Vec<&'static str> = list.order.named.iter().map(|(name, _)| *name).collect();
            unknown_order(written, version, &named, list.order.by_property)
        }
    }
}

/// What an unknown order means. parity: the id in v1alpha1, as in the Kubeflow Model Registry; it is an error in v1.
pub(super) fn unknown_order(
    value: &str,
    version: CatalogVersion,
    more: &[&'static str],
    by_property: bool,
) -> Result<CatalogOrder, ApiError> {
    if version == CatalogVersion::V1Alpha1 {
        return Ok(CatalogOrder::Id);
    }
    let known: Vec<&str> = ItemOrder::ALL.into_iter().map(ItemOrder::as_str).chain(more.iter().copied()).collect();
    let property = if by_property { ", or a property with its type, such as `score.double_value`" } else { "" };
    Err(ApiError::Invalid(format!("unsupported orderBy `{value}`: use {}{property}", known.join(", "))))
}

/// `sortOrder` of the list of an asset type.
pub(super) fn item_sort_order(spec: &AssetTypeSpec, query: &Query, order: &CatalogOrder) -> SortOrder {
    if spec.list.order.ignores_case { sort_order_in_any_case(query) } else { sort_order(query, order) }
}

/// `sortOrder`. parity: an unknown value descends in an order by a property and ascends in all others, as in the Kubeflow
/// Model Registry.
pub(super) fn sort_order(query: &Query, order: &CatalogOrder) -> SortOrder {
    let by_property = matches!(order, CatalogOrder::Property { .. } | CatalogOrder::ArtifactProperty { .. });
    match query.get("sortOrder") {
        None | Some("ASC") => SortOrder::Ascending,
        Some("DESC") => SortOrder::Descending,
        Some(_) if by_property => SortOrder::Descending,
        Some(_) => SortOrder::Ascending,
    }
}

/// `sortOrder` without regard to case. parity: an unknown value ascends, as in the Kubeflow Model Registry.
pub(super) fn sort_order_in_any_case(query: &Query) -> SortOrder {
    query.get("sortOrder").map(|value| SortOrder::parse(&value.to_ascii_uppercase())).unwrap_or_default()
}

/// The page token, if it has the form of a token of this order. Whether it belongs to the list is checked later.
pub(super) fn page_token<'a>(query: &'a Query, order: &CatalogOrder) -> Result<Option<&'a str>, ApiError> {
    let token = query.get("nextPageToken");
    token.map_or(Ok(()), |token| order.check_token(token)).map_err(store_error)?;
    Ok(token)
}

/// The orders that all lists of stored items have.
pub(super) fn common_order(name: &str) -> Option<CatalogOrder> {
    ItemOrder::from_name(name).map(order_of)
}

fn order_of(order: ItemOrder) -> CatalogOrder {
    match order {
        ItemOrder::Id => CatalogOrder::Id,
        ItemOrder::Name => CatalogOrder::Name,
        ItemOrder::CreateTime => CatalogOrder::CreateTime,
        ItemOrder::LastUpdateTime => CatalogOrder::LastUpdateTime,
    }
}

/// The name and the type of an order such as `name.double_value`; the type is `None` if the suffix is not a type.
pub(super) fn property_order(order: &str) -> Option<(&str, Option<ValueType>)> {
    let (name, suffix) = order.rsplit_once('.')?;
    let value = match suffix {
        "int_value" => Some(ValueType::Int),
        "double_value" => Some(ValueType::Double),
        "string_value" => Some(ValueType::String),
        _ => None,
    };
    Some((name, value))
}
