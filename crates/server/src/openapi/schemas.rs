//! Common schemas: errors, custom properties, pages, and the base schemas of entities.

use model_registry_api::SortOrder;
use model_registry_api::field::COMMON_FIELDS;
use serde_json::{Map, Value, json};

use super::reference;

/// Pattern of strings with a 64-bit integer, which has up to 19 digits.
pub const INTEGER_PATTERN: &str = "^[-+]?[0-9]{1,19}$";

/// Description of names.
pub const NAME: &str = "Name, unique within the kind and the parent; immutable.";

/// The common schemas by name.
pub fn all() -> Map<String, Value> {
    let mut schemas = metadata_values();
    schemas.extend(bases());
    schemas.insert("SortOrder".to_owned(), json!({"type": "string", "enum": SortOrder::NAMES}));
    let error = json!({
        "description": "An error.",
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": {"type": "string", "description": "Reason phrase of the status code."},
            "message": {"type": "string", "description": "The mistake, its position and the remedy."},
        },
    });
    schemas.insert("Error".to_owned(), error);
    schemas
}

/// The schemas of the types of a custom property, and their union.
fn metadata_values() -> Map<String, Value> {
    let string = json!({"type": "string"});
    let base64 = json!({"type": "string", "format": "byte"});
    let integer = json!({"type": "string", "format": "int64", "pattern": INTEGER_PATTERN});
    let types = [
        ("MetadataIntValue", "A 64-bit integer, as a string.", vec![("int_value", integer)]),
        ("MetadataDoubleValue", "A number.", vec![("double_value", json!({"type": "number", "format": "double"}))]),
        ("MetadataStringValue", "A string.", vec![("string_value", string.clone())]),
        ("MetadataStructValue", "A JSON object, in base64.", vec![("struct_value", base64.clone())]),
        ("MetadataProtoValue", "A protocol buffer message.", vec![("type", string), ("proto_value", base64)]),
        ("MetadataBoolValue", "A boolean.", vec![("bool_value", json!({"type": "boolean"}))]),
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

/// The base schemas of entities and pages.
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
        json!({"type": "string", "format": "int64", "description": "Id, assigned by the server."}),
    );
    let page = json!({
        "type": "object",
        "required": ["nextPageToken", "pageSize", "size"],
        "properties": {
            "nextPageToken": {"type": "string", "description": "Token of the next page; empty on the last page."},
            "pageSize": {"type": "integer", "format": "int32", "description": "Maximum number of items per page."},
            "size": {"type": "integer", "format": "int32", "description": "Number of items on this page."},
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

/// The schema of custom properties.
pub fn custom_properties() -> Value {
    json!({
        "type": "object",
        "description": "Custom properties by name.",
        "additionalProperties": reference("schemas", "MetadataValue"),
    })
}

/// The schemas of the times that the server sets.
pub fn dates() -> Map<String, Value> {
    let time = |event: &str| {
        let description = format!("Time of {event}, in milliseconds since the Unix epoch.");
        json!({"type": "string", "format": "int64", "readOnly": true, "description": description})
    };
    Map::from_iter([
        ("createTimeSinceEpoch".to_owned(), time("creation")),
        ("lastUpdateTimeSinceEpoch".to_owned(), time("the last update")),
    ])
}
