//! Schemas of the registration of a model, a version and artifacts at once.

use model_registry_api::{ApiVersion, Kind};
use serde_json::{Map, Value, json};

use super::kind_schemas::{self, Body};
use super::reference;
use crate::decode::limits;

pub(super) fn schemas(version: ApiVersion) -> Map<String, Value> {
    let schema = |base: &str| reference("schemas", &kind_schemas::name(base, version));
    let body = json!({
        "description": "A model, found by its name or else created, a new version of it, and the version's artifacts.",
        "type": "object",
        "additionalProperties": false,
        "required": ["registeredModel", "modelVersion"],
        "properties": {
            "registeredModel": schema("RegisteredModelCreate"),
            "modelVersion": schema("RegistrationVersion"),
            "artifacts": {
                "type": "array",
                "maxItems": limits::REGISTERED_ARTIFACTS,
                "items": schema("ArtifactCreate"),
            },
        },
    });
    let answer = json!({
        "description": "The model as it is, and what was created.",
        "type": "object",
        "required": ["registeredModel", "modelVersion", "artifacts"],
        "properties": {
            "registeredModel": schema("RegisteredModel"),
            "modelVersion": schema("ModelVersion"),
            "artifacts": {"type": "array", "items": schema("Artifact")},
        },
    });
    Map::from_iter([
        (kind_schemas::name("Registration", version), body),
        (kind_schemas::name("RegistrationAnswer", version), answer),
        ("RegistrationVersion".to_owned(), model_version(version)),
    ])
}

/// A version without its model's id, which the registration knows.
fn model_version(version: ApiVersion) -> Value {
    let mut schema = kind_schemas::body(Kind::ModelVersion.spec(), version, Body::Create);
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.remove("registeredModelId");
    }
    schema["required"] = json!(["name"]);
    schema["description"] = "A version of the model that is registered.".into();
    schema
}

pub(super) fn example() -> Value {
    json!({
        "registeredModel": {"name": "fraud-detection", "owner": "risk-team"},
        "modelVersion": {
            "name": "2025-06-01",
            "customProperties": {"accuracy": {"metadataType": "MetadataDoubleValue", "double_value": 0.97}},
        },
        "artifacts": [{
            "artifactType": "model-artifact",
            "name": "weights",
            "uri": "s3://models/fraud-detection/2025-06-01/model.onnx",
            "modelFormatName": "onnx",
        }],
    })
}
