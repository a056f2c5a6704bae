//! Parses JSON objects whose keys match case-insensitively: of keys that differ in case only, the last one counts.
//!
//! `externalId` and `externalid` are the same member written twice, and the Kubeflow Model Registry uses the last
//! (parity). A sorted map would use the alphabetically last instead. Names of custom properties are data: `Team` and
//! `team` are two of them.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Bytes of memory that the values of a body may take per byte of the body, and in addition. The densest entity, custom
/// properties with names of one letter, takes 14 times its size; `[[],[],[],…` would take 50 times, `[{"":1},…` 90 times.
const MEMORY_PER_BYTE: usize = 16;
const MEMORY_IN_ADDITION: usize = 1 << 20;

/// The memory of a value, in bytes: in its array or object, and on the heap.
const VALUE: usize = size_of::<Value>();
const MEMBER: usize = 64;
/// An array that grows has room for twice its elements.
const ELEMENT: usize = 2 * VALUE;
/// The first allocation of an array and of an object.
const ARRAY: usize = 4 * VALUE;
const OBJECT: usize = 640;

/// Up to this many members, scanning them is cheaper than a hash map of their keys.
const FEW: usize = 32;

/// Parses exactly one JSON value. A body whose values would take far more memory than its text is an error.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let limit = bytes.len().saturating_mul(MEMORY_PER_BYTE).saturating_add(MEMORY_IN_ADDITION);
    let memory = Memory(Cell::new(limit));
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Seed { keys: Keys::Fields, memory: &memory }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// The memory that is left for the values of a body.
struct Memory(Cell<usize>);

impl Memory {
    fn take<E: Error>(&self, bytes: usize) -> Result<(), E> {
        let left = self.0.get().checked_sub(bytes).ok_or_else(|| E::custom("too many small values for its size"))?;
        self.0.set(left);
        Ok(())
    }
}

/// How the keys of an object compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    /// Names of fields: case-insensitively.
    Fields,
    /// Names chosen by clients: exactly.
    Data,
}

/// Reads one value.
#[derive(Clone, Copy)]
struct Seed<'a> {
    keys: Keys,
    memory: &'a Memory,
}

impl<'a> Seed<'a> {
    fn of_fields(self) -> Self {
        Self { keys: Keys::Fields, ..self }
    }

    fn of_data(self) -> Seed<'a> {
        Self { keys: Keys::Data, ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any valid JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        self.memory.take(ARRAY)?;
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(self.of_fields())? {
            self.memory.take(ELEMENT)?;
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.memory.take(OBJECT)?;
        let mut object = Members::default();
        while let Some(key) = members.next_key::<String>()? {
            self.memory.take(MEMBER)?;
            if self.keys == Keys::Data {
                object.map.insert(key, members.next_value_seed(self.of_fields())?);
                continue;
            }
            let is_data = key.eq_ignore_ascii_case("customProperties");
            let value = members.next_value_seed(if is_data { self.of_data() } else { self.of_fields() })?;
            object.insert(key, value);
        }
        Ok(Value::Object(object.map))
    }
}

/// The members of an object; no two keys differ in case only.
#[derive(Default)]
struct Members {
    map: Map<String, Value>,
    /// The original keys by their lower-case form; built once there are many.
    original: Option<HashMap<String, String>>,
}

impl Members {
    fn insert(&mut self, key: String, value: Value) {
        if let Some(replaced) = self.replaced_key(&key) {
            self.map.remove(&replaced);
        }
        self.map.insert(key, value);
    }

    /// The key, in another case, that this one replaces.
    fn replaced_key(&mut self, key: &str) -> Option<String> {
        if self.original.is_none() && self.map.len() < FEW {
            let same = |other: &&String| other.eq_ignore_ascii_case(key) && *other != key;
            return self.map.keys().find(same).cloned();
        }
        let original = self
            .original
            .get_or_insert_with(|| self.map.keys().map(|key| (key.to_ascii_lowercase(), key.clone())).collect());
        original.insert(key.to_ascii_lowercase(), key.to_owned()).filter(|replaced| replaced != key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;
    use serde_json::json;

    use super::*;

    fn parsed(json: &str) -> Value {
        parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn the_last_of_keys_that_differ_in_case_counts() {
        for (text, expected) in [
            (r#"{"externalId":"a","externalid":"b"}"#, json!({"externalid": "b"})),
            (r#"{"externalid":"a","externalId":"b"}"#, json!({"externalId": "b"})),
            (r#"{"a":1,"A":2,"a":3}"#, json!({"a": 3})),
            (r#"{"A":1,"a":2,"b":3,"A":4}"#, json!({"A": 4, "b": 3})),
            (r#"{"x":{"b":1,"B":2},"y":[{"C":1,"c":2}]}"#, json!({"x": {"B": 2}, "y": [{"c": 2}]})),
        ] {
            assert_eq!(parsed(text), expected, "{text}");
        }
    }

    #[test]
    fn the_last_of_equal_keys_counts_at_every_depth() {
        for (text, expected) in [
            (r#"{"name":"a","name":"b"}"#, json!({"name": "b"})),
            (r#"{"x":{"b":1,"b":2},"y":[{"c":1,"c":2}]}"#, json!({"x": {"b": 2}, "y": [{"c": 2}]})),
            (
                r#"{"customProperties":{"p":{"string_value":"a"},"p":{"int_value":"1","int_value":"2"}}}"#,
                json!({"customProperties": {"p": {"int_value": "2"}}}),
            ),
        ] {
            assert_eq!(parsed(text), expected, "{text}");
        }
    }

    #[test]
    fn values_that_take_far_more_memory_than_their_text_are_an_error() {
        for (opening, element) in [("[", "1,"), ("[", "[],"), ("[", "[1],"), ("[", "{},"), (r#"{"a":["#, r#"{"":1},"#)]
        {
            let text = format!("{opening}{}", element.repeat(1_000_000));
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("too many small values for its size at line 1 column "), "{element}: {error}");
        }
    }

    #[test]
    fn the_densest_entities_are_within_the_memory() {
        let property =
            |number: usize| format!(r#""{number}":{{"metadataType":"MetadataBoolValue","bool_value":true}}"#);
        let properties: Vec<String> = (0..50_000).map(property).collect();
        let elements = r#""a","#.repeat(500);
        let list = format!(r#"{{"language":[{elements}"b"]}}"#);
        for text in [
            format!(r#"{{"customProperties":{{{}}}}}"#, properties.join(",")),
            format!("[{}{list}]", format!("{list},").repeat(1_000)),
        ] {
            assert!(parse(text.as_bytes()).is_ok(), "{} bytes", text.len());
        }
    }

    #[test]
    fn names_of_custom_properties_are_case_sensitive_and_members_of_their_values_are_not() {
        let text = r#"{"CustomProperties":{"team":{"string_value":"a","String_Value":"b"},"Team":{"int_value":"1"}}}"#;
        let expected = json!({"CustomProperties": {"team": {"String_Value": "b"}, "Team": {"int_value": "1"}}});
        assert_eq!(parsed(text), expected);
    }

    #[test]
    fn objects_with_many_members_behave_like_small_ones() {
        let members: Vec<String> = (0..FEW * 3).map(|number| format!(r#""key{number}":{number}"#)).collect();
        for first in ["KEY1", "kEy50", "key95"] {
            let at_the_end = format!(r#"{{{},"{first}":-1}}"#, members.join(","));
            let in_front = format!(r#"{{"{first}":-1,{}}}"#, members.join(","));
            let (at_the_end, in_front) = (parsed(&at_the_end), parsed(&in_front));
            assert_eq!(at_the_end.as_object().unwrap().len(), FEW * 3);
            assert_eq!(at_the_end[first], -1);
            assert_eq!(in_front.as_object().unwrap().len(), FEW * 3);
            assert_eq!(in_front[first.to_lowercase()], first[3..].parse::<i64>().unwrap());
        }
    }

    #[test]
    fn errors_are_those_of_serde_json() {
        let deep = "[".repeat(200);
        for text in ["", "{", "{} {}", r#"{"a":}"#, "nan", "\"\u{1}\"", &deep] {
            let expected = serde_json::from_str::<Value>(text).unwrap_err().to_string();
            assert_eq!(parse(text.as_bytes()).unwrap_err().to_string(), expected);
        }
        assert!(parse(b"\"\xff\"").is_err());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                // No letters, so that no two keys differ in case only.
                prop::collection::btree_map("[0-9é\"\\\\]{0,3}", inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(model_registry_testkit::seed()), ..ProptestConfig::default() })]

        #[test]
        fn other_values_parse_like_with_serde_json(value in any_json()) {
            let text = value.to_string();
            prop_assert_eq!(parsed(&text), serde_json::from_str::<Value>(&text).unwrap());
        }
    }
}
