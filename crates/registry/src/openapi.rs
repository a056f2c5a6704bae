//! The OpenAPI document, generated from the kinds' declarations and the table of operations.
//!
//! Names and structure are those of the Kubeflow Model Registry's document, so that clients can be generated from
//! either; what differs is listed, with reasons, in the test that compares the two (`tests/it/contract.rs`). Operations
//! and schemas of v1 that differ from v1alpha3's carry the suffix `V1`.

mod fixed_paths;
mod kind_schemas;
mod links;
mod operations;
mod parameters;
mod paths;
mod registration;
mod responses;
mod shared_schemas;

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{ETAG, HeaderMap, HeaderValue};
use model_registry_api::ApiVersion;
use model_registry_server::response;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::answer::Preconditions;

/// The document that `/openapi.json` serves.
pub fn document() -> Value {
    let mut schemas = shared_schemas::all();
    let mut responses = responses::errors();
    responses.extend(responses::changes());
    let mut all_links = Map::new();
    let mut all_paths = fixed_paths::all();
    for version in ApiVersion::ALL {
        schemas.extend(kind_schemas::all(version));
        schemas.extend(registration::schemas(version));
        responses.extend(responses::answers(version));
        all_links.extend(links::all(version));
        all_paths.extend(paths::all(version));
    }
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Model Registry REST API",
            "description": "Registers, versions, finds and lists models, artifacts, experiments and deployments.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": operations::TAG, "description": "Everything the registry keeps."},
            {"name": fixed_paths::TAG, "description": "The server itself."},
        ],
        // Whether a token is needed is the server's configuration.
        "security": [{"Bearer": []}, {}],
        "paths": all_paths,
        "components": {
            "schemas": schemas,
            "responses": responses,
            "parameters": parameters::all(),
            "links": all_links,
            "headers": responses::headers(),
            "securitySchemes": {"Bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    })
}

/// The document as it is sent.
pub(crate) struct Served {
    text: String,
    etag: HeaderValue,
}

impl Served {
    pub(crate) fn new() -> Arc<Self> {
        let text = document().to_string();
        let digest = Sha256::digest(text.as_bytes());
        let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let etag = HeaderValue::try_from(format!("\"{number:016x}\"")).expect("hexadecimal digits are plain ASCII");
        Arc::new(Self { text, etag })
    }
}

/// Sends the document, unless the client has it already.
pub(crate) fn serve(document: &Served, headers: &HeaderMap) -> Response {
    let etag = document.etag.to_str().unwrap_or_default();
    let mut response = if Preconditions::of(headers).is_known(etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        response::json(StatusCode::OK, document.text.clone())
    };
    response.headers_mut().insert(ETAG, document.etag.clone());
    response
}

/// A reference to a component.
fn reference(section: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{section}/{name}")})
}

/// The name of a component or operation in a version, where both versions have their own.
fn named(base: &str, version: ApiVersion) -> String {
    match version {
        ApiVersion::V1Alpha3 => base.to_owned(),
        ApiVersion::V1 => format!("{base}V1"),
    }
}
