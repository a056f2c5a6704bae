//! Query parameters that several lists have.

use model_registry_api::SortOrder;
use model_registry_api::page::MAX_PAGE_SIZE;
use model_registry_catalog_store::CatalogOrder;
use model_registry_filter::{Expression, ValueType, parse};
use model_registry_server::{ApiError, Query};

use super::store_error;

const DEFAULT_PAGE_SIZE: u32 = 10;

/// More than the maximum gets the maximum, and a token for the rest.
pub(super) fn page_size(query: &Query) -> Result<u32, ApiError> {
    let Some(text) = query.get("pageSize") else { return Ok(DEFAULT_PAGE_SIZE) };
    match text.parse::<i32>() {
        Ok(size) if size >= 1 => Ok(size.unsigned_abs().min(MAX_PAGE_SIZE)),
        Ok(size) => Err(ApiError::Invalid(format!("pageSize must be at least 1, got {size}"))),
        Err(_) => Err(ApiError::Invalid(format!("invalid pageSize: `{text}` is not a 32-bit integer"))),
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
    let Some(text) = query.get(name) else { return Ok(None) };
    let number = text.parse().map_err(|_| ApiError::Invalid(format!("{name}: `{text}` is not a 32-bit integer")))?;
    Ok(Some(number))
}

/// A list, written with commas, by repetition, or both. Empty elements do not count.
pub(super) fn list(query: &Query, name: &str) -> Vec<String> {
    query.get_all(name).flat_map(|value| value.split(',')).filter(|one| !one.is_empty()).map(str::to_owned).collect()
}

pub(super) fn filter(query: &Query) -> Result<Option<Expression>, ApiError> {
    let parsed = query.get("filterQuery").map(parse).transpose();
    parsed.map(Option::flatten).map_err(|error| ApiError::Invalid(error.to_string()))
}

/// The list where the parameter has a value, be it commas alone, which name nothing.
pub(super) fn given_list(query: &Query, name: &str) -> Option<Vec<String>> {
    query.get_all(name).next().map(|_| list(query, name))
}

/// In an order by a property, anything but `ASC` descends; in all others, anything but `DESC` ascends (parity,
/// catalog-service 2.5 and 2.11).
pub(super) fn sort_order(query: &Query, order: &CatalogOrder) -> SortOrder {
    let by_property = matches!(order, CatalogOrder::Property { .. } | CatalogOrder::ArtifactProperty { .. });
    match query.get("sortOrder") {
        None | Some("ASC") => SortOrder::Ascending,
        Some("DESC") => SortOrder::Descending,
        Some(_) if by_property => SortOrder::Descending,
        Some(_) => SortOrder::Ascending,
    }
}

/// Of servers and tools: whatever the case, anything but `DESC` is ascending (parity, catalog-service 2.13).
pub(super) fn sort_order_of_servers(query: &Query) -> SortOrder {
    query.get("sortOrder").map(|text| SortOrder::parse(&text.to_ascii_uppercase())).unwrap_or_default()
}

/// The token, after a look at what it says by itself: for which list it was made is known later.
pub(super) fn page_token<'a>(query: &'a Query, order: &CatalogOrder) -> Result<Option<&'a str>, ApiError> {
    let token = query.get("nextPageToken");
    token.map_or(Ok(()), |token| order.check_token(token)).map_err(store_error)?;
    Ok(token)
}

/// The orders that lists of stored things share.
pub(super) fn common_order(text: &str) -> Option<CatalogOrder> {
    match text {
        "ID" => Some(CatalogOrder::Id),
        "NAME" => Some(CatalogOrder::Name),
        "CREATE_TIME" => Some(CatalogOrder::CreateTime),
        "LAST_UPDATE_TIME" => Some(CatalogOrder::LastUpdateTime),
        _ => None,
    }
}

/// Splits `name.double_value` into name and type.
pub(super) fn property_order(text: &str) -> Option<(&str, Option<ValueType>)> {
    let (name, ending) = text.rsplit_once('.')?;
    let value = match ending {
        "int_value" => Some(ValueType::Int),
        "double_value" => Some(ValueType::Double),
        "string_value" => Some(ValueType::String),
        _ => None,
    };
    Some((name, value))
}
