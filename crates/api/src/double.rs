//! Doubles on the wire.
//!
//! JSON has neither NaN nor infinities. They are written as strings, as in the JSON form of Protocol Buffers.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// What a value has to be, for messages that continue with what it is.
pub const EXPECTED: &str = "a number, \"NaN\", \"Infinity\" or \"-Infinity\"";

/// The names of the doubles that are not finite.
pub const NAMES: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// The name of a double that is not finite.
pub fn name(number: f64) -> Option<&'static str> {
    if number.is_nan() {
        Some("NaN")
    } else if number == f64::INFINITY {
        Some("Infinity")
    } else if number == f64::NEG_INFINITY {
        Some("-Infinity")
    } else {
        None
    }
}

/// The double with this name.
pub fn from_name(name: &str) -> Option<f64> {
    match name {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

pub fn to_json(number: f64) -> Value {
    name(number).map_or_else(|| Value::from(number), Value::from)
}

/// Reads a number or one of the names; `None` for other values.
pub fn from_json(value: &Value) -> Option<f64> {
    match value {
        Value::String(name) => from_name(name),
        value => value.as_f64(),
    }
}

/// Parses what people and programs write for a double: `0.5`, `nan`, `inf`, `-Infinity`; a number that is too large is none.
pub fn parse(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    let has_digits = text.bytes().any(|byte| byte.is_ascii_digit());
    (number.is_finite() || !has_digits).then_some(number)
}

/// A double in its form on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wire(pub f64);

impl Serialize for Wire {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match name(self.0) {
            Some(name) => serializer.serialize_str(name),
            None => serializer.serialize_f64(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Wire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let number =
            from_json(&value).ok_or_else(|| serde::de::Error::custom(format!("`{value}` is not {EXPECTED}")))?;
        Ok(Self(number))
    }
}

/// Optional doubles of structs.
pub mod option {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Wire};

    // serde calls it with a reference.
    pub fn serialize<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        number.map(Wire).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        Ok(Option::<Wire>::deserialize(deserializer)?.map(|number| number.0))
    }
}

/// Changes of doubles in updates.
pub mod change {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Wire};
    use crate::entities::Change;

    // serde calls it with a reference.
    pub fn serialize<S: Serializer>(change: &Change<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        let change = match *change {
            Change::Keep => Change::Keep,
            Change::Clear => Change::Clear,
            Change::Set(number) => Change::Set(Wire(number)),
        };
        change.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Change<f64>, D::Error> {
        Ok(match Change::<Wire>::deserialize(deserializer)? {
            Change::Keep => Change::Keep,
            Change::Clear => Change::Clear,
            Change::Set(number) => Change::Set(number.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_that_is_too_large_is_not_infinite() {
        assert_eq!(
            (parse("-0.5"), parse("inf"), parse("-Infinity")),
            (Some(-0.5), Some(f64::INFINITY), Some(f64::NEG_INFINITY))
        );
        assert!(parse("NaN").unwrap().is_nan());
        assert_eq!((parse("1e999"), parse("x"), parse("")), (None, None, None));
    }

    #[test]
    fn doubles_that_are_not_finite_are_strings_and_others_numbers() {
        for (number, wire) in
            [(f64::INFINITY, json!("Infinity")), (f64::NEG_INFINITY, json!("-Infinity")), (0.5, json!(0.5))]
        {
            assert_eq!(to_json(number), wire);
            assert_eq!(from_json(&wire), Some(number));
            assert_eq!(serde_json::to_value(Wire(number)).unwrap(), wire);
            assert_eq!(serde_json::from_value::<Wire>(wire).unwrap(), Wire(number));
        }
        assert_eq!(to_json(f64::NAN), json!("NaN"));
        assert!(from_json(&json!("NaN")).unwrap().is_nan());
        for wrong in [json!("nan"), json!("0.5"), json!(null), json!(true)] {
            assert_eq!(from_json(&wrong), None, "{wrong}");
        }
    }
}
