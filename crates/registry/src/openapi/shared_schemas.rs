//! Schemas that belong to no kind: those that all documents have, enumerations of parameters, the change feed.

use model_registry_api::{Kind, OrderBy};
use model_registry_server::openapi::{reference, schemas};
use serde_json::{Map, Value, json};

pub(super) fn all() -> Map<String, Value> {
    let mut schemas = schemas::all();
    let artifact_types = Kind::ARTIFACTS.map(|kind| kind.spec().artifact_type);
    for (name, members) in [("ArtifactTypeQueryParam", json!(artifact_types)), ("OrderByField", json!(OrderBy::NAMES))]
    {
        schemas.insert(name.to_owned(), json!({"type": "string", "enum": members}));
    }
    schemas.extend(changes());
    schemas
}

/// The change feed.
fn changes() -> Map<String, Value> {
    let described = |description: &str| json!({"type": "string", "description": description});
    let change = json!({
        "type": "object",
        "required": ["sequence", "time", "actor", "kind", "id", "verb", "revision"],
        "properties": {
            "sequence": described("The number of the change: ascending, without gaps."),
            "time": described("Milliseconds since the Unix epoch."),
            "actor": {"type": "string", "nullable": true, "description": "Who did it, where callers are known."},
            "kind": described("The kind of the entity, such as `registered_model`."),
            "id": described("The id of the entity."),
            "verb": described("`create`, `update` or `import`."),
            "revision": described("The revision of the entity that the change made."),
        },
    });
    let page = json!({
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": reference("schemas", "Change")},
            "next": described("What to pass as `after` next."),
        },
    });
    Map::from_iter([("Change".to_owned(), change), ("Changes".to_owned(), page)])
}
