//! Schemas that belong to no kind: errors, custom properties, pages, and the parts that all kinds have in common.

use model_registry_api::field::COMMON_FIELDS;
use model_registry_api::{Kind, OrderBy, SortOrder};
use serde_json::{Map, Value, json};

use super::kind_schemas::{INTEGER_PATTERN, NAME, custom_properties, dates};
use super::reference;

pub(super) fn all() -> Map<String, Value> {
    let mut schemas = metadata_values();
    schemas.extend(bases());
    let artifact_types = Kind::ARTIFACTS.map(|kind| kind.spec().artifact_type);
    for (name, members) in [
        ("ArtifactTypeQueryParam", json!(artifact_types)),
        ("OrderByField", json!(OrderBy::NAMES)),
        ("SortOrder", json!(SortOrder::NAMES)),
    ] {
        schemas.insert(name.to_owned(), json!({"type": "string", "enum": members}));
    }
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
