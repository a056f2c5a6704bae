//! Custom properties of data files.

use std::collections::BTreeMap;

use model_registry_api::CustomProperty;
use model_registry_api::custom_property::{CustomPropertyError, Member};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::item_fields::LONGEST_NAME;
use crate::yaml::{Tolerant, Violation};

/// Longest name: filters use it with one of these endings.
const LONGEST_PROPERTY_NAME: usize = LONGEST_NAME - ".array_value".len();

/// A custom property as authors write it. Values of strings may be plain numbers.
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

/// By name. One that cannot be read is left out alone.
pub(crate) type CustomProperties = BTreeMap<String, Tolerant<PropertyEntry>>;

impl PropertyEntry {
    fn member(&self, name: &str) -> Member<'_> {
        let string = match name {
            "metadataType" => &self.metadata_type,
            "string_value" => &self.string_value,
            "int_value" => {
                return self.int_value.as_deref().map_or(Member::Missing, |text| Member::String(text.trim()));
            }
            "double_value" => return self.double_value.map_or(Member::Missing, Member::Number),
            "bool_value" => return self.bool_value.map_or(Member::Missing, Member::Bool),
            "struct_value" => &self.struct_value,
            "proto_value" => &self.proto_value,
            "type" => &self.proto_type,
            _ => &None,
        };
        string.as_deref().map_or(Member::Missing, Member::String)
    }

    fn decode(&self) -> Result<CustomProperty<'_>, CustomPropertyError> {
        CustomProperty::decode(|name| self.member(name))
    }
}

/// Encodes custom properties into their wire form. `notices` receives those that are left out, and those that are published
/// in another form.
pub(crate) fn encode(properties: Option<&CustomProperties>, notices: &mut Vec<Violation>) -> Map<String, Value> {
    let mut wire = Map::new();
    for (name, Tolerant(entry)) in properties.into_iter().flatten() {
        let mut notice = |reason: String| {
            notices.push(Violation::from(reason).in_key(name).in_key("customProperties"));
        };
        match encode_one(name, entry.as_ref()) {
            Ok(value) => {
                wire.insert(name.clone(), value);
            }
            Err(Unusable::LeftOut(reason)) => notice(format!("{reason}: it is left out")),
            // parity: the Kubeflow Model Registry publishes it as a string.
            Err(Unusable::NotAnInteger(text)) => {
                notice(format!("custom property `{name}`: published as a string: `int_value` is not a whole number"));
                wire.insert(name.clone(), CustomProperty::String(text).to_json());
            }
        }
    }
    wire
}

/// Why a custom property is not published as it is written.
enum Unusable<'a> {
    LeftOut(String),
    /// The text of its `int_value`.
    NotAnInteger(&'a str),
}

fn encode_one<'a>(name: &str, entry: Result<&'a PropertyEntry, &String>) -> Result<Value, Unusable<'a>> {
    check_property_name(name).map_err(Unusable::LeftOut)?;
    let left_out = |reason: &dyn std::fmt::Display| Unusable::LeftOut(format!("custom property `{name}`: {reason}"));
    let entry = entry.map_err(|reason| left_out(reason))?;
    match entry.decode() {
        // JSON has no such number.
        Ok(CustomProperty::Double(number)) if !number.is_finite() => Err(left_out(&"`double_value` is not finite")),
        Ok(property) => Ok(property.to_json()),
        Err(CustomPropertyError::NotAnInteger) => {
            Err(Unusable::NotAnInteger(entry.int_value.as_deref().unwrap_or_default()))
        }
        Err(error) => Err(left_out(&error)),
    }
}

/// Inserts custom properties into a document; none at all if there are none.
pub(crate) fn insert_unless_empty(
    document: &mut Map<String, Value>,
    properties: Option<&CustomProperties>,
    notices: &mut Vec<Violation>,
) {
    let wire = encode(properties, notices);
    if !wire.is_empty() {
        document.insert("customProperties".to_owned(), wire.into());
    }
}

/// Checks that filters can use a name.
pub(crate) fn check_property_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.chars().count() > LONGEST_PROPERTY_NAME {
        return Err(format!("custom property `{name}`: a name has 1 to {LONGEST_PROPERTY_NAME} characters"));
    }
    if name.contains('\0') {
        return Err(format!("custom property `{name}`: the name contains a null character"));
    }
    Ok(())
}
