//! Schemas that do not belong to a kind: those of all servers, enumerations of parameters, the change feed.

use model_registry_api::{Kind, OrderBy, double};
use model_registry_server::openapi::{reference, schemas};
use serde_json::{Map, Value, json};

pub(super) fn all() -> Map<String, Value> {
    let mut schemas = schemas::all();
    let artifact_types = Kind::ARTIFACTS.map(|kind| kind.spec().artifact_type);
    schemas.insert("ArtifactTypeQueryParam".to_owned(), json!({"type": "string", "enum": artifact_types}));
    schemas.insert("OrderByField".to_owned(), order_by());
    // The catalog has finite numbers only.
    schemas["MetadataDoubleValue"]["properties"]["double_value"] = double();
    schemas.extend(changes());
    schemas
}

/// The keys of every list, and names of fields and properties, which are those of filters. The suffix may be left out in v1alpha3
/// only.
fn order_by() -> Value {
    json!({"anyOf": [
        {"type": "string", "enum": OrderBy::NAMES},
        {
            "type": "string",
            "pattern": r"^[A-Za-z_][A-Za-z0-9_]*\.(string|int|double|bool)_value$",
            "description": "A field or custom property with the suffix of its type, such as `name.string_value` or \
                            `accuracy.double_value`. Entities without a value come last. In v1alpha3 the suffix may be left out. \
                            Other names are written in back-quotes, with the suffix: `` `f1-score.double_value` ``.",
        },
    ]})
}

/// A double: a number, or a string for those that JSON does not have.
pub(super) fn double() -> Value {
    json!({"oneOf": [{"type": "number", "format": "double"}, {"type": "string", "enum": double::NAMES}]})
}

/// The schemas of the change feed.
fn changes() -> Map<String, Value> {
    let described = |description: &str| json!({"type": "string", "description": description});
    let change = json!({
        "type": "object",
        "required": ["sequence", "time", "actor", "kind", "id", "verb", "revision"],
        "properties": {
            "sequence": described("Sequence number of the change: ascending, without gaps."),
            "time": described("Milliseconds since the Unix epoch."),
            "actor": {"type": "string", "nullable": true, "description": "User who made the change, if requests are authenticated."},
            "kind": described("Kind of the entity, such as `registered_model`."),
            "id": described("Id of the entity."),
            "verb": described("`create`, `update` or `import`."),
            "revision": described("Revision of the entity after the change."),
        },
    });
    let page = json!({
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": reference("schemas", "Change")},
            "next": described("The `after` of the next request."),
        },
    });
    Map::from_iter([("Change".to_owned(), change), ("Changes".to_owned(), page)])
}
