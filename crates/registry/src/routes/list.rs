//! Parameters and responses of lists, the same for every list.

use std::fmt::Write;

use axum::response::Response;
use http::StatusCode;
use model_registry_api::page::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use model_registry_api::{ApiVersion, Kind, OrderBy, SortOrder};
use model_registry_server::auth::Right;
use model_registry_server::{ApiError, Query, response as http_response};
use model_registry_store::{ListRequest, ListScope, Page, Total};
use serde_json::Value;

use super::explanation;
use super::request::Request;
use crate::response;
use crate::rules::RuleError;

/// The part of the body before the items.
const OPENING: &str = r#"{"items":["#;

/// Responds with one page of a list.
pub(super) async fn page(
    request: &Request,
    kinds: &[Kind],
    within: ListScope,
    steps: Option<&[i64]>,
) -> Result<(Page, Response), ApiError> {
    let query = &request.query;
    let version = request.context.version;
    let (order_by, value) = order_by(query);
    let list = ListRequest {
        kinds,
        scope: within,
        name: query.get("name"),
        // Metric points have no external id: the parameter is ignored there, like any unknown one.
        external_id: query.get("externalId").filter(|_| !kinds.contains(&Kind::MetricPoint)),
        steps,
        filter: query.get("filterQuery"),
        order_by,
        value,
        // parity: in v1alpha3 an unknown key means the id.
        is_strict: version != ApiVersion::V1Alpha3,
        sort_order: query.get("sortOrder").map(SortOrder::parse).unwrap_or_default(),
        page_size: page_size(query)?,
        page_token: query.get("nextPageToken"),
        prefix: OPENING,
    };
    let wants_total = wants_total(query)?;
    if query.get("explain").is_some_and(|value| value == "true") {
        // Statements show the names of others' properties, and take time.
        request.require(Right::Administer)?;
        let (page, explanation) = Box::pin(request.store().explain_list(&list)).await.map_err(RuleError::from)?;
        let body = explanation::body(&explanation, &page);
        return Ok((page, http_response::json(StatusCode::OK, body.to_string())));
    }
    let mut page = request.store().list(&list).await.map_err(RuleError::from)?;
    let total = if wants_total { Some(total(request, &list, &page).await?) } else { None };
    // The items are most of the body, which is built in place around them.
    let mut body = std::mem::take(&mut page.items);
    response::convert_items(kinds, &mut body, OPENING.len(), version);
    // Writing to memory does not fail.
    let _ = write!(
        body,
        r#"],"nextPageToken":{},"pageSize":{},"size":{}"#,
        Value::from(page.next_page_token.as_str()),
        list.page_size,
        page.size
    );
    if let Some(Total { count, is_exact }) = total {
        let _ = write!(body, r#","total":{count},"totalIsExact":{is_exact}"#);
    }
    body.push('}');
    Ok((page, http_response::json(StatusCode::OK, body)))
}

fn wants_total(query: &Query) -> Result<bool, ApiError> {
    match query.get("total") {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(value) => Err(ApiError::Invalid(format!("invalid total `{value}`: use true or false"))),
    }
}

/// Counts the entities on all pages of a list, of which one page is known.
async fn total(request: &Request, list: &ListRequest<'_>, page: &Page) -> Result<Total, ApiError> {
    let is_only_page = list.page_token.is_none() && page.next_page_token.is_empty();
    let on_page = u64::try_from(page.size).unwrap_or(u64::MAX);
    if is_only_page {
        return Ok(Total { count: on_page, is_exact: true });
    }
    let total = Box::pin(request.store().total(list)).await.map_err(RuleError::from)?;
    Ok(if total.is_exact { total } else { Total { count: total.count.max(on_page), ..total } })
}

/// Larger sizes are reduced to the maximum: existing clients request large pages.
fn page_size(query: &Query) -> Result<u32, ApiError> {
    let Some(value) = query.get("pageSize") else { return Ok(DEFAULT_PAGE_SIZE) };
    match value.parse::<i32>() {
        Ok(size) if size >= 1 => Ok(size.cast_unsigned().min(MAX_PAGE_SIZE)),
        _ => Err(ApiError::Invalid(format!("invalid pageSize `{value}`: use a number from 1 to {MAX_PAGE_SIZE}"))),
    }
}

/// The key of the entities to order by, or the field or property.
fn order_by(query: &Query) -> (OrderBy, Option<&str>) {
    match query.get("orderBy") {
        None => (OrderBy::default(), None),
        Some(value) => OrderBy::parse(value).map_or((OrderBy::default(), Some(value)), |key| (key, None)),
    }
}
