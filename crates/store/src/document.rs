//! An entity's JSON: as a map while it is worked on, as text without its `id` in the database.
//!
//! The id is put in front when a document leaves the store: MySQL knows a generated id only after the insert, and so
//! no dialect needs a second statement for it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An entity's fields without its id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Document(pub Map<String, Value>);

impl Document {
    pub fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field).and_then(Value::as_str)
    }

    pub fn name(&self) -> &str {
        self.text("name").unwrap_or_default()
    }

    /// The id that a field carries.
    pub fn id(&self, field: &str) -> Option<i64> {
        self.text(field).and_then(|text| text.parse().ok())
    }

    pub fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.0.insert(field.to_owned(), value.into());
    }

    pub fn to_text(&self) -> String {
        // A map of JSON values always serialises.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    pub(crate) fn from_text(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).map(Self)
    }
}

/// Appends the wire form of a stored document: `{"id":"7",` and the rest.
pub fn append_wire(out: &mut String, id: i64, text: &str) {
    use std::fmt::Write;
    let _ = write!(out, "{{\"id\":\"{id}\",");
    out.push_str(text.get(1..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_comes_first_on_the_wire() {
        let mut document = Document::default();
        document.set("name", "m");
        let mut wire = String::new();
        append_wire(&mut wire, 7, &document.to_text());
        assert_eq!(wire, r#"{"id":"7","name":"m"}"#);
    }
}
