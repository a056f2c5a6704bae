//! The schemas of the results of a search.

use model_registry_api::Kind;
use model_registry_store::{MatchedField, Rank};
use serde_json::{Map, Value, json};

use super::reference;
use crate::routes::search::searched_kinds;

/// The name of the schema of a response.
pub(super) const SCHEMA: &str = "SearchResults";

pub(super) fn schemas() -> Map<String, Value> {
    let kinds: Vec<&str> = searched_kinds().map(Kind::name).collect();
    let text = |description: &str| json!({"type": "string", "description": description});
    let named = json!({
        "kind": {"type": "string", "enum": kinds},
        "id": text("Id of the entity."),
        "name": text("Name of the entity."),
    });
    let parent = json!({"type": "object", "required": ["kind", "id", "name"], "properties": named});
    let mut properties = named;
    for (name, schema) in [
        ("externalId", text("Id in an external system.")),
        ("state", text("Life cycle state.")),
        (
            "match",
            json!({"type": "string", "enum": Rank::NAMES, "description": "How well it matches; the best first."}),
        ),
        ("field", json!({"type": "string", "enum": MatchedField::NAMES, "description": "What matches."})),
        ("label", text("The label that matches.")),
        (
            "parents",
            json!({
                "type": "array",
                "items": reference("schemas", "SearchParent"),
                "description": "The entities above it, the highest first: the model of a version; the model and the version of an artifact.",
            }),
        ),
    ] {
        properties[name] = schema;
    }
    let required = ["kind", "id", "name", "match", "field", "parents"];
    let result = json!({"type": "object", "required": required, "properties": properties});
    let results = json!({
        "type": "object",
        "required": ["items", "size", "pageSize", "hasMore"],
        "properties": {
            "items": {"type": "array", "items": reference("schemas", "SearchResult")},
            "size": {"type": "integer", "description": "Number of results."},
            "pageSize": {"type": "integer", "description": "Maximum number of results."},
            "hasMore": {"type": "boolean", "description": "Whether more entities match: narrow the search."},
        },
    });
    Map::from_iter([
        (SCHEMA.to_owned(), results),
        ("SearchResult".to_owned(), result),
        ("SearchParent".to_owned(), parent),
    ])
}
