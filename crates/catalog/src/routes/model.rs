//! `/sources/{source_id}/models/{name}` and what follows a name.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use model_registry_catalog_store::{CatalogKind, CatalogRecord};
use model_registry_server::{ApiError, Query, response};
use percent_encoding::percent_decode_str;

use super::segments::Segments;
use super::{artifacts, performance, store_error};
use crate::Catalog;

pub(super) async fn without_name() -> ApiError {
    ApiError::UnprocessableEntity("required field 'model_name' is empty: put the name behind `models/`".to_owned())
}

pub(super) async fn without_source() -> ApiError {
    ApiError::UnprocessableEntity("required field 'source_id' is empty: put the id behind `sources/`".to_owned())
}

/// parity (catalog-service 2.7): a model whose name ends in `/artifacts` cannot be asked for.
pub(super) async fn dispatch(
    State(catalog): State<Catalog>,
    Segments((source_id, rest)): Segments<(String, String)>,
    query: Query,
) -> Result<Response, ApiError> {
    if let Some(name) = rest.strip_suffix("/artifacts/performance") {
        let asked = performance::Asked::read(&query)?;
        let model = find(&catalog, &source_id, name).await?;
        return asked.answer(&catalog, &model).await;
    }
    if let Some(name) = rest.strip_suffix("/artifacts") {
        let asked = artifacts::Asked::read(&query)?;
        let model = find(&catalog, &source_id, name).await?;
        return asked.answer(&catalog, &model).await;
    }
    let model = find(&catalog, &source_id, &rest).await?;
    Ok(response::json(StatusCode::OK, model.to_wire()))
}

/// Clients escape a name once or twice; the name as it came is preferred.
async fn find(catalog: &Catalog, source_id: &str, name: &str) -> Result<CatalogRecord, ApiError> {
    if name.is_empty() {
        return Err(without_name().await);
    }
    let unescaped = percent_decode_str(name).decode_utf8_lossy().into_owned();
    let names = [name, unescaped.as_str()];
    let found = catalog.store.find_item(CatalogKind::Model, source_id, &names).await.map_err(store_error)?;
    found.ok_or_else(|| ApiError::NotFound(format!("No model found '{name}' in source '{source_id}'")))
}
