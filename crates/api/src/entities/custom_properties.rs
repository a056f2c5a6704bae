use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::CustomProperty;

/// Custom properties by name.
pub type CustomProperties = BTreeMap<String, MetadataValue>;

/// A value of a custom property.
///
/// ```
/// use model_registry_api::entities::MetadataValue;
///
/// let value = MetadataValue::from(42);
/// assert_eq!(serde_json::to_string(&value)?, r#"{"metadataType":"MetadataIntValue","int_value":"42"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum MetadataValue {
    String(String),
    Int(i64),
    Double(f64),
    Bool(bool),
    /// A JSON object, encoded in base64.
    Struct(String),
    /// A protocol buffers message: its type, and its bytes encoded in base64.
    Proto {
        type_name: String,
        value: String,
    },
    /// The wire form of a value whose type this version does not know.
    Other(Map<String, Value>),
}

impl From<CustomProperty<'_>> for MetadataValue {
    fn from(property: CustomProperty<'_>) -> Self {
        match property {
            CustomProperty::String(string) => Self::String(string.to_owned()),
            CustomProperty::Int(number) => Self::Int(number),
            CustomProperty::Double(number) => Self::Double(number),
            CustomProperty::Bool(flag) => Self::Bool(flag),
            CustomProperty::Struct(string) => Self::Struct(string.to_owned()),
            CustomProperty::Proto { type_name, value } => {
                Self::Proto { type_name: type_name.to_owned(), value: value.to_owned() }
            }
        }
    }
}

impl<'de> Deserialize<'de> for MetadataValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Map::deserialize(deserializer)?;
        let known = CustomProperty::decode(|name| members.get(name).into()).map(Self::from);
        Ok(known.unwrap_or(Self::Other(members)))
    }
}

impl Serialize for MetadataValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let property = match self {
            Self::String(string) => CustomProperty::String(string),
            Self::Int(number) => CustomProperty::Int(*number),
            Self::Double(number) => CustomProperty::Double(*number),
            Self::Bool(flag) => CustomProperty::Bool(*flag),
            Self::Struct(string) => CustomProperty::Struct(string),
            Self::Proto { type_name, value } => CustomProperty::Proto { type_name, value },
            Self::Other(members) => return members.serialize(serializer),
        };
        property.serialize(serializer)
    }
}

/// Writes the value alone, without its type.
impl fmt::Display for MetadataValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(string) | Self::Struct(string) | Self::Proto { value: string, .. } => {
                formatter.write_str(string)
            }
            Self::Int(number) => write!(formatter, "{number}"),
            // With its decimal point, so that it reads as a double.
            Self::Double(number) => match crate::double::name(*number) {
                Some(name) => formatter.write_str(name),
                None => write!(formatter, "{number:?}"),
            },
            Self::Bool(flag) => write!(formatter, "{flag}"),
            Self::Other(map) => formatter.write_str(&serde_json::to_string(map).unwrap_or_default()),
        }
    }
}

impl From<&str> for MetadataValue {
    fn from(string: &str) -> Self {
        Self::String(string.to_owned())
    }
}

impl From<String> for MetadataValue {
    fn from(string: String) -> Self {
        Self::String(string)
    }
}

impl From<i64> for MetadataValue {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for MetadataValue {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

impl From<bool> for MetadataValue {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}
