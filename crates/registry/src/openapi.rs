//! The OpenAPI document, generated from the declarations of the kinds and the table of operations.
//!
//! Names and structure are those of the Kubeflow Model Registry's document, so that clients can be generated from
//! either; the test that compares the two (`tests/it/contract.rs`) lists the differences with their reasons. Operations
//! of v1, and its schemas that differ from v1alpha3, have the suffix `V1`.

mod filter_options;
mod kind_schemas;
mod links;
mod parameters;
mod paths;
mod registration;
mod responses;
mod search;
mod shared_schemas;

use model_registry_api::ApiVersion;
use model_registry_server::openapi::{self, fixed_paths, reference};
use serde_json::{Map, Value, json};

use crate::operations;

/// The path of the document.
pub(crate) const PATH: &str = "/openapi.json";

/// The OpenAPI document of both versions of the API.
pub fn document() -> Value {
    let mut schemas = shared_schemas::all();
    let mut responses = responses::errors();
    responses.extend(responses::changes());
    responses.extend(responses::options_and_search());
    schemas.extend(filter_options::schemas());
    schemas.extend(search::schemas());
    let mut all_links = Map::new();
    let mut all_paths = fixed_paths::all(PATH);
    for version in ApiVersion::ALL {
        let operations = operations::all(version);
        schemas.extend(kind_schemas::all(version, &operations));
        schemas.extend(registration::schemas(version));
        responses.extend(responses::of(&operations, version));
        all_links.extend(links::all(&operations, version));
        all_paths.extend(paths::all(&operations, version));
    }
    let mut document = openapi::document(
        "Model Registry REST API",
        "Registers, versions, finds and lists models, artifacts, experiments and deployments.",
        env!("CARGO_PKG_VERSION"),
    );
    document["tags"] = json!([
        {"name": paths::TAG, "description": "Models, versions, artifacts, experiments and deployments."},
        {"name": fixed_paths::TAG, "description": "Health of the server, and this document."},
    ]);
    document["paths"] = all_paths.into();
    let components = &mut document["components"];
    components["schemas"] = schemas.into();
    components["responses"] = responses.into();
    components["parameters"] = parameters::all().into();
    components["links"] = all_links.into();
    components["headers"] = model_registry_server::openapi::responses::headers();
    document
}

/// The name of a component or operation that each version has in its own form.
fn named(base: &str, version: ApiVersion) -> String {
    match version {
        ApiVersion::V1Alpha3 => base.to_owned(),
        ApiVersion::V1 => format!("{base}V1"),
    }
}
