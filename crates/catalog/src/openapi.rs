//! The catalog's OpenAPI document, generated from the declarations of the asset types, the table of operations and the
//! schemas.
//!
//! Names and structure are those of the Kubeflow Model Registry's catalog, so that clients can be generated from either
//! document. Differences are listed, with reasons, in the test that compares the two (`tests/it/contract.rs`).

mod build;
mod mcp_schemas;
mod operations;
mod parameters;
mod runtime_schemas;
mod schemas;

use model_registry_api::catalog::{AssetType, CatalogField};
use model_registry_server::openapi::{self, fixed_paths, responses};
use serde_json::{Map, Value, json};

/// Path of the document. `/openapi.json` may be the document of another API of the same process.
pub const PATH: &str = "/api/model_catalog/openapi.json";

/// Values of `artifactType`.
pub(crate) const ARTIFACT_TYPES: [&str; 2] = ["model-artifact", "metrics-artifact"];

const DESCRIPTION: &str = "\
    Models and MCP servers from configured sources. Model cards (`readme`) and descriptions are unchanged Markdown of their \
    authors: viewers have to sanitise it before they show it as HTML.";

/// The document that [`PATH`] serves.
pub fn document() -> Value {
    let mut document = openapi::document("Model Catalog REST API", DESCRIPTION, env!("CARGO_PKG_VERSION"));
    let tags = AssetType::ALL.map(|asset_type| {
        let spec = asset_type.spec();
        json!({"name": spec.api.tag, "description": spec.api.tag_description})
    });
    let server = json!({"name": fixed_paths::TAG, "description": "The server itself."});
    document["tags"] = tags.into_iter().chain([server]).collect();
    let mut paths = fixed_paths::all(PATH);
    paths.extend(operations::paths());
    document["paths"] = paths.into();
    let mut schemas = openapi::schemas::all();
    schemas.extend(lists());
    schemas.extend(schemas::all());
    schemas.extend(mcp_schemas::all());
    schemas.extend(runtime_schemas::all());
    let mut all_responses = responses::errors(responses::ERRORS.iter().chain(&operations::ERRORS));
    all_responses.extend(operations::responses());
    let components = &mut document["components"];
    components["schemas"] = schemas.into();
    components["responses"] = all_responses.into();
    components["parameters"] = parameters::all().into();
    components["headers"] = responses::headers();
    document
}

/// The schemas of the pages of every asset type.
fn lists() -> Map<String, Value> {
    let schemas = AssetType::ALL.map(|asset_type| asset_type.spec().api.schema);
    schemas.iter().map(|schema| (format!("{schema}List"), build::page_of(schema))).collect()
}

/// Whether a field belongs to the schema `BaseResource`, which most items extend.
fn is_in_base_resource(field: &CatalogField) -> bool {
    field.path == "description"
}
