//! The metadata of created entities, from a mounted `ConfigMap`: one file per key, such as `RegisteredModel.name`.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model_registry_base::files;
use model_registry_client::{CustomProperties, MetadataValue};
use serde_json::Value;

use super::mistakes::Mistakes;

/// The fields of each entity, in snake case. Keys in camel case, which the user interface writes, mean the same.
const FIELDS: [(&str, &[&str]); 3] = [
    ("RegisteredModel", &["name", "id", "description", "owner"]),
    ("ModelVersion", &["name", "id", "description", "author"]),
    (
        "ModelArtifact",
        &[
            "name",
            "id",
            "description",
            "model_format_name",
            "model_format_version",
            "storage_key",
            "storage_path",
            "service_account_name",
            "model_source_kind",
            "model_source_class",
            "model_source_group",
            "model_source_id",
            "model_source_name",
        ],
    ),
];
const CUSTOM_PROPERTIES: &str = "custom_properties";

/// The fields and custom properties of one entity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    texts: BTreeMap<String, String>,
    pub custom_properties: CustomProperties,
}

impl Fields {
    /// A field that is not empty.
    pub fn get(&self, name: &str) -> Option<String> {
        self.texts.get(name).filter(|text| !text.is_empty()).cloned()
    }
}

/// The metadata of all entities; `None` for one without any key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    pub registered_model: Option<Fields>,
    pub model_version: Option<Fields>,
    pub model_artifact: Option<Fields>,
    /// Keys that are not known, for a warning.
    pub ignored: Vec<String>,
}

impl Metadata {
    /// Reads the files of a directory. `option` names it in mistakes.
    pub(super) fn read(directory: &Path, option: &str, mistakes: &mut Mistakes) -> Self {
        let mut keys = BTreeMap::new();
        let paths = match files::entries(directory) {
            Ok(paths) => paths,
            Err(error) => {
                mistakes.add(option, format!("Failed to load ConfigMap metadata: {}: {error}", directory.display()));
                return Self::default();
            }
        };
        for path in paths {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            // `..data` and the directory that it links to.
            if name.starts_with("..") || files::is_directory(&path) {
                continue;
            }
            match files::read_text(&path, files::LARGEST_SETTINGS) {
                Ok(text) => drop(keys.insert(name, text.trim().to_owned())),
                Err(error) => mistakes.add(option, format!("cannot read {}: {error}", path.display())),
            }
        }
        Self::of_keys(keys, option, mistakes)
    }

    fn of_keys(keys: BTreeMap<String, String>, option: &str, mistakes: &mut Mistakes) -> Self {
        let mut metadata = Self::default();
        for (key, text) in keys {
            let known = key.split_once('.').and_then(|(entity, field)| {
                let (_, fields) = FIELDS.iter().find(|(name, _)| *name == entity)?;
                let field = snake_case(field);
                (field == CUSTOM_PROPERTIES || fields.contains(&field.as_str())).then_some((entity, field))
            });
            let Some((entity, field)) = known else {
                metadata.ignored.push(key);
                continue;
            };
            let entity = match entity {
                "RegisteredModel" => &mut metadata.registered_model,
                "ModelVersion" => &mut metadata.model_version,
                _ => &mut metadata.model_artifact,
            };
            let entity = entity.get_or_insert_default();
            if field == CUSTOM_PROPERTIES {
                match custom_properties(&text) {
                    Ok(properties) => entity.custom_properties.extend(properties),
                    Err(reasons) => reasons.iter().for_each(|reason| mistakes.add(option, format!("{key}: {reason}"))),
                }
            } else {
                entity.texts.insert(field, text);
            }
        }
        metadata
    }
}

/// `customProperties` is `custom_properties`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

/// Custom properties as JSON: values, or the objects of the API with `metadataType`.
fn custom_properties(text: &str) -> Result<CustomProperties, Vec<String>> {
    let values: Value = serde_json::from_str(text).map_err(|error| {
        vec![format!("Failed to parse JSON: line {}, column {}: {error}", error.line(), error.column())]
    })?;
    let Value::Object(values) = values else {
        return Err(vec!["the custom properties are not a JSON object".to_owned()]);
    };
    let (mut properties, mut reasons) = (CustomProperties::new(), Vec::new());
    for (name, value) in values {
        match property(value) {
            Ok(value) => drop(properties.insert(name, value)),
            Err(reason) => reasons.push(format!("custom property `{name}`: {reason}")),
        }
    }
    if reasons.is_empty() { Ok(properties) } else { Err(reasons) }
}

fn property(value: Value) -> Result<MetadataValue, String> {
    Ok(match value {
        Value::Bool(flag) => MetadataValue::Bool(flag),
        Value::String(text) => MetadataValue::String(text),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => MetadataValue::Int(integer),
            None if number.is_f64() => MetadataValue::Double(number.as_f64().unwrap_or_default()),
            None => return Err(format!("{number} does not fit into 64 bits")),
        },
        Value::Object(members) if members.contains_key("metadataType") => {
            match serde_json::from_value(Value::Object(members)) {
                Ok(MetadataValue::Other(_)) => return Err("its `metadataType` or its value is not known".to_owned()),
                Ok(value) => value,
                Err(error) => return Err(error.to_string()),
            }
        }
        // The registry keeps a JSON document as a struct, in base64.
        Value::Array(_) | Value::Object(_) => MetadataValue::Struct(STANDARD.encode(value.to_string())),
        Value::Null => return Err("null has no type: leave it out".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(keys: &[(&str, &str)]) -> (Metadata, Mistakes) {
        let directory = tempfile::tempdir().unwrap();
        // As the kubelet mounts it.
        let data = directory.path().join("..2026_08_01");
        std::fs::create_dir(&data).unwrap();
        std::os::unix::fs::symlink(&data, directory.path().join("..data")).unwrap();
        for (key, text) in keys {
            std::fs::write(data.join(key), text).unwrap();
            std::os::unix::fs::symlink(data.join(key), directory.path().join(key)).unwrap();
        }
        let mut mistakes = Mistakes::default();
        (Metadata::read(directory.path(), "--metadata", &mut mistakes), mistakes)
    }

    #[test]
    fn keys_of_samples_and_of_the_user_interface_are_read() {
        let (metadata, mistakes) = read(&[
            ("RegisteredModel.name", "fraud\n"),
            (
                "RegisteredModel.customProperties",
                r#"{"tier":{"metadataType":"MetadataStringValue","string_value":"gold"}}"#,
            ),
            ("ModelVersion.name", "v1"),
            ("ModelVersion.author", ""),
            ("ModelArtifact.model_format_name", "onnx"),
            ("ModelArtifact.modelFormatVersion", "1"),
            ("ModelArtifact.description", "d"),
            ("Unknown.key", "x"),
            ("ModelVersion.unknown", "x"),
        ]);
        assert!(mistakes.is_empty(), "{mistakes}");
        let (model, artifact) = (metadata.registered_model.unwrap(), metadata.model_artifact.unwrap());
        assert_eq!(model.get("name").as_deref(), Some("fraud"));
        assert_eq!(model.custom_properties["tier"], MetadataValue::from("gold"));
        assert_eq!(metadata.model_version.unwrap().get("author"), None);
        assert_eq!(artifact.get("model_format_name").as_deref(), Some("onnx"));
        assert_eq!(artifact.get("model_format_version").as_deref(), Some("1"));
        assert_eq!(artifact.get("description").as_deref(), Some("d"));
        assert_eq!(metadata.ignored, ["ModelVersion.unknown", "Unknown.key"]);
    }

    #[test]
    fn custom_properties_of_every_type_are_kept() {
        let text = r#"{"flag": true, "int": 438, "double": 0.95, "text": "v", "list": ["en", "de"], "object": {"a": 1},
            "typed": {"metadataType": "MetadataIntValue", "int_value": "9007199254740993"},
            "proto": {"metadataType": "MetadataProtoValue", "type": "t", "proto_value": "AA=="},
            "struct": {"metadataType": "MetadataStructValue", "struct_value": "e30="}}"#;
        let properties = custom_properties(text).unwrap();
        for (name, expected) in [
            ("flag", MetadataValue::Bool(true)),
            ("int", MetadataValue::Int(438)),
            ("double", MetadataValue::Double(0.95)),
            ("text", MetadataValue::from("v")),
            ("list", MetadataValue::Struct(STANDARD.encode(r#"["en","de"]"#))),
            ("object", MetadataValue::Struct(STANDARD.encode(r#"{"a":1}"#))),
            ("typed", MetadataValue::Int(9_007_199_254_740_993)),
            ("proto", MetadataValue::Proto { type_name: "t".to_owned(), value: "AA==".to_owned() }),
            ("struct", MetadataValue::Struct("e30=".to_owned())),
        ] {
            assert_eq!(properties[name], expected, "{name}");
        }
    }

    #[test]
    fn every_wrong_property_is_a_mistake_with_its_key() {
        let (_, mistakes) = read(&[
            ("ModelVersion.custom_properties", r#"{"a": null, "b": {"metadataType": "MetadataNoValue"}}"#),
            ("ModelArtifact.custom_properties", "not json"),
            ("RegisteredModel.custom_properties", "[1]"),
        ]);
        let text = mistakes.to_string();
        for part in [
            "4 mistakes",
            "ModelVersion.custom_properties: custom property `a`: null",
            "custom property `b`",
            "ModelArtifact.custom_properties: Failed to parse JSON",
            "RegisteredModel.custom_properties: the custom properties are not a JSON object",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
