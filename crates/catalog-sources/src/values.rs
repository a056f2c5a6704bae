//! Pieces that models, artifacts and servers share: custom properties, times, artifact addresses.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::yaml::Breach;

/// The longest name or key that the database keeps.
pub(crate) const LONGEST_NAME: usize = 255;

const SCHEMES: [&str; 7] = ["oci", "http", "https", "s3", "gs", "az", "file"];

/// A custom property as a file writes it. Plain numbers are taken for texts where the API wants texts.
#[derive(Debug, Deserialize)]
pub(crate) struct PropertyEntry {
    #[serde(rename = "metadataType")]
    metadata_type: Option<String>,
    string_value: Option<String>,
    int_value: Option<String>,
    double_value: Option<f64>,
    bool_value: Option<bool>,
    struct_value: Option<String>,
    proto_value: Option<String>,
    #[serde(rename = "type")]
    proto_type: Option<String>,
}

impl PropertyEntry {
    fn to_wire(&self) -> Result<Value, String> {
        let missing = |field: &str| format!("lacks `{field}`");
        let kind = self.metadata_type.as_deref().ok_or_else(|| missing("metadataType"))?;
        let mut wire = match kind {
            "MetadataStringValue" => {
                json!({"string_value": self.string_value.as_deref().ok_or_else(|| missing("string_value"))?})
            }
            "MetadataIntValue" => {
                let text = self.int_value.as_deref().ok_or_else(|| missing("int_value"))?;
                // parity (catalog-service 1.4): what is no whole number is kept as a text.
                let Ok(number) = text.trim().parse::<i64>() else { return Ok(text_property(text)) };
                json!({"int_value": number.to_string()})
            }
            "MetadataDoubleValue" => {
                let number = self.double_value.ok_or_else(|| missing("double_value"))?;
                if !number.is_finite() {
                    return Err("`double_value` is not finite".to_owned());
                }
                json!({"double_value": number})
            }
            "MetadataBoolValue" => json!({"bool_value": self.bool_value.ok_or_else(|| missing("bool_value"))?}),
            "MetadataStructValue" => {
                json!({"struct_value": self.struct_value.as_deref().ok_or_else(|| missing("struct_value"))?})
            }
            "MetadataProtoValue" => json!({
                "type": self.proto_type.as_deref().ok_or_else(|| missing("type"))?,
                "proto_value": self.proto_value.as_deref().ok_or_else(|| missing("proto_value"))?,
            }),
            other => return Err(format!("has the unknown metadataType `{other}`")),
        };
        wire["metadataType"] = kind.into();
        Ok(wire)
    }
}

pub(crate) type Properties = BTreeMap<String, PropertyEntry>;

/// The custom properties as a response carries them; `notices` get what is worth telling of them.
pub(crate) fn custom_properties(
    properties: &Properties,
    notices: &mut Vec<Breach>,
) -> Result<Map<String, Value>, Breach> {
    let mut wire = Map::new();
    let here = |name: &str, reason: String| Breach::from(reason).in_key(name).in_key("customProperties");
    for (name, entry) in properties {
        check_property_name(name).map_err(|reason| here(name, reason))?;
        let value = entry.to_wire().map_err(|reason| here(name, format!("custom property `{name}` {reason}")))?;
        if entry.int_value.is_some() && value["metadataType"] != entry.metadata_type.as_deref().unwrap_or_default() {
            let reason = format!("custom property `{name}` is kept as a text: `int_value` is no whole number");
            notices.push(here(name, reason));
        }
        wire.insert(name.clone(), value);
    }
    Ok(wire)
}

/// Refuses names that filters could not use.
pub(crate) fn check_property_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.chars().count() > LONGEST_NAME - ".array_value".len() {
        return Err(format!("custom property `{name}`: a name has 1 to 243 characters"));
    }
    if name.contains('\0') {
        return Err(format!("custom property `{name}`: the name contains a null character"));
    }
    Ok(())
}

pub(crate) fn text_property(text: &str) -> Value {
    json!({"metadataType": "MetadataStringValue", "string_value": text})
}

pub(crate) fn double_property(number: f64) -> Value {
    json!({"metadataType": "MetadataDoubleValue", "double_value": number})
}

pub(crate) fn int_property(number: i64) -> Value {
    json!({"metadataType": "MetadataIntValue", "int_value": number.to_string()})
}

/// Milliseconds since the Unix epoch, written as a text.
pub(crate) fn millis(field: &str, text: Option<&str>) -> Result<Option<i64>, Breach> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let not_millis = |_| Breach::from(format!("`{field}` is no number of milliseconds: {text}")).in_key(field);
    text.parse().map(Some).map_err(not_millis)
}

/// Refuses an artifact's address that no client could use.
pub(crate) fn check_artifact_uri(uri: &str) -> Result<(), String> {
    if uri.trim().is_empty() {
        return Err("artifact URI cannot be empty".to_owned());
    }
    let known = SCHEMES.join(" ");
    let Some((scheme, _)) = uri.split_once(':') else {
        return Err(format!("artifact URI \"{uri}\" must have a scheme (valid schemes: [{known}])"));
    };
    if SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    Err(format!("artifact URI \"{uri}\" has unsupported scheme \"{scheme}\" (valid schemes: [{known}])"))
}

/// Refuses names that cannot be stored or addressed.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err("the name is empty".to_owned());
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(format!("the name is longer than {LONGEST_NAME} characters"));
    }
    if name.contains('\0') {
        return Err("the name contains a null character".to_owned());
    }
    Ok(())
}

/// Puts a text into a document where there is one.
pub(crate) fn put(document: &mut Map<String, Value>, field: &str, text: Option<&str>) {
    if let Some(text) = text {
        document.insert(field.to_owned(), text.into());
    }
}
