//! An entity's JSON: a map while rules work on it, a string without the `id` in the database.
//!
//! The id is prepended when a document leaves the store. MySQL returns a generated id only after the insert, so storing it in
//! the document would cost a second statement.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An entity's fields without its id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Document(pub Map<String, Value>);

impl Document {
    /// The string in a field.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field).and_then(Value::as_str)
    }

    pub fn name(&self) -> &str {
        self.text("name").unwrap_or_default()
    }

    /// The id in a field; ids are decimal strings.
    pub fn id(&self, field: &str) -> Option<i64> {
        self.text(field).and_then(|id| id.parse().ok())
    }

    pub fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.0.insert(field.to_owned(), value.into());
    }

    pub fn to_json(&self) -> String {
        // A map of JSON values always serialises.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    pub(crate) fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json).map(Self)
    }
}

/// Appends a stored document in its wire form: `{"id":"7",` and the rest.
pub fn append_wire(out: &mut String, id: i64, json: &str) {
    use std::fmt::Write;
    let _ = write!(out, "{{\"id\":\"{id}\",");
    out.push_str(json.get(1..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_comes_first_on_the_wire() {
        let mut document = Document::default();
        document.set("name", "m");
        let mut wire = String::new();
        append_wire(&mut wire, 7, &document.to_json());
        assert_eq!(wire, r#"{"id":"7","name":"m"}"#);
    }
}
