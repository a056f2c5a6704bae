//! Integers as decimal strings on the wire: JSON numbers are exact only up to 2^53 in many languages.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

// serde calls it with a reference.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
pub(super) fn serialize<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let value = String::deserialize(deserializer)?;
    value.parse().map_err(|_| D::Error::custom(format!("`{value}` is not a decimal 64-bit integer")))
}
