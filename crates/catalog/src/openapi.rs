//! The catalog's OpenAPI document, generated from the table of operations and the declared schemas.
//!
//! Names and structure are those of the Kubeflow Model Registry's catalog, so that clients can be generated from either;
//! what differs is listed, with reasons, in the test that compares the two (`tests/it/contract.rs`).

mod build;
mod mcp_schemas;
mod operations;
mod parameters;
mod runtime_schemas;
mod schemas;

use model_registry_server::openapi::{self, fixed_paths, reference, responses};
use serde_json::{Map, Value, json};

/// Where the document is served; `/openapi.json` may be that of another API of the same process.
pub const PATH: &str = "/api/model_catalog/openapi.json";

const MODEL_TAG: &str = "ModelCatalogService";
const MCP_TAG: &str = "MCPCatalogService";

const DESCRIPTION: &str = "\
    Models and MCP servers that others publish. Model cards (`readme`) and descriptions are passed on as their authors \
    wrote them: Markdown that viewers have to sanitise before they show it as HTML.";

/// The document that [`PATH`] serves.
pub fn document() -> Value {
    let mut document = openapi::document("Model Catalog REST API", DESCRIPTION, env!("CARGO_PKG_VERSION"));
    document["tags"] = json!([
        {"name": MODEL_TAG, "description": "Sources, models and what was measured of them."},
        {"name": MCP_TAG, "description": "MCP servers and their tools."},
        {"name": fixed_paths::TAG, "description": "The server itself."},
    ]);
    let mut paths = fixed_paths::all(PATH);
    paths.extend(operations::paths());
    document["paths"] = paths.into();
    let mut schemas = openapi::schemas::all();
    schemas.extend(schemas::all());
    schemas.extend(mcp_schemas::all());
    schemas.extend(runtime_schemas::all());
    let mut answers = responses::errors(responses::ERRORS.iter().chain(&operations::ERRORS));
    answers.extend(success_answers());
    let components = &mut document["components"];
    components["schemas"] = schemas.into();
    components["responses"] = answers.into();
    components["parameters"] = parameters::all().into();
    components["headers"] = responses::headers();
    document
}

fn success_answers() -> Map<String, Value> {
    let answers = operations::ANSWERS.iter().map(|(name, schema, description)| {
        ((*name).to_owned(), responses::success(description, &reference("schemas", schema)))
    });
    answers.collect()
}
