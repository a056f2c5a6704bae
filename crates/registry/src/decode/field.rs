//! Checks a value against the shape of its field and converts it to its stored form.

use model_registry_api::custom_property::json_type;
use model_registry_api::{Field, Shape, double};
use model_registry_server::ApiError;
use serde_json::Value;

use super::{FieldInput, KEY_LIMIT, check_length, limits};

pub(super) fn check(field: &Field, value: Value) -> Result<FieldInput, ApiError> {
    // An empty id counts as absent; a required one is reported as missing later.
    let is_empty_id = field.shape == Shape::Id && !field.required && value.as_str() == Some("");
    if value.is_null() || is_empty_id {
        return Ok(FieldInput::Null);
    }
    let value = match field.shape {
        Shape::String | Shape::Uri | Shape::Id | Shape::EpochMillis => string(field, value)?,
        Shape::StringList => list(field, value)?,
        Shape::Enumeration(enumeration) => {
            let value = string(field, value)?;
            let member = value.as_str().unwrap_or_default();
            if !enumeration.members.contains(&member) {
                let known = enumeration.members.join(", ");
                let known = known.rsplit_once(", ").map_or(known.clone(), |(head, last)| format!("{head} or {last}"));
                return Err(ApiError::Invalid(format!("{member} is not a valid {}: use {known}", enumeration.name)));
            }
            value
        }
        Shape::Double => number(field, &value)?,
        Shape::Integer => integer(field, &value)?,
    };
    if field.name == "externalId" {
        check_length("externalId", value.as_str().unwrap_or_default(), KEY_LIMIT)?;
    }
    Ok(FieldInput::Value(value))
}

fn string(field: &Field, value: Value) -> Result<Value, ApiError> {
    if value.is_string() { Ok(value) } else { Err(mismatch(field.name, "a string", &value)) }
}

fn list(field: &Field, value: Value) -> Result<Value, ApiError> {
    match &value {
        Value::Array(items) if items.len() > limits::LIST => {
            Err(ApiError::Invalid(format!("`{}` has more than {} elements", field.name, limits::LIST)))
        }
        Value::Array(items) if items.iter().all(Value::is_string) => Ok(value),
        _ => Err(mismatch(field.name, "an array of strings", &value)),
    }
}

/// Stores every number as a double: `1` is returned as `1.0`, which clients do not mistake for an integer. NaN and infinities
/// are stored by name.
fn number(field: &Field, value: &Value) -> Result<Value, ApiError> {
    double::from_json(value).map(double::to_json).ok_or_else(|| mismatch(field.name, double::EXPECTED, value))
}

/// Each version writes integers in its own form and accepts both: clients of one are used with the other.
fn integer(field: &Field, value: &Value) -> Result<Value, ApiError> {
    let number = match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_i64().or_else(|| value.as_f64().and_then(whole)),
    };
    let expected = "a 64-bit integer, as a number or a string";
    number.map(Value::from).ok_or_else(|| mismatch(field.name, expected, value))
}

/// Accepts `5.0` as well: JSON does not distinguish it from `5`.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked: doubles are exact up to 2^53")]
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

fn mismatch(field: &str, expected: &str, value: &Value) -> ApiError {
    ApiError::Invalid(format!("field `{field}` must be {expected}, not {}", json_type(value)))
}
