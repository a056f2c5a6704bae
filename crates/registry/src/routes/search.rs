//! Search over entities of every kind.

use axum::response::Response;
use http::StatusCode;
use model_registry_api::{ApiVersion, EntityTable, Kind};
use model_registry_server::{ApiError, Query, response};
use model_registry_store::{Hit, ParentName, SearchRequest};
use serde_json::{Value, json};

use super::request::Request;
use crate::rules::RuleError;

/// Results without `pageSize`.
pub(crate) const DEFAULT_RESULTS: usize = 20;
/// Results, at most; a larger `pageSize` is reduced to it.
pub(crate) const MAX_RESULTS: usize = 100;
/// Characters of a searched text, at most: as many as a name has.
pub(crate) const SEARCH_CHARACTERS: usize = 255;

/// The kinds that searches find: all but the points of metric histories, which have no identity.
pub(crate) fn searched_kinds() -> impl Iterator<Item = Kind> {
    Kind::ALL.into_iter().filter(|kind| kind.spec().table != EntityTable::MetricPoint)
}

pub(crate) async fn search(request: Request) -> Result<Response, ApiError> {
    let query = &request.query;
    let text = text(query)?;
    let kinds = kinds(query, request.context.version)?;
    let limit = limit(query)?;
    let search = SearchRequest { text, kinds: &kinds, limit };
    let results = request.store().search(&search).await.map_err(RuleError::from)?;
    let body = json!({
        "items": results.hits.iter().map(result).collect::<Vec<_>>(),
        "size": results.hits.len(),
        "pageSize": limit,
        "hasMore": results.has_more,
    });
    Ok(response::json(StatusCode::OK, body.to_string()))
}

fn text(query: &Query) -> Result<&str, ApiError> {
    let text = query.get("q").map(str::trim).unwrap_or_default();
    if text.is_empty() {
        return Err(ApiError::Invalid("`q` is missing: set it to a text to search for".to_owned()));
    }
    if text.chars().count() > SEARCH_CHARACTERS {
        return Err(ApiError::Invalid(format!("`q` has more than {SEARCH_CHARACTERS} characters: shorten it")));
    }
    Ok(text)
}

fn kinds(query: &Query, version: ApiVersion) -> Result<Vec<Kind>, ApiError> {
    let names: Vec<&str> =
        query.get("kinds").unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let known = || searched_kinds().map(Kind::name);
    if let Some(unknown) = names.iter().find(|name| !known().any(|known| known == **name)) {
        let known: Vec<&str> = known().collect();
        return Err(ApiError::Invalid(format!("invalid kind `{unknown}` in `kinds`: use {}", known.join(", "))));
    }
    let is_searched = |kind: &Kind| names.is_empty() || names.contains(&kind.name());
    // A version has no entities of the kinds that it does not serve.
    Ok(searched_kinds().filter(|kind| kind.spec().is_served_by(version)).filter(is_searched).collect())
}

fn limit(query: &Query) -> Result<usize, ApiError> {
    let Some(value) = query.get("pageSize") else { return Ok(DEFAULT_RESULTS) };
    match value.parse::<i32>().ok().and_then(|size| usize::try_from(size).ok()) {
        Some(size) if size > 0 => Ok(size.min(MAX_RESULTS)),
        _ => Err(ApiError::Invalid(format!("invalid pageSize `{value}`: use a number from 1 to {MAX_RESULTS}"))),
    }
}

fn result(hit: &Hit) -> Value {
    let parent =
        |ParentName { kind, id, name }: &ParentName| json!({"kind": kind.name(), "id": id.to_string(), "name": name});
    let mut result = json!({
        "kind": hit.kind.name(),
        "id": hit.id.to_string(),
        "name": hit.name,
        "match": hit.rank.name(),
        "field": hit.field.name(),
        "parents": hit.parents.iter().map(parent).collect::<Vec<_>>(),
    });
    for (name, value) in [("externalId", &hit.external_id), ("state", &hit.state), ("label", &hit.label)] {
        if let Some(value) = value {
            result[name] = value.as_str().into();
        }
    }
    result
}
