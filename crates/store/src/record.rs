//! A stored entity as it is read.

use crate::from_row;
use model_registry_api::Kind;
use serde::de::IgnoredAny;

use crate::document::{self, Document};
use crate::error::{Result, StoreError};
use crate::tables;

/// An entity's row.
#[derive(Clone, Debug)]
pub struct Record {
    pub kind: Kind,
    pub id: i64,
    /// Incremented by every write.
    pub revision: i64,
    pub(crate) document: String,
}

pub(crate) struct RecordRow {
    pub(crate) kind: i16,
    pub(crate) id: i64,
    pub(crate) revision: i64,
    pub(crate) document: String,
}

from_row!(RecordRow { kind, id, revision, document });

impl RecordRow {
    pub(crate) const COLUMNS: [&'static str; 4] = ["kind", "id", "revision", "document"];
}

impl TryFrom<RecordRow> for Record {
    type Error = StoreError;

    fn try_from(row: RecordRow) -> Result<Self> {
        let corrupt =
            |reason: &str| StoreError::Corrupt { table: "resource or artifact", id: row.id, reason: reason.to_owned() };
        let kind = Kind::from_code(row.kind).ok_or_else(|| corrupt("its kind is unknown"))?;
        check_document(tables::table(kind), row.id, &row.document)?;
        Ok(Self { kind, id: row.id, revision: row.revision, document: row.document })
    }
}

/// A document goes out as it is stored, so it has to be JSON from end to end. Takes about a microsecond.
pub(crate) fn check_document(table: &'static str, id: i64, text: &str) -> Result<()> {
    check_ends(table, id, text)?;
    serde_json::from_str::<IgnoredAny>(text).map(drop).map_err(|error| StoreError::Corrupt {
        table,
        id,
        reason: format!("its document is no JSON: {error}"),
    })
}

/// What lists check, of a hundred documents at once: reading them all would cost more than a twentieth of the list.
pub(crate) fn check_ends(table: &'static str, id: i64, text: &str) -> Result<()> {
    if text.len() > 2 && text.starts_with("{\"") && text.ends_with('}') {
        Ok(())
    } else {
        Err(StoreError::Corrupt { table, id, reason: "its document is no JSON object".to_owned() })
    }
}

impl Record {
    /// The entity's JSON as a response carries it.
    pub fn wire(&self) -> String {
        let mut wire = String::with_capacity(self.document.len() + 32);
        document::append_wire(&mut wire, self.id, &self.document);
        wire
    }

    /// The entity's fields, to work on them.
    pub fn document(&self) -> Result<Document> {
        Document::from_text(&self.document).map_err(|error| StoreError::Corrupt {
            table: tables::table(self.kind),
            id: self.id,
            reason: error.to_string(),
        })
    }

    /// Changes whenever the entity does; quoted as HTTP wants it.
    ///
    /// The id is part of it because one URL can lead to different entities, for example a search by name.
    pub fn etag(&self) -> String {
        format!("\"{}-{}\"", self.id, self.revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_found_wherever_it_is() {
        let whole = r#"{"customProperties":{"a":{"string_value":"x"}},"name":"m"}"#;
        check_document("resource", 7, whole).unwrap();
        for at in 0..whole.len() {
            let damaged = format!("{}\u{1}{}", &whole[..at], &whole[at..]);
            let error = check_document("resource", 7, &damaged).unwrap_err().to_string();
            assert!(error.starts_with("row 7 of table `resource` is corrupt: "), "{error}");
            assert!(check_document("resource", 7, &whole[..at]).is_err(), "{at}");
        }
        assert!(check_document("resource", 7, &whole.repeat(2)).is_err());
    }

    #[test]
    fn lists_find_what_is_no_object() {
        for text in ["", "garbage", "{}", "[]", r#"{"name":"m""#] {
            assert!(check_ends("resource", 7, text).is_err(), "{text}");
        }
    }
}
