//! The filterable values of an item as bytes, a few for each value.
//!
//! They are derived from the document once, when a load packs the item. Its property rows are made from them, and they are
//! stored with the item, so that the index in memory is built without parsing documents.

use model_registry_store::sql::{Properties, PropertyKey, PropertyValue};
use serde::Deserialize;

use crate::encoding::{Decoder, Encoder};

/// Longer strings, in bytes, refer to the document instead of repeating it. They are model cards and licences; the index does
/// not hold them.
pub(crate) const LONGEST_INLINE: usize = 1_000;

/// The type of a value, in the lowest bits of the byte in front of it.
const STRING: u8 = 0;
const STRING_IN_DOCUMENT: u8 = 1;
const INT: u8 = 2;
const DOUBLE: u8 = 3;
const FALSE: u8 = 4;
const TRUE: u8 = 5;
const TYPE_BITS: u8 = 0x07;
/// A custom property, not a field of the document.
const CUSTOM: u8 = 0x08;
/// An element of a list after the first one: its position follows the name.
const HAS_ORDINAL: u8 = 0x10;

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PackedProperty<'a> {
    pub(crate) name: &'a str,
    pub(crate) custom: bool,
    pub(crate) ordinal: i16,
    pub(crate) value: PackedValue<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum PackedValue<'a> {
    String(&'a str),
    /// The string begins at this byte of the document.
    StringInDocument(usize),
    Int(i64),
    Double(f64),
    Bool(bool),
}

/// `document` is the JSON that the properties were derived from.
pub(crate) fn pack(properties: &Properties, document: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::default();
    for ((name, custom, ordinal), value) in properties {
        let in_document = match value {
            PropertyValue::String(string) if string.len() > LONGEST_INLINE => find(document, string),
            _ => None,
        };
        let value_type = match value {
            PropertyValue::String(_) if in_document.is_some() => STRING_IN_DOCUMENT,
            PropertyValue::String(_) => STRING,
            PropertyValue::Int(_) => INT,
            PropertyValue::Double(_) => DOUBLE,
            PropertyValue::Bool(false) => FALSE,
            PropertyValue::Bool(true) => TRUE,
            // Values are erased by updates of entities of the registry, never in the catalog.
            PropertyValue::Erased => continue,
        };
        let custom = if *custom { CUSTOM } else { 0 };
        let has_ordinal = if *ordinal == 0 { 0 } else { HAS_ORDINAL };
        encoder.byte(value_type | custom | has_ordinal);
        encoder.string(name);
        if *ordinal != 0 {
            encoder.signed(i64::from(*ordinal));
        }
        match value {
            PropertyValue::String(string) => match in_document {
                Some(place) => encoder.unsigned(place as u64),
                None => encoder.string(string),
            },
            PropertyValue::Int(number) => encoder.signed(*number),
            PropertyValue::Double(number) => encoder.double(*number),
            PropertyValue::Bool(_) | PropertyValue::Erased => {}
        }
    }
    encoder.finish()
}

/// `None` where the bytes are not those of [`pack`].
pub(crate) fn unpack(packed: &[u8]) -> Option<Vec<PackedProperty<'_>>> {
    let mut decoder = Decoder::new(packed);
    let mut properties = Vec::new();
    while !decoder.is_empty() {
        let tag = decoder.byte()?;
        let name = decoder.string()?;
        let ordinal = if tag & HAS_ORDINAL == 0 { 0 } else { i16::try_from(decoder.signed()?).ok()? };
        let value = match tag & TYPE_BITS {
            STRING => PackedValue::String(decoder.string()?),
            STRING_IN_DOCUMENT => PackedValue::StringInDocument(decoder.length()?),
            INT => PackedValue::Int(decoder.signed()?),
            DOUBLE => PackedValue::Double(decoder.double()?),
            FALSE => PackedValue::Bool(false),
            TRUE => PackedValue::Bool(true),
            _ => return None,
        };
        properties.push(PackedProperty { name, custom: tag & CUSTOM != 0, ordinal, value });
    }
    Some(properties)
}

impl PackedProperty<'_> {
    /// The property as a row has it; `None` where it refers to another document.
    pub(crate) fn to_row(self, document: &str) -> Option<(PropertyKey, PropertyValue)> {
        let value = match self.value {
            PackedValue::String(string) => PropertyValue::String(string.to_owned()),
            PackedValue::StringInDocument(start) => {
                let mut json = serde_json::Deserializer::from_str(document.get(start..)?);
                PropertyValue::String(String::deserialize(&mut json).ok()?)
            }
            PackedValue::Int(number) => PropertyValue::Int(number),
            PackedValue::Double(number) => PropertyValue::Double(number),
            PackedValue::Bool(flag) => PropertyValue::Bool(flag),
        };
        Some(((self.name.to_owned(), self.custom, self.ordinal), value))
    }
}

/// Where a document has a string. Any occurrence serves, because the same bytes decode to the same string.
fn find(document: &[u8], string: &str) -> Option<usize> {
    // A string always serialises.
    memchr::memmem::find(document, &serde_json::to_vec(string).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(name: &str, custom: bool, ordinal: i16) -> PropertyKey {
        (name.to_owned(), custom, ordinal)
    }

    #[test]
    fn values_of_every_type_become_the_rows_they_were_packed_from() {
        let card = "# A \"card\"\n".repeat(200);
        let document = json!({"other": "x", "readme": card}).to_string();
        let properties = Properties::from([
            (key("readme", false, 0), PropertyValue::String(card.clone())),
            (key("tasks", false, 0), PropertyValue::String("a".to_owned())),
            (key("tasks", false, 1), PropertyValue::String("日本".to_owned())),
            (key("tasks", true, 0), PropertyValue::String(String::new())),
            (key("size", true, 0), PropertyValue::Int(i64::MIN)),
            (key("accuracy", true, 0), PropertyValue::Double(-0.0)),
            (key("open", true, 0), PropertyValue::Bool(true)),
            (key("closed", true, 0), PropertyValue::Bool(false)),
            // Derived, so the document does not contain it.
            (key("derived", true, 300), PropertyValue::String("y".repeat(LONGEST_INLINE + 1))),
        ]);
        let packed = pack(&properties, document.as_bytes());
        let unpacked = unpack(&packed).unwrap();
        assert!(matches!(
            unpacked.iter().find(|one| one.name == "readme").unwrap().value,
            PackedValue::StringInDocument(_)
        ));
        let rows: Option<Properties> = unpacked.into_iter().map(|one| one.to_row(&document)).collect();
        assert_eq!(rows.unwrap(), properties);
    }

    #[test]
    fn a_value_takes_few_bytes_besides_its_name() {
        let properties = Properties::from([
            (key("size", true, 0), PropertyValue::Int(7)),
            (key("task", true, 0), PropertyValue::String("chat".to_owned())),
        ]);
        assert_eq!(pack(&properties, b"{}").len(), (1 + 5 + 1) + (1 + 5 + 5));
    }

    #[test]
    fn bytes_that_were_cut_off_or_refer_to_another_document_are_rejected() {
        let long = "x".repeat(LONGEST_INLINE + 1);
        let document = json!({"readme": long}).to_string();
        let properties = Properties::from([(key("readme", false, 0), PropertyValue::String(long))]);
        let packed = pack(&properties, document.as_bytes());
        assert_eq!(unpack(&packed[..packed.len() - 1]), None);
        assert_eq!(unpack(&[7]), None);
        let property = unpack(&packed).unwrap()[0];
        assert_eq!(property.to_row("{}"), None);
        assert_eq!(property.to_row(r#"{"readm":12345}"#), None);
    }
}
