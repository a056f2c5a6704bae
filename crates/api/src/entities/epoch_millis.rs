use std::fmt;

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since the Unix epoch, on the wire a decimal string.
///
/// A time set by a client may be any string, since the server does not check all of them; it is kept unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EpochMillis(pub String);

impl EpochMillis {
    /// The milliseconds; `None` unless the string is a number.
    pub fn millis(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<i64> for EpochMillis {
    fn from(millis: i64) -> Self {
        Self(millis.to_string())
    }
}

impl fmt::Display for EpochMillis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
