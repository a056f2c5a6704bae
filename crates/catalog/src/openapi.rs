//! The catalog's OpenAPI document, generated from the declarations of the asset types, the table of operations and the
//! schemas.
//!
//! Names and structure are those of the Kubeflow Model Registry's catalog, so that clients can be generated from either
//! document. Differences are listed, with reasons, in the test that compares the two (`tests/it/contract.rs`).

mod agent_schemas;
mod build;
mod mcp_schemas;
mod operations;
mod parameters;
mod runtime_schemas;
mod schemas;

use model_registry_api::catalog::{AssetType, CatalogField, CatalogKind, CatalogVersion};
use model_registry_server::openapi::{self, fixed_paths, responses};
use serde_json::{Map, Value, json};

/// Path of the document. `/openapi.json` may be the document of another API of the same process.
pub const PATH: &str = "/api/model_catalog/openapi.json";

/// Values of `artifactType`.
pub(crate) const ARTIFACT_TYPES: [&str; 2] = ["model-artifact", "metrics-artifact"];

const DESCRIPTION: &str = "\
    Models, MCP servers and agents from configured sources. Cards (`readme`) and descriptions are unchanged Markdown of \
    their authors: viewers have to sanitise it before they show it as HTML.";

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
    let mut schemas = openapi::schemas::all();
    schemas.extend(schemas::all());
    schemas.extend(mcp_schemas::all());
    schemas.extend(agent_schemas::all());
    schemas.extend(runtime_schemas::all());
    let mut all_responses = responses::errors(responses::ERRORS.iter().chain(&operations::ERRORS));
    all_responses.extend(operations::responses());
    for version in CatalogVersion::ALL {
        paths.extend(operations::paths(version));
        schemas.extend(items(version));
        all_responses.extend(operations::item_responses(version));
    }
    document["paths"] = paths.into();
    let components = &mut document["components"];
    components["schemas"] = schemas.into();
    components["responses"] = all_responses.into();
    components["parameters"] = parameters::all().into();
    components["headers"] = responses::headers();
    document
}

/// The name of a component or operation that each version has in its own form.
fn named(base: &str, version: CatalogVersion) -> String {
    match version {
        CatalogVersion::V1Alpha1 => base.to_owned(),
        CatalogVersion::V1 => format!("{base}V1"),
    }
}

/// The schemas of the items of the asset types and of their pages, and the values of the parameters for artifact types.
fn items(version: CatalogVersion) -> Map<String, Value> {
    let mut schemas = Map::new();
    for spec in AssetType::ALL.map(AssetType::spec) {
        let description = format!("{} {}.", article(spec.label), spec.label);
        let item = named(spec.api.schema, version);
        let schema = match spec.asset_type {
            AssetType::Models => schemas::model(&description, version),
            _ => resource(&description, spec.item, version),
        };
        schemas.insert(named(&format!("{}List", spec.api.schema), version), build::page_of(&item));
        schemas.insert(item, schema);
        for children in spec.api.children {
            let types = children.kind.spec().artifact_type;
            if let (Some(schema), Some(artifact_type)) = (children.artifact_type, types) {
                schemas.insert(schema.to_owned(), build::enumeration(&[artifact_type], "A type of artifact."));
            }
        }
    }
    schemas
}

/// The indefinite article of a label. An abbreviation such as MCP is read letter by letter.
fn article(label: &str) -> &'static str {
    if label.starts_with(['a', 'e', 'i', 'o', 'M']) { "An" } else { "A" }
}

/// The schema of a kind: its declared fields and those of `BaseResource`.
fn resource(description: &str, kind: CatalogKind, version: CatalogVersion) -> Value {
    let own = kind.spec().fields.iter().filter(|field| !is_in_base_resource(field));
    let own = build::object_of(own, version);
    build::all_of(description, own, &["BaseResource"])
}

/// Whether a field belongs to the schema `BaseResource`, which most items extend.
fn is_in_base_resource(field: &CatalogField) -> bool {
    field.path == "description"
}
