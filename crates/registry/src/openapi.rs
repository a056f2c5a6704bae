//! The OpenAPI document, generated from the kinds' declarations and the table of operations.
//!
//! Names and structure are those of the Kubeflow Model Registry's document, so that clients can be generated from
//! either; what differs is listed, with reasons, in the test that compares the two (`tests/it/contract.rs`). Operations
//! and schemas of v1 that differ from v1alpha3's carry the suffix `V1`.

mod kind_schemas;
mod links;
mod operations;
mod parameters;
mod paths;
mod registration;
mod responses;
mod shared_schemas;

use model_registry_api::ApiVersion;
use model_registry_server::openapi::{self, fixed_paths, reference};
use serde_json::{Map, Value, json};

/// Where the document is served.
pub(crate) const PATH: &str = "/openapi.json";

/// The document that `/openapi.json` serves.
pub fn document() -> Value {
    let mut schemas = shared_schemas::all();
    let mut responses = responses::errors();
    responses.extend(responses::changes());
    let mut all_links = Map::new();
    let mut all_paths = fixed_paths::all(PATH);
    for version in ApiVersion::ALL {
        schemas.extend(kind_schemas::all(version));
        schemas.extend(registration::schemas(version));
        responses.extend(responses::answers(version));
        all_links.extend(links::all(version));
        all_paths.extend(paths::all(version));
    }
    let mut document = openapi::document(
        "Model Registry REST API",
        "Registers, versions, finds and lists models, artifacts, experiments and deployments.",
        env!("CARGO_PKG_VERSION"),
    );
    document["tags"] = json!([
        {"name": operations::TAG, "description": "Everything the registry keeps."},
        {"name": fixed_paths::TAG, "description": "The server itself."},
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

/// The name of a component or operation in a version, where both versions have their own.
fn named(base: &str, version: ApiVersion) -> String {
    match version {
        ApiVersion::V1Alpha3 => base.to_owned(),
        ApiVersion::V1 => format!("{base}V1"),
    }
}
