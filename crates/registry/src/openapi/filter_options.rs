//! The schemas of filter options.

use serde_json::{Map, Value, json};

use super::reference;

/// The name of the schema of a response.
pub(super) const SCHEMA: &str = "FilterOptions";

pub(super) fn schemas() -> Map<String, Value> {
    let number = |description: &str| json!({"type": "integer", "description": description});
    let options = json!({
        "type": "object",
        "required": ["filters", "entities", "countsAreExact", "ageSeconds"],
        "properties": {
            "filters": {
                "type": "object",
                "description": "What filters can use, by the name that they use: fields, and custom properties with the suffix of their type.",
                "additionalProperties": reference("schemas", "FilterOption"),
            },
            "entities": number("Number of entities."),
            "countsAreExact": {
                "type": "boolean",
                "description": "Whether the numbers of entities are exact; otherwise they are estimates from a sample.",
            },
            "ageSeconds": number("Seconds since the options were computed."),
        },
    });
    let option = json!({
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {"type": "string", "enum": ["string", "number", "boolean"]},
            "count": number("Number of entities with a value."),
            "values": {
                "type": "array",
                "items": {"anyOf": [{"type": "string"}, {"type": "boolean"}]},
                "description": "All values if they are few, otherwise frequent ones; the most frequent first.",
            },
            "counts": {
                "type": "array",
                "items": {"type": "integer"},
                "description": "Number of entities with each of `values`.",
            },
            "range": {
                "type": "object",
                "required": ["min", "max"],
                "properties": {"min": {"type": "number"}, "max": {"type": "number"}},
            },
        },
    });
    Map::from_iter([(SCHEMA.to_owned(), options), ("FilterOption".to_owned(), option)])
}
