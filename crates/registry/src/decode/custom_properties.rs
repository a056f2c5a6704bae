//! Checks the custom properties of a body and normalises each to the form that is stored and returned.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model_registry_api::CustomProperty;
use model_registry_api::custom_property::{CustomPropertyError, json_type};
use model_registry_server::ApiError;
use serde_json::{Map, Value};

use super::{KEY_LIMIT, check_length, limits};

/// Returns `None` for null, which leaves the properties unchanged in a PATCH (parity: the Kubeflow Model Registry does so).
pub(super) fn check(value: Value) -> Result<Option<Map<String, Value>>, ApiError> {
    let properties = match value {
        Value::Null => return Ok(None),
        Value::Object(properties) => properties,
        other => {
            return Err(ApiError::Invalid(format!(
                "field `customProperties` must be an object, not {}",
                json_type(&other)
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
    let invalid = |reason: String| ApiError::Invalid(format!("custom property `{name}`: {reason}"));
    let members =
        value.as_object().ok_or_else(|| invalid(CustomPropertyError::NotAnObject(json_type(value)).to_string()))?;
    let member =
        |wanted: &str| members.iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value).into();
    let property = CustomProperty::decode(member).map_err(|error| invalid(error.to_string()))?;
    // Checked, but stored as sent: clients read back what they wrote.
    if let CustomProperty::Struct(encoded) | CustomProperty::Proto { value: encoded, .. } = property {
        STANDARD
            .decode(encoded)
            .map_err(|error| invalid(format!("`{}` is not base64: {error}", property.value_member())))?;
    }
    Ok(property.to_json())
}
