//! Schemas of the operation that registers a model, a version and artifacts at once.

use model_registry_api::{ApiVersion, Kind};
use serde_json::{Map, Value, json};

use super::kind_schemas::{self, Body};
use super::reference;
use crate::decode::limits;

pub(super) fn schemas(version: ApiVersion) -> Map<String, Value> {
    let schema = |base: &str| reference("schemas", &kind_schemas::name(base, version));
    let body = json!({
        "description": "A model, which is created unless one has its name, a new version of it, and artifacts of the version.",
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
    let result = json!({
        "description": "The found or created model, the created version and its artifacts.",
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
        (kind_schemas::name("RegistrationResult", version), result),
        ("RegistrationVersion".to_owned(), model_version(version)),
    ])
}

/// A version without `registeredModelId`: its model is part of the same body.
fn model_version(version: ApiVersion) -> Value {
    let mut schema = kind_schemas::body(Kind::ModelVersion.spec(), version, Body::Create);
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.remove("registeredModelId");
    }
    schema["required"] = json!(["name"]);
    schema["description"] = "A new version of the registered model.".into();
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
