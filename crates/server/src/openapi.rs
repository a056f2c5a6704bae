//! What the OpenAPI documents of all servers have in common, and how one is served.
//!
//! A server generates its document from its own declarations; parts that would be the same in every document are here.

pub mod fixed_paths;
pub mod responses;
pub mod schemas;
mod served;

use serde_json::{Value, json};

pub use served::ServedDocument;

/// The frame of a document; tags, paths and components come from the server.
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
        // Whether a token is needed is the server's configuration.
        "security": [{"Bearer": []}, {}],
        "components": {"securitySchemes": {"Bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}},
    })
}

/// A reference to a component.
pub fn reference(section: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{section}/{name}")})
}

/// The header that spares sending what the client has; the component `ifNoneMatch`.
pub fn if_none_match() -> Value {
    json!({
        "name": "If-None-Match",
        "in": "header",
        "required": false,
        "description": "Answers 304 without a body if the entity's ETag is one of these.",
        "schema": {"type": "string"},
    })
}
