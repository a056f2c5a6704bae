//! Schemas derived from the declarations of the kinds: entities, create, update and upsert bodies, lists, unions.

use model_registry_api::kind::NAME_LIMIT;
use model_registry_api::{ApiVersion, EntityTable, Field, Kind, KindSpec, Shape};
use model_registry_server::openapi::reference;
use model_registry_server::openapi::schemas::{INTEGER_PATTERN, NAME, custom_properties, dates};
use serde_json::{Map, Value, json};

use super::responses::subjects;
use super::shared_schemas::double;
use crate::decode::limits;
use crate::operations::{Action, Operation, capitalised, with_article};

/// An id assigned by the server.
pub(super) const ID_PATTERN: &str = "^[1-9][0-9]{0,8}$";
/// An optional id in a body: an empty one counts as absent.
const ID_OR_EMPTY_PATTERN: &str = "^([1-9][0-9]{0,8})?$";

/// Schemas that differ in v1: its artifacts have no experiment ids, its metrics have steps as strings.
const OWN_IN_V1: &[&str] = &[
    "Artifact",
    "ArtifactCreate",
    "ArtifactList",
    "ArtifactUpdate",
    "ArtifactUpsert",
    "BaseArtifact",
    "DataSet",
    "DocArtifact",
    "Metric",
    "MetricCreate",
    "MetricUpdate",
    "MetricUpsert",
    "ModelArtifact",
    "ModelArtifactList",
    "Parameter",
    "Registration",
    "RegistrationResult",
];

/// The name of a schema in a version.
pub(super) fn name(base: &str, version: ApiVersion) -> String {
    if OWN_IN_V1.contains(&base) { super::named(base, version) } else { base.to_owned() }
}

/// Every schema of a version.
pub(super) fn all(version: ApiVersion, operations: &[Operation]) -> Map<String, Value> {
    let mut schemas = Map::new();
    let mut add = |base: &str, schema: Value| schemas.insert(name(base, version), schema);
    // Metric points have the schema of metrics.
    for spec in Kind::ALL.map(Kind::spec).into_iter().filter(|spec| spec.table != EntityTable::MetricPoint) {
        let schema = spec.schema;
        add(schema, entity(spec, version));
        add(&format!("{schema}Create"), body(spec, version, Body::Create));
        add(&format!("{schema}Update"), body(spec, version, Body::Update));
        if spec.artifact_type.is_some() || spec.parent.is_some_and(|parent| parent.upsert) {
            add(&format!("{schema}Upsert"), body(spec, version, Body::Upsert));
        }
        for enumeration in spec.fields.iter().filter_map(enumeration) {
            add(enumeration.0, enumeration.1);
        }
    }
    for suffix in ["", "Create", "Update", "Upsert"] {
        add(&format!("Artifact{suffix}"), union(suffix, version));
    }
    add("BaseArtifact", base_artifact(version));
    for schema in subjects(operations, |action| action == Action::List).into_keys() {
        let items = json!({
            "type": "object",
            "required": ["items"],
            "properties": {
                "items": {"type": "array", "items": reference("schemas", &name(schema, version))},
                "total": {
                    "type": "integer",
                    "description": "Number of entities on all pages, if the request has `total=true`; a lower bound unless `totalIsExact`.",
                },
                "totalIsExact": {"type": "boolean", "description": "Whether `total` is exact."},
            },
        });
        add(&format!("{schema}List"), json!({"allOf": [items, reference("schemas", "BaseResourceList")]}));
    }
    schemas
}

/// A request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Create,
    Update,
    /// Creates an entity, or updates the existing one that it identifies.
    Upsert,
}

fn entity(spec: &KindSpec, version: ApiVersion) -> Value {
    let is_artifact = spec.table == EntityTable::Artifact;
    let base = if is_artifact { name("BaseArtifact", version) } else { "BaseResource".to_owned() };
    let own = spec.fields.iter().filter(|field| field.access != model_registry_api::Access::ReadOnly);
    let mut properties: Map<_, _> = own.map(|field| (field.name.to_owned(), value(field, version))).collect();
    let mut required = required(spec);
    if let Some(artifact_type) = spec.artifact_type {
        // Always present in responses: it discriminates the members of the union.
        let mut schema = artifact_type_field(artifact_type);
        schema["enum"] = json!([artifact_type]);
        properties.insert("artifactType".to_owned(), schema);
        required.push("artifactType");
    }
    let mut own = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        own["required"] = required.into();
    }
    json!({"description": sentence(spec, ""), "allOf": [reference("schemas", &base), own]})
}

/// The required fields of a body.
fn required(spec: &KindSpec) -> Vec<&'static str> {
    let name = spec.name_required.then_some("name");
    let fields = spec.fields.iter().filter(|field| field.required).map(|field| field.name);
    name.into_iter().chain(fields).collect()
}

pub(super) fn body(spec: &KindSpec, version: ApiVersion, body: Body) -> Value {
    let mut required = if body == Body::Update { Vec::new() } else { required(spec) };
    if body != Body::Update {
        // Optional in the contract, but neither server accepts a body without them.
        required.extend(spec.required_by_check().map(|(field, _)| field));
    }
    let accepted =
        spec.all_fields().filter(|field| if body == Body::Update { field.on_update() } else { field.on_create() });
    let mut properties = Map::new();
    for field in accepted {
        let schema = limited(field, value(field, version));
        let schema = if required.contains(&field.name) { schema } else { nullable(schema) };
        properties.insert(field.name.to_owned(), schema);
    }
    if body != Body::Update {
        let mut schema = json!({"type": "string", "description": NAME, "maxLength": spec.name_limit});
        if spec.name_required {
            schema["minLength"] = 1.into();
        } else {
            schema = nullable(schema);
        }
        properties.insert("name".to_owned(), schema);
    }
    let mut custom_properties = custom_properties();
    custom_properties["maxProperties"] = limits::CUSTOM_PROPERTIES.into();
    properties.insert("customProperties".to_owned(), nullable(custom_properties));
    if let Some(artifact_type) = spec.artifact_type {
        let schema = artifact_type_field(artifact_type);
        // A kind with a collection of its own does not need it there.
        let is_optional = spec.collection.is_some() && body != Body::Upsert;
        properties.insert("artifactType".to_owned(), if is_optional { nullable(schema) } else { schema });
    }
    if body == Body::Upsert {
        properties.insert(
            "id".to_owned(),
            nullable(json!({
                "type": "string",
                "format": "int64",
                "pattern": ID_OR_EMPTY_PATTERN,
                "description": "Id of the entity to update; without it a new one is created.",
            })),
        );
        properties.extend(dates());
    }
    let purpose = match body {
        Body::Create => " to be created",
        Body::Update => " to be updated: absent fields keep their value, null clears",
        Body::Upsert => " to be created or updated",
    };
    let mut schema = json!({"description": sentence(spec, purpose), "type": "object", "properties": properties});
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    // Artifact bodies may carry unknown fields, except on a collection of one kind.
    if spec.artifact_type.is_none() {
        schema["additionalProperties"] = false.into();
    }
    schema
}

/// The schema of the value of a field.
fn value(field: &Field, version: ApiVersion) -> Value {
    let mut schema = match field.shape {
        Shape::String => json!({"type": "string"}),
        Shape::Uri => json!({"type": "string", "format": "uri"}),
        Shape::StringList => json!({"type": "array", "items": {"type": "string"}}),
        Shape::Enumeration(enumeration) => json!({"allOf": [reference("schemas", enumeration.name)]}),
        Shape::Double => double(),
        Shape::Integer if version == ApiVersion::V1 => {
            json!({"type": "string", "format": "int64", "pattern": INTEGER_PATTERN})
        }
        Shape::Integer => json!({"type": "integer", "format": "int64", "minimum": i64::MIN, "maximum": i64::MAX}),
        Shape::Id => json!({"type": "string", "format": "int64", "pattern": ID_PATTERN}),
        Shape::EpochMillis => json!({"type": "string", "format": "int64"}),
    };
    if field.required {
        schema["minLength"] = 1.into();
    }
    schema["description"] = field.description.into();
    schema
}

/// Adds the limits on request bodies, which schemas of responses do not have.
fn limited(field: &Field, mut schema: Value) -> Value {
    if field.shape == Shape::StringList {
        schema["maxItems"] = limits::LIST.into();
    }
    if field.shape == Shape::Id && !field.required {
        schema["pattern"] = ID_OR_EMPTY_PATTERN.into();
    }
    if field.name == "externalId" {
        schema["maxLength"] = NAME_LIMIT.into();
    }
    schema
}

fn nullable(mut schema: Value) -> Value {
    schema["nullable"] = true.into();
    schema
}

fn artifact_type_field(artifact_type: &str) -> Value {
    json!({"type": "string", "default": artifact_type, "description": "Kind of the artifact."})
}

fn enumeration(field: &Field) -> Option<(&'static str, Value)> {
    let Shape::Enumeration(enumeration) = field.shape else { return None };
    let mut schema = json!({"type": "string", "enum": enumeration.members});
    if let Some(default) = enumeration.default {
        schema["default"] = default.into();
    }
    Some((enumeration.name, schema))
}

/// An artifact of any kind, discriminated by `artifactType`.
fn union(suffix: &str, version: ApiVersion) -> Value {
    let members = Kind::ARTIFACTS.map(Kind::spec).map(|spec| {
        let schema = reference("schemas", &name(&format!("{}{suffix}", spec.schema), version));
        (spec.artifact_type.unwrap_or_default().to_owned(), schema)
    });
    let mapping: Map<_, _> = members.iter().map(|(kind, schema)| (kind.clone(), schema["$ref"].clone())).collect();
    let schemas = members.map(|(_, schema)| schema);
    json!({"oneOf": schemas, "discriminator": {"propertyName": "artifactType", "mapping": mapping}})
}

/// The fields of responses that all artifacts have.
fn base_artifact(version: ApiVersion) -> Value {
    let spec = Kind::DocArtifact.spec();
    let read_only = spec.fields.iter().filter(|field| field.access == model_registry_api::Access::ReadOnly);
    let properties: Map<_, _> = match version {
        ApiVersion::V1 => Map::new(),
        ApiVersion::V1Alpha3 => read_only.map(|field| (field.name.to_owned(), value(field, version))).collect(),
    };
    json!({"allOf": [reference("schemas", "BaseResource"), {"type": "object", "properties": properties}]})
}

fn sentence(spec: &KindSpec, purpose: &str) -> String {
    capitalised(&format!("{}{purpose}.", with_article(spec.label)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_schemas_with_the_suffix_of_v1_differ_between_versions() {
        let schemas = |version| all(version, &crate::operations::all(version));
        let (alpha, v1) = (schemas(ApiVersion::V1Alpha3), schemas(ApiVersion::V1));
        for (name, schema) in &v1 {
            match name.strip_suffix("V1") {
                Some(base) => assert_ne!(schema, &alpha[base], "{name}"),
                None => assert_eq!(schema, &alpha[name], "{name}"),
            }
        }
    }
}
