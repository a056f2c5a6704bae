//! Schemas that follow from the declarations of the kinds: entity, create, update and upsert bodies, lists, unions.

use model_registry_api::kind::NAME_LIMIT;
use model_registry_api::{ApiVersion, EntityTable, Field, Kind, KindSpec, Shape};
use model_registry_server::openapi::reference;
use model_registry_server::openapi::schemas::{INTEGER_PATTERN, NAME, custom_properties, dates};
use serde_json::{Map, Value, json};

use crate::decode::limits;

/// What an id of the server looks like.
pub(super) const ID_PATTERN: &str = "^[1-9][0-9]{0,8}$";
/// What it looks like in a body that need not have one: an empty id is none.
const ID_OR_EMPTY_PATTERN: &str = "^([1-9][0-9]{0,8})?$";

/// Schemas that v1 has in a form of its own: its artifacts know no experiments, its metrics have steps as texts.
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
    "RegistrationAnswer",
];

/// The name of a schema in a version.
pub(super) fn name(base: &str, version: ApiVersion) -> String {
    if OWN_IN_V1.contains(&base) { super::named(base, version) } else { base.to_owned() }
}

/// The schemas that are answered alone or in lists.
pub(super) fn answered(version: ApiVersion) -> impl Iterator<Item = &'static str> {
    let all = [
        "RegisteredModel",
        "ModelVersion",
        "ServingEnvironment",
        "InferenceService",
        "ServeModel",
        "Artifact",
        "ModelArtifact",
        "Experiment",
        "ExperimentRun",
        "Metric",
    ];
    let only_alpha = ["Experiment", "ExperimentRun", "Metric"];
    all.into_iter().filter(move |name| version == ApiVersion::V1Alpha3 || !only_alpha.contains(name))
}

/// Every schema of a version.
pub(super) fn all(version: ApiVersion) -> Map<String, Value> {
    let mut schemas = Map::new();
    let mut add = |base: &str, schema: Value| schemas.insert(name(base, version), schema);
    for spec in Kind::ALL.map(Kind::spec).into_iter().filter(|spec| spec.kind != Kind::MetricPoint) {
        let schema = spec.schema;
        add(schema, entity(spec, version));
        add(&format!("{schema}Create"), body(spec, version, Body::Create));
        add(&format!("{schema}Update"), body(spec, version, Body::Update));
        if spec.artifact_type.is_some() || matches!(spec.kind, Kind::ModelVersion | Kind::ExperimentRun) {
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
    for schema in answered(version) {
        let items = json!({
            "type": "object",
            "required": ["items"],
            "properties": {"items": {"type": "array", "items": reference("schemas", &name(schema, version))}},
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
    /// What creates an entity, or changes the one that it means.
    Upsert,
}

fn entity(spec: &KindSpec, version: ApiVersion) -> Value {
    let is_artifact = spec.table == EntityTable::Artifact;
    let base = if is_artifact { name("BaseArtifact", version) } else { "BaseResource".to_owned() };
    let own = spec.fields.iter().filter(|field| field.access != model_registry_api::Access::ReadOnly);
    let mut properties: Map<_, _> = own.map(|field| (field.name.to_owned(), value(field, version))).collect();
    let mut required = required(spec);
    if let Some(artifact_type) = spec.artifact_type {
        // Answers always carry it, and only this one: it tells the members of the union apart.
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

/// Fields that have to be given.
fn required(spec: &KindSpec) -> Vec<&'static str> {
    let name = spec.name_required.then_some("name");
    let fields = spec.fields.iter().filter(|field| field.required).map(|field| field.name);
    name.into_iter().chain(fields).collect()
}

pub(super) fn body(spec: &KindSpec, version: ApiVersion, body: Body) -> Value {
    let mut required = if body == Body::Update { Vec::new() } else { required(spec) };
    if spec.kind == Kind::Metric && body != Body::Update {
        // Optional in the reference's document, but its server refuses a metric without.
        required.push("value");
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
        // Where model artifacts are served alone it says nothing new.
        let is_optional = spec.kind == Kind::ModelArtifact && body != Body::Upsert;
        properties.insert("artifactType".to_owned(), if is_optional { nullable(schema) } else { schema });
    }
    if body == Body::Upsert {
        properties.insert(
            "id".to_owned(),
            nullable(json!({
                "type": "string",
                "format": "int64",
                "pattern": ID_OR_EMPTY_PATTERN,
                "description": "Id of the entity to change; without it one is created.",
            })),
        );
        properties.extend(dates());
    }
    let purpose = match body {
        Body::Create => ", to be created",
        Body::Update => ", as far as it is to be changed: absent fields keep their value, null clears",
        Body::Upsert => ", to be created or changed",
    };
    let mut schema = json!({"description": sentence(spec, purpose), "type": "object", "properties": properties});
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    // Artifacts may carry unknown fields, except where model artifacts are served alone.
    if spec.artifact_type.is_none() {
        schema["additionalProperties"] = false.into();
    }
    schema
}

/// The schema of a field's value.
fn value(field: &Field, version: ApiVersion) -> Value {
    let mut schema = match field.shape {
        Shape::String => json!({"type": "string"}),
        Shape::Uri => json!({"type": "string", "format": "uri"}),
        Shape::StringList => json!({"type": "array", "items": {"type": "string"}}),
        Shape::Enumeration(enumeration) => json!({"allOf": [reference("schemas", enumeration.name)]}),
        Shape::Double => json!({"type": "number", "format": "double"}),
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

/// Adds the limits of what is accepted, which what is answered need not repeat.
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
    json!({"type": "string", "default": artifact_type, "description": "The kind of artifact."})
}

fn enumeration(field: &Field) -> Option<(&'static str, Value)> {
    let Shape::Enumeration(enumeration) = field.shape else { return None };
    let mut schema = json!({"type": "string", "enum": enumeration.members});
    if let Some(default) = enumeration.default {
        schema["default"] = default.into();
    }
    Some((enumeration.name, schema))
}

/// One of the kinds of artifact, told apart by `artifactType`.
fn union(suffix: &str, version: ApiVersion) -> Value {
    let members = Kind::ARTIFACTS.map(Kind::spec).map(|spec| {
        let schema = reference("schemas", &name(&format!("{}{suffix}", spec.schema), version));
        (spec.artifact_type.unwrap_or_default().to_owned(), schema)
    });
    let mapping: Map<_, _> = members.iter().map(|(kind, schema)| (kind.clone(), schema["$ref"].clone())).collect();
    let schemas = members.map(|(_, schema)| schema);
    json!({"oneOf": schemas, "discriminator": {"propertyName": "artifactType", "mapping": mapping}})
}

/// What all artifacts answer with.
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
    let article = if spec.label.starts_with(['a', 'e', 'i', 'o', 'u']) { "An" } else { "A" };
    format!("{article} {}{purpose}.", spec.label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_schemas_that_say_so_differ_between_versions() {
        let (alpha, v1) = (all(ApiVersion::V1Alpha3), all(ApiVersion::V1));
        for (name, schema) in &v1 {
            match name.strip_suffix("V1") {
                Some(base) => assert_ne!(schema, &alpha[base], "{name}"),
                None => assert_eq!(schema, &alpha[name], "{name}"),
            }
        }
    }
}
