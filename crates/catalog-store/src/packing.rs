//! An item as bytes: everything that a load writes for it, except its ids and the times that the item does not state.
//!
//! Packing derives what rows need from the document once; the transaction of a load only copies it.

use std::borrow::Cow;

use model_registry_store::{Result, StoreError};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::encoding::{Decoder, Encoder};
use crate::fields::{properties, search_string};
use crate::{CatalogItem, CatalogKind, packed_properties};

/// Replaces null characters, which PostgreSQL cannot store: one in a file or on a hub must not prevent a load.
const REPLACEMENT: &str = "\u{fffd}";

/// Members of every document that a load adds.
const CREATE_TIME: &str = "createTimeSinceEpoch";
const UPDATE_TIME: &str = "lastUpdateTimeSinceEpoch";

/// A packed item, borrowed from its bytes.
#[derive(Debug)]
pub(crate) struct PackedItem<'a> {
    pub(crate) kind: CatalogKind,
    pub(crate) key: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) external_id: Option<&'a str>,
    pub(crate) create_time: Option<i64>,
    pub(crate) update_time: Option<i64>,
    /// The string that `q` searches.
    pub(crate) search_string: &'a str,
    /// JSON without id and times.
    pub(crate) document: &'a str,
    /// In the form of [`packed_properties`].
    pub(crate) properties: &'a [u8],
    pub(crate) children: Vec<PackedItem<'a>>,
}

pub(crate) fn pack(item: &CatalogItem) -> Vec<u8> {
    let mut encoder = Encoder::default();
    append(&mut encoder, item);
    encoder.finish()
}

fn append(encoder: &mut Encoder, item: &CatalogItem) {
    let document = without_null_characters(&item.document.0);
    let json = to_json(&document, &item.written);
    let properties = properties(item.kind, &document, &item.written);
    encoder.signed(i64::from(item.kind.code()));
    encoder.string(&clean(&item.key));
    encoder.optional(item.name.as_deref(), |encoder, name| encoder.string(&clean(name)));
    encoder.optional(document.get("externalId").and_then(Value::as_str), Encoder::string);
    encoder.optional(item.create_time, Encoder::signed);
    encoder.optional(item.update_time, Encoder::signed);
    encoder.string(&search_string(item.kind, &document));
    encoder.bytes(&json);
    encoder.bytes(&packed_properties::pack(&properties, &json));
    encoder.unsigned(item.children.len() as u64);
    for child in &item.children {
        append(encoder, child);
    }
}

/// # Errors
/// The bytes are not those of [`pack`].
pub(crate) fn unpack(packed: &[u8]) -> Result<PackedItem<'_>> {
    read(&mut Decoder::new(packed)).ok_or_else(|| StoreError::Corrupt {
        table: "catalog_item",
        id: 0,
        reason: "a packed item cannot be read".to_owned(),
    })
}

fn read<'a>(decoder: &mut Decoder<'a>) -> Option<PackedItem<'a>> {
    Some(PackedItem {
        kind: CatalogKind::from_code(i16::try_from(decoder.signed()?).ok()?)?,
        key: decoder.string()?,
        name: decoder.optional(Decoder::string)?,
        external_id: decoder.optional(Decoder::string)?,
        create_time: decoder.optional(Decoder::signed)?,
        update_time: decoder.optional(Decoder::signed)?,
        search_string: decoder.string()?,
        document: decoder.string()?,
        properties: decoder.bytes()?,
        children: (0..decoder.length()?).map(|_| read(decoder)).collect::<Option<_>>()?,
    })
}

impl PackedItem<'_> {
    /// The document as it is stored, with the times.
    pub(crate) fn document_with_times(&self, create_time: i64, update_time: i64) -> String {
        let mut document = format!(r#"{{"{CREATE_TIME}":"{create_time}","{UPDATE_TIME}":"{update_time}""#);
        let members = self.document.get(1..).unwrap_or_default();
        document.reserve_exact(members.len() + 1);
        if members != "}" {
            document.push(',');
        }
        document.push_str(members);
        document
    }
}

/// The JSON of a document without the times. Members are replaced by those that are `written`.
fn to_json(document: &Map<String, Value>, written: &[(&'static str, String)]) -> Vec<u8> {
    let mut json = Vec::with_capacity(1_024);
    let members = document.iter().filter(|(name, _)| ![CREATE_TIME, UPDATE_TIME].contains(&name.as_str()));
    let members = members.map(|(name, value)| {
        let text = written.iter().find(|(known, _)| known == name);
        let text = text.and_then(|(_, text)| serde_json::from_str::<&RawValue>(text).ok());
        (name, text.map_or(Member::Value(value), Member::Written))
    });
    // JSON values always serialise, and writing to memory does not fail.
    let _ = serde_json::Serializer::new(&mut json).collect_map(members);
    json
}

/// The value of a member.
#[derive(Serialize)]
#[serde(untagged)]
enum Member<'a> {
    Value(&'a Value),
    Written(&'a RawValue),
}

/// The string without null characters.
pub(crate) fn clean(string: &str) -> Cow<'_, str> {
    if string.contains('\0') { Cow::Owned(string.replace('\0', REPLACEMENT)) } else { Cow::Borrowed(string) }
}

fn without_null_characters(document: &Map<String, Value>) -> Cow<'_, Map<String, Value>> {
    let is_clean = |(name, value): (&String, &Value)| !name.contains('\0') && !has_null_character(value);
    if document.iter().all(is_clean) { Cow::Borrowed(document) } else { Cow::Owned(cleaned(document)) }
}

fn has_null_character(value: &Value) -> bool {
    match value {
        Value::String(string) => string.contains('\0'),
        Value::Array(elements) => elements.iter().any(has_null_character),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || has_null_character(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn cleaned(members: &Map<String, Value>) -> Map<String, Value> {
    members.iter().map(|(name, value)| (clean(name).into_owned(), cleaned_value(value))).collect()
}

fn cleaned_value(value: &Value) -> Value {
    match value {
        Value::String(string) => clean(string).into(),
        Value::Array(elements) => elements.iter().map(cleaned_value).collect(),
        Value::Object(members) => Value::Object(cleaned(members)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use model_registry_store::Document;
    use serde_json::json;

    use super::*;

    fn item(kind: CatalogKind, key: &str, document: Value) -> CatalogItem {
        let Value::Object(document) = document else { panic!("an object") };
        let name = document.get("name").and_then(Value::as_str).map(str::to_owned);
        CatalogItem {
            kind,
            key: key.to_owned(),
            name,
            document: Document(document),
            create_time: None,
            update_time: Some(7),
            written: Vec::new(),
            children: Vec::new(),
        }
    }

    #[test]
    fn an_item_is_unpacked_with_its_children_and_everything_derived_from_it() {
        let document = json!({
            "name": "m", "provider": "P", "externalId": "x",
            "customProperties": {"size": {"metadataType": "MetadataIntValue", "int_value": "7"}}
        });
        let mut model = item(CatalogKind::Model, "m", document.clone());
        model.children.push(item(CatalogKind::ModelArtifact, "uri", json!({"uri": "oci://a"})));
        let packed = pack(&model);
        let unpacked = unpack(&packed).unwrap();
        assert_eq!((unpacked.kind, unpacked.key, unpacked.name), (CatalogKind::Model, "m", Some("m")));
        assert_eq!((unpacked.external_id, unpacked.create_time, unpacked.update_time), (Some("x"), None, Some(7)));
        assert_eq!(unpacked.search_string, "m\u{1f}\u{1f}p\u{1f}");
        assert_eq!(serde_json::from_str::<Value>(unpacked.document).unwrap(), document);
        let names = |packed| packed_properties::unpack(packed).unwrap().iter().map(|one| one.name).collect::<Vec<_>>();
        assert_eq!(names(unpacked.properties), ["provider", "size"]);
        let [child] = unpacked.children.as_slice() else { panic!("one child") };
        assert_eq!((child.kind, child.document), (CatalogKind::ModelArtifact, r#"{"uri":"oci://a"}"#));
        assert_eq!(names(child.properties), ["uri"]);
    }

    #[test]
    fn a_member_is_stored_as_it_is_written() {
        let text = r#"{"large":18446744073709551616,"version":1.10}"#;
        let document = json!({"name": "s", "serverJson": serde_json::from_str::<Value>(text).unwrap(), "version": "1"});
        let mut server = item(CatalogKind::McpServer, "s@1", document);
        server.written.push(("serverJson", text.to_owned()));
        let packed = pack(&server);
        let unpacked = unpack(&packed).unwrap();
        assert_eq!(unpacked.document, format!(r#"{{"name":"s","serverJson":{text},"version":"1"}}"#));
        let properties = packed_properties::unpack(unpacked.properties).unwrap();
        let row = properties.iter().find(|property| property.name == "serverJson").unwrap().to_row(unpacked.document);
        assert_eq!(row.unwrap().1, model_registry_store::sql::PropertyValue::String(text.to_owned()));
    }

    #[test]
    fn the_stored_document_has_the_times_of_the_load_once() {
        let with_times = json!({"name": "m", CREATE_TIME: "1", UPDATE_TIME: "2"});
        for (document, expected) in [
            (with_times, r#"{"createTimeSinceEpoch":"5","lastUpdateTimeSinceEpoch":"6","name":"m"}"#),
            (json!({}), r#"{"createTimeSinceEpoch":"5","lastUpdateTimeSinceEpoch":"6"}"#),
        ] {
            let packed = pack(&item(CatalogKind::Model, "m", document));
            assert_eq!(unpack(&packed).unwrap().document_with_times(5, 6), expected);
        }
    }

    #[test]
    fn null_characters_are_replaced_everywhere() {
        let document = json!({
            "a\0": ["\0\0", "\\u0000", "\\\0\"\n", "plain"],
            "provider": "p\0",
            "customProperties": {"c\0": {"metadataType": "MetadataStringValue", "string_value": "[\"\\u0000\"]"}}
        });
        let packed = pack(&item(CatalogKind::Model, "k\0", document));
        let unpacked = unpack(&packed).unwrap();
        assert_eq!(unpacked.key, "k\u{fffd}");
        let clean: Value = serde_json::from_str(unpacked.document).unwrap();
        assert_eq!(clean["a\u{fffd}"], json!(["\u{fffd}\u{fffd}", "\\u0000", "\\\u{fffd}\"\n", "plain"]));
        let properties = packed_properties::unpack(unpacked.properties).unwrap();
        let rows: Vec<_> = properties.iter().map(|one| one.to_row(unpacked.document).unwrap()).collect();
        assert!(!format!("{rows:?}").contains("\\0"), "{rows:?}");
        assert_eq!(rows.len(), 3, "the list that the string spells has an element: {rows:?}");
    }

    #[test]
    fn bytes_that_were_cut_off_are_an_error() {
        let packed = pack(&item(CatalogKind::McpServer, "s@1", json!({"name": "s", "version": "1"})));
        for length in 0..packed.len() {
            assert!(matches!(unpack(&packed[..length]), Err(StoreError::Corrupt { .. })), "{length}");
        }
    }
}
