use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Values of one's own, by name.
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub enum MetadataValue {
    Text(String),
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
    /// One of a type that this version does not know, as it came.
    Other(Map<String, Value>),
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "metadataType")]
enum Wire {
    #[serde(rename = "MetadataStringValue")]
    Text { string_value: String },
    #[serde(rename = "MetadataIntValue")]
    Int { int_value: String },
    #[serde(rename = "MetadataDoubleValue")]
    Double { double_value: f64 },
    #[serde(rename = "MetadataBoolValue")]
    Bool { bool_value: bool },
    #[serde(rename = "MetadataStructValue")]
    Struct { struct_value: String },
    #[serde(rename = "MetadataProtoValue")]
    Proto {
        #[serde(rename = "type")]
        type_name: String,
        proto_value: String,
    },
    #[serde(untagged)]
    Other(Map<String, Value>),
}

impl From<Wire> for MetadataValue {
    fn from(wire: Wire) -> Self {
        match wire {
            Wire::Text { string_value } => Self::Text(string_value),
            Wire::Int { int_value } => match int_value.parse() {
                Ok(number) => Self::Int(number),
                Err(_) => Self::Other(Map::from_iter([
                    ("metadataType".to_owned(), Value::from("MetadataIntValue")),
                    ("int_value".to_owned(), Value::from(int_value)),
                ])),
            },
            Wire::Double { double_value } => Self::Double(double_value),
            Wire::Bool { bool_value } => Self::Bool(bool_value),
            Wire::Struct { struct_value } => Self::Struct(struct_value),
            Wire::Proto { type_name, proto_value } => Self::Proto { type_name, value: proto_value },
            Wire::Other(map) => Self::Other(map),
        }
    }
}

impl From<MetadataValue> for Wire {
    fn from(value: MetadataValue) -> Self {
        match value {
            MetadataValue::Text(string_value) => Self::Text { string_value },
            MetadataValue::Int(number) => Self::Int { int_value: number.to_string() },
            MetadataValue::Double(double_value) => Self::Double { double_value },
            MetadataValue::Bool(bool_value) => Self::Bool { bool_value },
            MetadataValue::Struct(struct_value) => Self::Struct { struct_value },
            MetadataValue::Proto { type_name, value } => Self::Proto { type_name, proto_value: value },
            MetadataValue::Other(map) => Self::Other(map),
        }
    }
}

/// The bare value, for people.
impl fmt::Display for MetadataValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Struct(text) | Self::Proto { value: text, .. } => formatter.write_str(text),
            Self::Int(number) => write!(formatter, "{number}"),
            // With its point, so that it reads as the double it is.
            Self::Double(number) => write!(formatter, "{number:?}"),
            Self::Bool(flag) => write!(formatter, "{flag}"),
            Self::Other(map) => formatter.write_str(&serde_json::to_string(map).unwrap_or_default()),
        }
    }
}

impl From<&str> for MetadataValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for MetadataValue {
    fn from(text: String) -> Self {
        Self::Text(text)
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
