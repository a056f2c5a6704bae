//! Schemas that all documents have: errors, custom properties, pages, and the parts that everything served has in common.

use model_registry_api::SortOrder;
use model_registry_api::field::COMMON_FIELDS;
use serde_json::{Map, Value, json};

use super::reference;

/// Texts that hold a 64-bit integer, which has 19 digits at most.
pub const INTEGER_PATTERN: &str = "^[-+]?[0-9]{1,19}$";

/// What is said of names.
pub const NAME: &str = "Name, unique among its kind and below its parent; never changes.";

/// All of them.
pub fn all() -> Map<String, Value> {
    let mut schemas = metadata_values();
    schemas.extend(bases());
    schemas.insert("SortOrder".to_owned(), json!({"type": "string", "enum": SortOrder::NAMES}));
    let error = json!({
        "description": "What went wrong.",
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": {"type": "string", "description": "The reason phrase of the status."},
            "message": {"type": "string", "description": "What was wrong, where, and what to do."},
        },
    });
    schemas.insert("Error".to_owned(), error);
    schemas
}

/// Name of the value's field, its schema, name of the type.
fn metadata_values() -> Map<String, Value> {
    let text = json!({"type": "string"});
    let base64 = json!({"type": "string", "format": "byte"});
    let integer = json!({"type": "string", "format": "int64", "pattern": INTEGER_PATTERN});
    let types = [
        ("MetadataIntValue", "A 64-bit integer, as text.", vec![("int_value", integer)]),
        ("MetadataDoubleValue", "A number.", vec![("double_value", json!({"type": "number", "format": "double"}))]),
        ("MetadataStringValue", "A text.", vec![("string_value", text.clone())]),
        ("MetadataStructValue", "A JSON object, in base64.", vec![("struct_value", base64.clone())]),
        ("MetadataProtoValue", "A protocol buffer message.", vec![("type", text), ("proto_value", base64)]),
        ("MetadataBoolValue", "A truth value.", vec![("bool_value", json!({"type": "boolean"}))]),
    ];
    let references = types.each_ref().map(|(name, ..)| reference("schemas", name));
    let mapping: Map<_, _> =
        types.iter().map(|(name, ..)| ((*name).to_owned(), reference("schemas", name)["$ref"].clone())).collect();
    let mut schemas = Map::new();
    for (name, description, fields) in types {
        let required: Vec<_> = ["metadataType"].into_iter().chain(fields.iter().map(|(field, _)| *field)).collect();
        let kind = json!({"type": "string", "enum": [name], "default": name});
        let mut properties: Map<_, _> =
            fields.iter().map(|(field, schema)| ((*field).to_owned(), schema.clone())).collect();
        properties.insert("metadataType".to_owned(), kind);
        let schema =
            json!({"description": description, "type": "object", "required": required, "properties": properties});
        schemas.insert(name.to_owned(), schema);
    }
    let union = json!({
        "description": "The value of a custom property.",
        "oneOf": references,
        "discriminator": {"propertyName": "metadataType", "mapping": mapping},
    });
    schemas.insert("MetadataValue".to_owned(), union);
    schemas
}

/// What all kinds have in common.
fn bases() -> Map<String, Value> {
    let common = || -> Map<String, Value> {
        let fields = COMMON_FIELDS
            .iter()
            .map(|field| (field.name.to_owned(), json!({"type": "string", "description": field.description})));
        fields.chain([("customProperties".to_owned(), custom_properties())]).collect()
    };
    let mut resource = common();
    resource.insert("name".to_owned(), json!({"type": "string", "minLength": 1, "description": NAME}));
    resource.insert(
        "id".to_owned(),
        json!({"type": "string", "format": "int64", "description": "The id that the server gave it."}),
    );
    let page = json!({
        "type": "object",
        "required": ["nextPageToken", "pageSize", "size"],
        "properties": {
            "nextPageToken": {"type": "string", "description": "Leads to the next page; empty on the last one."},
            "pageSize": {"type": "integer", "format": "int32", "description": "Items on a full page."},
            "size": {"type": "integer", "format": "int32", "description": "Items on this page."},
        },
    });
    Map::from_iter([
        ("BaseResourceDates".to_owned(), json!({"type": "object", "properties": dates()})),
        (
            "BaseResource".to_owned(),
            json!({"allOf": [{"type": "object", "properties": resource}, reference("schemas", "BaseResourceDates")]}),
        ),
        ("BaseResourceList".to_owned(), page),
    ])
}

/// Custom properties by name.
pub fn custom_properties() -> Value {
    json!({
        "type": "object",
        "description": "Properties of the client's own, by name.",
        "additionalProperties": reference("schemas", "MetadataValue"),
    })
}

/// The times that the server sets.
pub fn dates() -> Map<String, Value> {
    let time = |what: &str| {
        let description = format!("When it was {what}, in milliseconds since the Unix epoch.");
        json!({"type": "string", "format": "int64", "readOnly": true, "description": description})
    };
    Map::from_iter([
        ("createTimeSinceEpoch".to_owned(), time("created")),
        ("lastUpdateTimeSinceEpoch".to_owned(), time("last changed")),
    ])
}
