//! The columns and filterable properties of an entity, derived from its document.

use std::collections::BTreeMap;

use model_registry_api::{CustomProperty, KindSpec, Shape, Storage, double};
use serde_json::{Map, Value};

use crate::bloom_filter;
use crate::document::Document;

/// The key of a row of `property` within its owner: name, whether it is a custom property, index within a list.
pub type PropertyKey = (String, bool, i16);

/// The typed value. `Erased` overwrites a value that was removed.
#[derive(Clone, Debug, PartialEq)]
pub enum PropertyValue {
    String(String),
    Int(i64),
    Double(f64),
    Bool(bool),
    Erased,
}

impl PropertyValue {
    /// Whether the stored row is the same; unlike in a comparison, NaN is NaN.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Double(one), Self::Double(other)) => one.total_cmp(other).is_eq(),
            (one, other) => one == other,
        }
    }
}

/// The properties of an entity by key.
pub type Properties = BTreeMap<PropertyKey, PropertyValue>;

/// The columns of an entity's row that are derived from its document.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Columns {
    pub(crate) external_id: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) experiment_id: Option<i64>,
    pub(crate) experiment_run_id: Option<i64>,
    pub(crate) value: Option<f64>,
    pub(crate) step: Option<i64>,
    pub(crate) timestamp: Option<i64>,
}

pub(crate) fn columns(spec: &KindSpec, document: &Document) -> Columns {
    let mut columns = Columns {
        // An empty external id identifies nothing, so it must not conflict.
        external_id: document.text("externalId").filter(|id| !id.is_empty()).map(str::to_owned),
        ..Columns::default()
    };
    for field in spec.all_fields() {
        let (Storage::Column(column), Some(value)) = (field.storage, document.0.get(field.name)) else { continue };
        match column {
            "state" => columns.state = value.as_str().map(str::to_owned),
            "experiment_id" => columns.experiment_id = as_id(value),
            "experiment_run_id" => columns.experiment_run_id = as_id(value),
            "value" => columns.value = double::from_json(value),
            "step" => columns.step = value.as_i64(),
            "timestamp" => columns.timestamp = as_id(value),
            // The parent's id is not taken from the document.
            _ => {}
        }
    }
    columns
}

fn as_id(value: &Value) -> Option<i64> {
    value.as_str().and_then(|number| number.parse().ok())
}

pub(crate) fn properties(spec: &KindSpec, document: &Document) -> Properties {
    let mut properties = Properties::new();
    for field in spec.all_fields() {
        let (Storage::Property, Some(value)) = (field.storage, document.0.get(field.name)) else { continue };
        let mut add = |ordinal: i16, value: PropertyValue| {
            properties.insert((field.stored.to_owned(), false, ordinal), value);
        };
        match field.shape {
            Shape::StringList => {
                for (ordinal, string) in value.as_array().into_iter().flatten().filter_map(Value::as_str).enumerate() {
                    add(i16::try_from(ordinal).unwrap_or(i16::MAX), PropertyValue::String(string.to_owned()));
                }
            }
            Shape::String | Shape::Uri | Shape::Enumeration(_) => {
                if let Some(string) = value.as_str() {
                    add(0, PropertyValue::String(string.to_owned()));
                }
            }
            Shape::Id | Shape::EpochMillis => {
                if let Some(number) = as_id(value) {
                    add(0, PropertyValue::Int(number));
                }
            }
            Shape::Integer => {
                if let Some(number) = value.as_i64() {
                    add(0, PropertyValue::Int(number));
                }
            }
            Shape::Double => {
                if let Some(number) = double::from_json(value) {
                    add(0, PropertyValue::Double(number));
                }
            }
        }
    }
    properties.extend(custom_properties(&document.0));
    properties
}

/// The custom properties of a document.
pub fn custom_properties(document: &Map<String, Value>) -> Properties {
    let custom = document.get("customProperties").and_then(Value::as_object).into_iter().flatten();
    custom.filter_map(|(name, value)| Some(((name.clone(), true, 0), custom_value(value)?))).collect()
}

/// The value of a custom property. Structs and protos are stored as strings; only their presence is useful in a filter.
fn custom_value(value: &Value) -> Option<PropertyValue> {
    Some(match CustomProperty::from_json(value).ok()? {
        CustomProperty::String(value) | CustomProperty::Struct(value) | CustomProperty::Proto { value, .. } => {
            PropertyValue::String(value.to_owned())
        }
        CustomProperty::Int(value) => PropertyValue::Int(value),
        CustomProperty::Double(value) => PropertyValue::Double(value),
        CustomProperty::Bool(value) => PropertyValue::Bool(value),
    })
}

/// Rows deleted by one condition at most: SQLite limits the depth of an expression to 1000.
const REMOVE_LIMIT: usize = 200;

/// The rows to write and to delete to turn one set of properties into another.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct PropertyChanges {
    pub(crate) write: Vec<(PropertyKey, PropertyValue)>,
    pub(crate) remove: Vec<PropertyKey>,
    /// The Bloom filter of the new set, stored with every written row.
    pub(crate) bloom_filter: i64,
}

impl PropertyChanges {
    pub(crate) fn between(old: &Properties, new: &Properties) -> Self {
        // If the filter gains bits, the rows of all strings need the new one. Bits of removed strings may stay.
        let bloom_filter = bloom_filter::of_properties(new);
        let gains_bits = bloom_filter & !bloom_filter::of_properties(old) != 0;
        let mut write: Vec<_> = new
            .iter()
            .filter(|(key, value)| {
                !old.get(*key).is_some_and(|old| old.is_same(value))
                    || gains_bits && matches!(value, PropertyValue::String(_))
            })
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let mut remove: Vec<_> = old.keys().filter(|key| !new.contains_key(*key)).cloned().collect();
        // Deleting and writing would be two statements, so that removed rows are overwritten with no value instead. The same
        // when many rows are removed, because the condition to delete them would be too deep for SQLite.
        if !write.is_empty() || remove.len() > REMOVE_LIMIT {
            write.extend(remove.drain(..).map(|key| (key, PropertyValue::Erased)));
        }
        Self { write, remove, bloom_filter }
    }
}

#[cfg(test)]
mod tests {
    use model_registry_api::Kind;
    use serde_json::json;

    use super::*;

    fn document(value: Value) -> Document {
        let Value::Object(map) = value else { panic!("an object") };
        Document(map)
    }

    #[test]
    fn lists_have_a_row_per_element_and_custom_properties_a_typed_row() {
        let document = document(json!({
            "name": "m", "state": "LIVE", "owner": "ada", "tasks": ["a", "b"],
            "customProperties": {
                "owner": {"metadataType": "MetadataStringValue", "string_value": "custom"},
                "n": {"metadataType": "MetadataIntValue", "int_value": "7"},
                "d": {"metadataType": "MetadataDoubleValue", "double_value": 0.5},
                "b": {"metadataType": "MetadataBoolValue", "bool_value": true}
            }
        }));
        let rows: Vec<_> = properties(Kind::RegisteredModel.spec(), &document)
            .into_iter()
            .map(|((name, custom, ordinal), value)| (name, custom, ordinal, value))
            .collect();
        assert_eq!(
            rows,
            [
                ("b".to_owned(), true, 0, PropertyValue::Bool(true)),
                ("d".to_owned(), true, 0, PropertyValue::Double(0.5)),
                ("n".to_owned(), true, 0, PropertyValue::Int(7)),
                ("owner".to_owned(), false, 0, PropertyValue::String("ada".to_owned())),
                ("owner".to_owned(), true, 0, PropertyValue::String("custom".to_owned())),
                ("tasks".to_owned(), false, 0, PropertyValue::String("a".to_owned())),
                ("tasks".to_owned(), false, 1, PropertyValue::String("b".to_owned())),
            ]
        );
    }

    #[test]
    fn a_new_string_updates_the_bloom_filter_in_the_rows_of_all_strings() {
        let string = |name: &str, value: &str| ((name.to_owned(), true, 0), PropertyValue::String(value.to_owned()));
        let number = |number| (("n".to_owned(), true, 0), PropertyValue::Int(number));
        let old = Properties::from([string("a", "1"), string("b", "2"), number(1)]);
        let written = |new: &Properties| {
            let write = PropertyChanges::between(&old, new).write;
            write.into_iter().map(|((name, ..), _)| name).collect::<Vec<_>>()
        };
        assert_eq!(written(&Properties::from([string("a", "1"), string("b", "3"), number(1)])), ["a", "b"]);
        assert_eq!(written(&Properties::from([string("a", "1"), string("b", "2"), number(2)])), ["n"]);
    }

    #[test]
    fn removed_properties_are_erased_when_others_are_written_and_deleted_otherwise() {
        let key = |name: &str| (name.to_owned(), true, 0);
        let one = |name: &str, number| (key(name), PropertyValue::Int(number));
        let old = Properties::from([one("a", 1), one("b", 2)]);
        let only_removed = PropertyChanges::between(&old, &Properties::from([one("a", 1)]));
        assert_eq!(only_removed, PropertyChanges { write: vec![], remove: vec![key("b")], bloom_filter: 0 });
        let both = PropertyChanges::between(&old, &Properties::from([one("a", 3)]));
        assert_eq!(
            both,
            PropertyChanges {
                write: vec![(key("a"), PropertyValue::Int(3)), (key("b"), PropertyValue::Erased)],
                remove: vec![],
                bloom_filter: 0
            }
        );
    }
}
