//! Checks custom properties: a map of tagged values, each brought into the one form that is stored and answered.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model_registry_server::ApiError;
use serde_json::{Map, Value, json};

use super::field::kind_of;
use super::{KEY_LIMIT, check_length, limits};

const TYPES: &str = "MetadataStringValue, MetadataIntValue, MetadataDoubleValue, MetadataBoolValue, \
                     MetadataStructValue or MetadataProtoValue";

/// `None` for null, which keeps what is there (parity, registry-server 2.4).
pub(super) fn check(value: Value) -> Result<Option<Map<String, Value>>, ApiError> {
    let properties = match value {
        Value::Null => return Ok(None),
        Value::Object(properties) => properties,
        other => {
            return Err(ApiError::Invalid(format!(
                "field `customProperties` must be an object, not {}",
                kind_of(&other)
            )));
        }
    };
    if properties.len() > limits::CUSTOM_PROPERTIES {
        return Err(ApiError::Invalid(format!(
            "`customProperties` has more than {} entries",
            limits::CUSTOM_PROPERTIES
        )));
    }
    properties
        .into_iter()
        .map(|(name, value)| {
            check_length("customProperties key", &name, KEY_LIMIT)?;
            let value = check_value(&name, &value)?;
            Ok((name, value))
        })
        .collect::<Result<_, _>>()
        .map(Some)
}

fn check_value(name: &str, value: &Value) -> Result<Value, ApiError> {
    let Some(object) = value.as_object() else {
        return Err(invalid(name, &format!("must be an object with `metadataType`, not {}", kind_of(value))));
    };
    let member = |wanted: &str| {
        object.iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map_or(&Value::Null, |(_, value)| value)
    };
    let expected = |field: &str, expected: &str| {
        let found = member(field);
        let found = if found.is_null() { "missing" } else { kind_of(found) };
        invalid(name, &format!("`{field}` must be {expected}, and is {found}"))
    };
    let text = |field: &str| member(field).as_str().ok_or_else(|| expected(field, "a string"));
    let kind = member("metadataType").as_str().unwrap_or_default();
    Ok(match kind {
        "MetadataStringValue" => json!({"metadataType": kind, "string_value": text("string_value")?}),
        "MetadataIntValue" => {
            let number: i64 =
                text("int_value")?.parse().map_err(|_| invalid(name, "`int_value` is no 64-bit integer"))?;
            json!({"metadataType": kind, "int_value": number.to_string()})
        }
        "MetadataDoubleValue" => {
            let number = member("double_value").as_f64().ok_or_else(|| expected("double_value", "a number"))?;
            json!({"metadataType": kind, "double_value": number})
        }
        "MetadataBoolValue" => {
            let flag = member("bool_value").as_bool().ok_or_else(|| expected("bool_value", "a boolean"))?;
            json!({"metadataType": kind, "bool_value": flag})
        }
        "MetadataStructValue" => {
            json!({"metadataType": kind, "struct_value": base64(name, "struct_value", text("struct_value")?)?})
        }
        "MetadataProtoValue" => json!({
            "metadataType": kind,
            "type": text("type")?,
            "proto_value": base64(name, "proto_value", text("proto_value")?)?,
        }),
        "" => return Err(invalid(name, &format!("`metadataType` not found: use {TYPES}"))),
        other => return Err(invalid(name, &format!("`metadataType` `{other}` is not known: use {TYPES}"))),
    })
}

/// Checked, but kept as it was sent: what a client stored it gets back.
fn base64<'a>(name: &str, field: &str, text: &'a str) -> Result<&'a str, ApiError> {
    match STANDARD.decode(text) {
        Ok(_) => Ok(text),
        Err(error) => Err(invalid(name, &format!("`{field}` is not base64: {error}"))),
    }
}

fn invalid(name: &str, reason: &str) -> ApiError {
    ApiError::Invalid(format!("custom property `{name}`: {reason}"))
}
