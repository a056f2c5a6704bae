//! Small pieces that schemas are written with.

use model_registry_server::openapi::reference;
use serde_json::{Map, Value, json};

/// A field: its name and schema.
pub(super) type Field = (&'static str, Value);

pub(super) fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

pub(super) fn uri(description: &str) -> Value {
    json!({"type": "string", "format": "uri", "description": description})
}

pub(super) fn date_time(description: &str) -> Value {
    json!({"type": "string", "format": "date-time", "description": description})
}

pub(super) fn texts(description: &str) -> Value {
    json!({"type": "array", "items": {"type": "string"}, "description": description})
}

pub(super) fn flag(description: &str) -> Value {
    json!({"type": "boolean", "description": description})
}

/// A flag with the value that counts where it is absent.
pub(super) fn flag_or(default: bool, description: &str) -> Value {
    json!({"type": "boolean", "default": default, "description": description})
}

pub(super) fn choice(members: &[&str], description: &str) -> Value {
    json!({"type": "string", "enum": members, "description": description})
}

/// A text with a limit to its length.
pub(super) fn short(limit: u32, description: &str) -> Value {
    json!({"type": "string", "maxLength": limit, "description": description})
}

/// A text of a form.
pub(super) fn formed(pattern: &str, description: &str) -> Value {
    json!({"type": "string", "pattern": pattern, "description": description})
}

pub(super) fn list_of(schema: &str, description: &str) -> Value {
    json!({"type": "array", "items": reference("schemas", schema), "description": description})
}

/// Another schema, by its name.
pub(super) fn schema(name: &str) -> Value {
    reference("schemas", name)
}

/// An object; `required` names fields, separated by spaces.
pub(super) fn object<const N: usize>(required: &str, fields: [Field; N]) -> Value {
    let properties: Map<String, Value> = fields.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    let mut object = json!({"type": "object", "properties": properties});
    let required: Vec<&str> = required.split_whitespace().collect();
    if !required.is_empty() {
        object["required"] = required.into();
    }
    object
}

/// An object that is also what the named schemas say.
pub(super) fn all_of(description: &str, own: Value, others: &[&str]) -> Value {
    let all: Vec<Value> = [own].into_iter().chain(others.iter().map(|name| schema(name))).collect();
    json!({"description": description, "allOf": all})
}

pub(super) fn described(description: &str, mut object: Value) -> Value {
    object["description"] = description.into();
    object
}

/// A page of a list.
pub(super) fn page_of(item: &str) -> Value {
    let items = object("items", [("items", json!({"type": "array", "items": schema(item)}))]);
    json!({"allOf": [items, schema("BaseResourceList")]})
}

/// Values of one schema, by name.
pub(super) fn map_of(values: &Value, description: &str) -> Value {
    json!({"type": "object", "additionalProperties": values, "description": description})
}

pub(super) fn named<const N: usize>(schemas: [(&str, Value); N]) -> Map<String, Value> {
    schemas.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}
