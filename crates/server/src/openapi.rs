//! The common parts of the OpenAPI documents, and the handler that serves a document.
//!
//! Each server generates its document from its own declarations.

mod document_handler;
pub mod fixed_paths;
pub mod responses;
pub mod schemas;

use serde_json::{Value, json};

pub use document_handler::DocumentHandler;

/// A document without tags, paths and components, which the server adds.
pub fn document(title: &str, description: &str, version: &str) -> Value {
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": title,
            "description": description,
            "version": version,
            "license": {"name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "servers": [{"url": "/"}],
        // Whether a token is required depends on the configuration of the server.
        "security": [{"Bearer": []}, {}],
        "components": {"securitySchemes": {"Bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}},
    })
}

/// A reference to a component.
pub fn reference(section: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{section}/{name}")})
}

/// The component `ifNoneMatch`: the header `If-None-Match`.
pub fn if_none_match() -> Value {
    json!({
        "name": "If-None-Match",
        "in": "header",
        "required": false,
        "description": "Entity tags: the response is 304 without a body if one of them matches.",
        "schema": {"type": "string"},
    })
}
