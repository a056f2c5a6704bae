//! The value of a custom property: its wire form is decoded and encoded here and nowhere else.
//!
//! The wire form is a JSON object with the type and the value under a name that belongs to the type, for example
//! `{"metadataType": "MetadataIntValue", "int_value": "7"}`. Unknown members are ignored.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::double;

const TYPE: &str = "metadataType";

/// The `metadataType` of each type, and the member that carries its value.
const STRING: (&str, &str) = ("MetadataStringValue", "string_value");
const INT: (&str, &str) = ("MetadataIntValue", "int_value");
const DOUBLE: (&str, &str) = ("MetadataDoubleValue", "double_value");
const BOOL: (&str, &str) = ("MetadataBoolValue", "bool_value");
const STRUCT: (&str, &str) = ("MetadataStructValue", "struct_value");
const PROTO: (&str, &str) = ("MetadataProtoValue", "proto_value");
/// The further member of [`PROTO`].
const PROTO_TYPE: &str = "type";

/// A decoded value, borrowed from its source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CustomProperty<'a> {
    String(&'a str),
    /// A decimal string on the wire.
    Int(i64),
    /// NaN and infinities are strings on the wire.
    Double(f64),
    Bool(bool),
    /// A JSON document in base64; not decoded here.
    Struct(&'a str),
    /// A protocol buffers message: its type, and its bytes in base64; not decoded here.
    Proto {
        type_name: &'a str,
        value: &'a str,
    },
}

/// A member of the wire form, as its source (a JSON object, an entry of a YAML file) has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Member<'a> {
    /// Absent or null.
    Missing,
    String(&'a str),
    Number(f64),
    Bool(bool),
    /// An array or an object.
    Other(&'static str),
}

/// Why a wire form is not a custom property. The message continues the name of the property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomPropertyError {
    /// The value is not an object, but of this JSON type.
    NotAnObject(&'static str),
    /// `metadataType` is missing, empty or not a string.
    MissingType,
    UnknownType(String),
    /// The member that carries the value is missing or has another JSON type.
    Member {
        member: &'static str,
        expected: &'static str,
        found: &'static str,
    },
    /// `int_value` is not a decimal 64-bit integer.
    NotAnInteger,
}

impl<'a> CustomProperty<'a> {
    /// Decodes a wire form with a function that looks up its members.
    pub fn decode(member: impl Fn(&'static str) -> Member<'a>) -> Result<Self, CustomPropertyError> {
        let mismatch = |name, expected, found: Member<'_>| CustomPropertyError::Member {
            member: name,
            expected,
            found: found.json_type(),
        };
        let string = |name| match member(name) {
            Member::String(value) => Ok(value),
            other => Err(mismatch(name, "a string", other)),
        };
        let metadata_type = match member(TYPE) {
            Member::String(name) if !name.is_empty() => name,
            _ => return Err(CustomPropertyError::MissingType),
        };
        if metadata_type == STRING.0 {
            string(STRING.1).map(Self::String)
        } else if metadata_type == INT.0 {
            string(INT.1)?.parse().map(Self::Int).map_err(|_| CustomPropertyError::NotAnInteger)
        } else if metadata_type == DOUBLE.0 {
            match member(DOUBLE.1) {
                Member::Number(number) => Ok(Self::Double(number)),
                Member::String(name) if let Some(number) = double::from_name(name) => Ok(Self::Double(number)),
                other => Err(mismatch(DOUBLE.1, double::EXPECTED, other)),
            }
        } else if metadata_type == BOOL.0 {
            match member(BOOL.1) {
                Member::Bool(flag) => Ok(Self::Bool(flag)),
                other => Err(mismatch(BOOL.1, "a boolean", other)),
            }
        } else if metadata_type == STRUCT.0 {
            string(STRUCT.1).map(Self::Struct)
        } else if metadata_type == PROTO.0 {
            Ok(Self::Proto { type_name: string(PROTO_TYPE)?, value: string(PROTO.1)? })
        } else {
            Err(CustomPropertyError::UnknownType(metadata_type.to_owned()))
        }
    }

    /// Decodes a JSON value. Names of members match exactly.
    pub fn from_json(value: &'a Value) -> Result<Self, CustomPropertyError> {
        let members = value.as_object().ok_or_else(|| CustomPropertyError::NotAnObject(json_type(value)))?;
        Self::decode(|name| members.get(name).into())
    }

    /// A custom property of a document by its name; `None` where the document lacks it or it cannot be decoded.
    pub fn of(document: &'a Map<String, Value>, name: &str) -> Option<Self> {
        Self::from_json(document.get("customProperties")?.get(name)?).ok()
    }

    /// The value of `metadataType`, and the member that carries the value.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::String(_) => STRING,
            Self::Int(_) => INT,
            Self::Double(_) => DOUBLE,
            Self::Bool(_) => BOOL,
            Self::Struct(_) => STRUCT,
            Self::Proto { .. } => PROTO,
        }
    }

    /// The value of `metadataType`.
    pub const fn metadata_type(self) -> &'static str {
        self.names().0
    }

    /// The name of the member that carries the value.
    pub const fn value_member(self) -> &'static str {
        self.names().1
    }

    /// The wire form as a JSON value.
    pub fn to_json(self) -> Value {
        let (metadata_type, member) = self.names();
        let value = match self {
            Self::String(string) | Self::Struct(string) | Self::Proto { value: string, .. } => string.into(),
            Self::Int(number) => number.to_string().into(),
            Self::Double(number) => double::to_json(number),
            Self::Bool(flag) => flag.into(),
        };
        let mut object = Map::new();
        object.insert(TYPE.to_owned(), metadata_type.into());
        object.insert(member.to_owned(), value);
        if let Self::Proto { type_name, .. } = self {
            object.insert(PROTO_TYPE.to_owned(), type_name.into());
        }
        Value::Object(object)
    }

    /// An integer or double as a double; `None` for other types.
    pub fn as_f64(self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "what JSON readers do with large integers")]
            Self::Int(number) => Some(number as f64),
            Self::Double(number) => Some(number),
            _ => None,
        }
    }
}

/// Writes the wire form, the type first.
impl Serialize for CustomProperty<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (metadata_type, member) = self.names();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(TYPE, metadata_type)?;
        match self {
            Self::String(string) | Self::Struct(string) => map.serialize_entry(member, string)?,
            Self::Int(number) => map.serialize_entry(member, &number.to_string())?,
            Self::Double(number) => map.serialize_entry(member, &double::Wire(*number))?,
            Self::Bool(flag) => map.serialize_entry(member, flag)?,
            Self::Proto { type_name, value } => {
                map.serialize_entry(PROTO_TYPE, type_name)?;
                map.serialize_entry(member, value)?;
            }
        }
        map.end()
    }
}

impl<'a> From<Option<&'a Value>> for Member<'a> {
    fn from(value: Option<&'a Value>) -> Self {
        match value {
            None | Some(Value::Null) => Self::Missing,
            Some(Value::String(string)) => Self::String(string),
            Some(Value::Number(number)) => number.as_f64().map_or(Self::Missing, Self::Number),
            Some(Value::Bool(flag)) => Self::Bool(*flag),
            Some(other) => Self::Other(json_type(other)),
        }
    }
}

impl Member<'_> {
    const fn json_type(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::String(_) => "a string",
            Self::Number(_) => "a number",
            Self::Bool(_) => "a boolean",
            Self::Other(json_type) => json_type,
        }
    }
}

/// The JSON type of a value with its article, for error messages: `a string`.
pub fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

impl std::error::Error for CustomPropertyError {}

impl std::fmt::Display for CustomPropertyError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const TYPES: &str = "MetadataStringValue, MetadataIntValue, MetadataDoubleValue, MetadataBoolValue, \
                             MetadataStructValue or MetadataProtoValue";
        match self {
            Self::NotAnObject(found) => write!(formatter, "must be an object with `{TYPE}`, not {found}"),
            Self::MissingType => write!(formatter, "`{TYPE}` not found: use {TYPES}"),
            Self::UnknownType(name) => write!(formatter, "`{TYPE}` `{name}` is not known: use {TYPES}"),
            Self::Member { member, expected, found } => {
                write!(formatter, "`{member}` must be {expected}, and is {found}")
            }
            Self::NotAnInteger => write!(formatter, "`{}` is not a 64-bit integer", INT.1),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_type_is_decoded_and_encoded_alike() {
        for (property, wire) in [
            (CustomProperty::String("x"), r#"{"metadataType":"MetadataStringValue","string_value":"x"}"#),
            (CustomProperty::Int(-7), r#"{"metadataType":"MetadataIntValue","int_value":"-7"}"#),
            (CustomProperty::Double(0.5), r#"{"metadataType":"MetadataDoubleValue","double_value":0.5}"#),
            (
                CustomProperty::Double(f64::NEG_INFINITY),
                r#"{"metadataType":"MetadataDoubleValue","double_value":"-Infinity"}"#,
            ),
            (CustomProperty::Bool(true), r#"{"metadataType":"MetadataBoolValue","bool_value":true}"#),
            (CustomProperty::Struct("e30="), r#"{"metadataType":"MetadataStructValue","struct_value":"e30="}"#),
            (
                CustomProperty::Proto { type_name: "t", value: "AA==" },
                r#"{"metadataType":"MetadataProtoValue","type":"t","proto_value":"AA=="}"#,
            ),
        ] {
            let value: Value = serde_json::from_str(wire).unwrap();
            assert_eq!(CustomProperty::from_json(&value), Ok(property));
            assert_eq!(property.to_json(), value);
            assert_eq!(serde_json::to_string(&property).unwrap(), wire);
        }
    }

    #[test]
    fn integers_are_normalised_and_unknown_members_ignored() {
        let value = json!({"metadataType": "MetadataIntValue", "int_value": "+007", "string_value": 1, "unit": "s"});
        assert_eq!(CustomProperty::from_json(&value), Ok(CustomProperty::Int(7)));
        let whole = json!({"metadataType": "MetadataDoubleValue", "double_value": 1});
        assert_eq!(CustomProperty::from_json(&whole).unwrap().to_json()["double_value"], json!(1.0));
    }

    #[test]
    fn errors_name_the_member_and_both_types() {
        for (value, message) in [
            (json!("x"), "must be an object with `metadataType`, not a string"),
            (json!({}), "`metadataType` not found: use MetadataStringValue, "),
            (json!({"metadataType": ""}), "`metadataType` not found: use "),
            (json!({"metadataType": "Text"}), "`metadataType` `Text` is not known: use "),
            (json!({"metadataType": "MetadataStringValue"}), "`string_value` must be a string, and is missing"),
            (
                json!({"metadataType": "MetadataIntValue", "int_value": 7}),
                "`int_value` must be a string, and is a number",
            ),
            (json!({"metadataType": "MetadataIntValue", "int_value": "7.0"}), "`int_value` is not a 64-bit integer"),
            (
                json!({"metadataType": "MetadataBoolValue", "bool_value": []}),
                "`bool_value` must be a boolean, and is an array",
            ),
        ] {
            let error = CustomProperty::from_json(&value).unwrap_err().to_string();
            assert!(error.starts_with(message), "{value}: {error}");
        }
    }

    #[test]
    fn a_property_is_found_in_a_document() {
        let document = json!({"customProperties": {"n": {"metadataType": "MetadataIntValue", "int_value": "7"}}});
        let document = document.as_object().unwrap();
        assert_eq!(CustomProperty::of(document, "n").and_then(CustomProperty::as_f64), Some(7.0));
        assert_eq!(CustomProperty::of(document, "m"), None);
    }
}
