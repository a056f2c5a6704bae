//! `/sources/{source_id}/models/{name}` and the paths below it. A name may contain slashes, so the paths below a name cannot
//! be routes of their own.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use model_registry_api::catalog::{CatalogKind, CatalogVersion};
use model_registry_catalog_store::{CatalogHead, CatalogRecord};
use model_registry_server::{ApiError, Query, response};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::artifacts::ArtifactsRequest;
use super::path_parameters::PathParameters;
use super::performance::PerformanceRequest;
use super::store_error;
use super::wire::to_wire;
use crate::Catalog;

pub(super) async fn without_name() -> ApiError {
    let message = "required field 'model_name' is empty: add the name of the model after `models/`";
    ApiError::UnprocessableEntity(message.to_owned())
}

pub(super) async fn without_source() -> ApiError {
    let message = "required field 'source_id' is empty: add the id of the source after `sources/`";
    ApiError::UnprocessableEntity(message.to_owned())
}

/// parity: a model whose name ends in `/artifacts` cannot be requested, as in the Kubeflow Model Registry.
pub(super) async fn dispatch(
    State(catalog): State<Catalog>,
    version: CatalogVersion,
    PathParameters((source_id, rest)): PathParameters<(String, String)>,
    query: Query,
) -> Result<Response, ApiError> {
    if let Some(name) = rest.strip_suffix("/artifacts/performance") {
        let request = PerformanceRequest::read(&query, version)?;
        let model = find_head(&catalog, &source_id, name).await?;
        return request.respond(&catalog, &model).await;
    }
    if let Some(name) = rest.strip_suffix("/artifacts") {
        let request = ArtifactsRequest::read(&query, version)?;
        let model = find_head(&catalog, &source_id, name).await?;
        return request.respond(&catalog, &model).await;
    }
    let model = find(&catalog, &source_id, &rest).await?;
    let counts = catalog.store.count_artifacts(model.id).await.map_err(store_error)?;
    let mut wire = to_wire(&model, version);
    if !counts.is_empty() {
        // The closing brace is replaced by one more member.
        wire.pop();
        wire.extend([r#","artifactCounts":"#, &counts_to_wire(counts).to_string(), "}"]);
    }
    Ok(response::json(StatusCode::OK, wire))
}

/// Counts by `metricsType`, of other artifacts by `artifactType`.
fn counts_to_wire(counts: Vec<(CatalogKind, i64)>) -> Value {
    let counts = counts.into_iter().filter_map(|(kind, count)| {
        let name = kind.metrics_type().or(kind.spec().artifact_type)?;
        Some((name.to_owned(), count.into()))
    });
    Value::Object(counts.collect())
}

async fn find(catalog: &Catalog, source_id: &str, name: &str) -> Result<CatalogRecord, ApiError> {
    let names = readings(name).await?;
    let names = names.each_ref().map(String::as_str);
    let found = catalog.store.find_item(CatalogKind::Model, source_id, &names).await.map_err(store_error)?;
    found.ok_or_else(|| not_found(source_id, name))
}

/// The model without its document.
async fn find_head(catalog: &Catalog, source_id: &str, name: &str) -> Result<CatalogHead, ApiError> {
    let names = readings(name).await?;
    let names = names.each_ref().map(String::as_str);
    let found = catalog.store.find_head(CatalogKind::Model, source_id, &names).await.map_err(store_error)?;
    found.ok_or_else(|| not_found(source_id, name))
}

/// Clients percent-encode a name once or twice. If both readings name a model, the name as it arrived wins.
async fn readings(name: &str) -> Result<[String; 2], ApiError> {
    if name.is_empty() {
        return Err(without_name().await);
    }
    Ok([name.to_owned(), percent_decode_str(name).decode_utf8_lossy().into_owned()])
}

fn not_found(source_id: &str, name: &str) -> ApiError {
    ApiError::NotFound(format!("No model found '{name}' in source '{source_id}'"))
}
