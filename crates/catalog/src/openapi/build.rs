//! Constructors for schemas.

use model_registry_api::catalog::{CatalogField, CatalogShape, CatalogVersion};
use model_registry_server::openapi::reference;
use serde_json::{Map, Value, json};

/// The name and schema of a field.
pub(super) type Field = (&'static str, Value);

pub(super) fn string(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

pub(super) fn uri(description: &str) -> Value {
    json!({"type": "string", "format": "uri", "description": description})
}

pub(super) fn date_time(description: &str) -> Value {
    json!({"type": "string", "format": "date-time", "description": description})
}

pub(super) fn strings(description: &str) -> Value {
    json!({"type": "array", "items": {"type": "string"}, "description": description})
}

pub(super) fn boolean(description: &str) -> Value {
    json!({"type": "boolean", "description": description})
}

/// A boolean with a default.
pub(super) fn boolean_or(default: bool, description: &str) -> Value {
    json!({"type": "boolean", "default": default, "description": description})
}

pub(super) fn enumeration(members: &[&str], description: &str) -> Value {
    json!({"type": "string", "enum": members, "description": description})
}

/// A string with a maximum length, in characters.
pub(super) fn string_up_to(limit: u32, description: &str) -> Value {
    json!({"type": "string", "maxLength": limit, "description": description})
}

/// A string that has to match a regular expression.
pub(super) fn string_like(pattern: &str, description: &str) -> Value {
    json!({"type": "string", "pattern": pattern, "description": description})
}

pub(super) fn array_of(schema: &str, description: &str) -> Value {
    json!({"type": "array", "items": reference("schemas", schema), "description": description})
}

/// A reference to another schema.
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

/// An object that extends the named schemas.
pub(super) fn all_of(description: &str, own: Value, others: &[&str]) -> Value {
    let all: Vec<Value> = [own].into_iter().chain(others.iter().map(|name| schema(name))).collect();
    json!({"description": description, "allOf": all})
}

pub(super) fn described(description: &str, mut object: Value) -> Value {
    object["description"] = description.into();
    object
}

/// The type of an artifact: responses always have it, with this value.
pub(super) fn artifact_type(name: &str) -> Value {
    json!({"type": "string", "default": name, "enum": [name], "description": "Type of artifact."})
}

/// An artifact of one of these types, each with its schema; `artifactType` is the discriminator.
pub(super) fn one_of_artifacts(types: &[(&str, &str)]) -> Value {
    let mapping: Map<String, Value> =
        types.iter().map(|(name, member)| ((*name).to_owned(), schema(member)["$ref"].clone())).collect();
    json!({
        "oneOf": types.iter().map(|(_, member)| schema(member)).collect::<Vec<_>>(),
        "discriminator": {"propertyName": "artifactType", "mapping": mapping},
    })
}

/// A page of a list.
pub(super) fn page_of(item: &str) -> Value {
    let items = object("items", [("items", json!({"type": "array", "items": schema(item)}))]);
    json!({"allOf": [items, schema("BaseResourceList")]})
}

/// A map from names to values of one schema.
pub(super) fn map_of(values: &Value, description: &str) -> Value {
    json!({"type": "object", "additionalProperties": values, "description": description})
}

pub(super) fn named<const N: usize>(schemas: [(&str, Value); N]) -> Map<String, Value> {
    schemas.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// An object with declared fields. Fields of nested objects are left out: their object is a field too.
pub(super) fn object_of(fields: impl Iterator<Item = &'static CatalogField>, version: CatalogVersion) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields.filter(|field| !field.path.contains('.')) {
        let name = field.path_in(version);
        properties.insert(name.to_owned(), declared(field));
        if field.required {
            required.push(name);
        }
    }
    let mut object = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        object["required"] = required.into();
    }
    object
}

/// The object at a path of a document: its declared fields.
pub(super) fn nested_object(fields: &'static [CatalogField], path: &str) -> Value {
    let nested = fields.iter().filter_map(|field| {
        let name = field.path.strip_prefix(path)?.strip_prefix('.')?;
        Some((name.to_owned(), declared(field)))
    });
    json!({"type": "object", "properties": nested.collect::<Map<_, _>>()})
}

/// The schema of a declared field.
fn declared(field: &CatalogField) -> Value {
    let description = field.description;
    match field.shape {
        CatalogShape::String => string(description),
        CatalogShape::ShortString(limit) => string_up_to(limit, description),
        CatalogShape::Uri => uri(description),
        CatalogShape::DateTime => date_time(description),
        CatalogShape::Enumeration(members) => enumeration(members, description),
        CatalogShape::StringList => strings(description),
        CatalogShape::EnumerationList(members) => {
            json!({"type": "array", "items": {"type": "string", "enum": members}, "description": description})
        }
        CatalogShape::Bool => boolean(description),
        CatalogShape::Integer => json!({"type": "integer", "description": description}),
        CatalogShape::Object(name) => schema(name),
        CatalogShape::ObjectList(name) => array_of(name, description),
        CatalogShape::FreeObject => {
            json!({"type": "object", "additionalProperties": true, "description": description})
        }
        CatalogShape::Counts => {
            let mut counts = map_of(&json!({"type": "integer", "format": "int32"}), description);
            counts["readOnly"] = true.into();
            counts
        }
    }
}
