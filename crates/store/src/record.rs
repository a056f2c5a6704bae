//! A stored entity as read from the database.

use std::sync::Arc;

use model_registry_api::Kind;
use model_registry_base::MemoryShare;
use serde::de::IgnoredAny;

use crate::document::{self, Document};
use crate::error::{Result, StoreError};
use crate::from_row;
use crate::tables;

/// An entity's row.
#[derive(Clone, Debug)]
pub struct Record {
    pub kind: Kind,
    pub id: i64,
    /// Incremented by every write.
    pub revision: i64,
    pub(crate) document: String,
    /// The memory of a large document that was read outside of a transaction.
    pub(crate) _memory: Option<Arc<MemoryShare>>,
}

/// A row as read together with others: without its document if that is large.
#[derive(Clone, Debug)]
pub(crate) struct PartialRow {
    pub(crate) kind: i16,
    pub(crate) id: i64,
    pub(crate) revision: i64,
    pub(crate) document: Option<String>,
}

from_row!(PartialRow { kind, id, revision, document });

/// A row as read within a transaction: its document is null if the transaction lacks the memory for it.
pub(crate) struct SizedRow {
    pub(crate) kind: i16,
    pub(crate) id: i64,
    pub(crate) revision: i64,
    pub(crate) document: Option<String>,
    /// The size of the document, in bytes.
    pub(crate) size: i64,
}

from_row!(SizedRow { kind, id, revision, document, size });

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
        let kind = Kind::from_code(row.kind).ok_or_else(|| corrupt("unknown kind"))?;
        check_document(tables::table(kind), row.id, &row.document)?;
        Ok(Self { kind, id: row.id, revision: row.revision, document: row.document, _memory: None })
    }
}

/// Checks that a stored document is JSON, because it is sent to clients as it is stored. Takes about a microsecond.
pub(crate) fn check_document(table: &'static str, id: i64, json: &str) -> Result<()> {
    check_ends(table, id, json)?;
    serde_json::from_str::<IgnoredAny>(json).map(drop).map_err(|error| StoreError::Corrupt {
        table,
        id,
        reason: format!("the document is not JSON: {error}"),
    })
}

/// The cheaper check of lists: parsing a hundred documents would cost more than a twentieth of the request.
pub(crate) fn check_ends(table: &'static str, id: i64, json: &str) -> Result<()> {
    if json.len() > 2 && json.starts_with("{\"") && json.ends_with('}') {
        Ok(())
    } else {
        Err(StoreError::Corrupt { table, id, reason: "the document is not a JSON object".to_owned() })
    }
}

impl Record {
    /// The entity's JSON as a response carries it.
    pub fn wire(&self) -> String {
        let mut wire = String::with_capacity(self.document.len() + 32);
        document::append_wire(&mut wire, self.id, &self.document);
        wire
    }

    /// Parses the document.
    pub fn document(&self) -> Result<Document> {
        Document::from_json(&self.document).map_err(|error| StoreError::Corrupt {
            table: tables::table(self.kind),
            id: self.id,
            reason: error.to_string(),
        })
    }

    /// The entity tag: changes with every change of the entity; in quotes, as in the header.
    ///
    /// The id is part of it, because one URL can lead to different entities, for example a search by name.
    pub fn etag(&self) -> String {
        format!("\"{}-{}\"", self.id, self.revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_document_is_detected() {
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
    fn lists_detect_documents_that_are_not_objects() {
        for json in ["", "garbage", "{}", "[]", r#"{"name":"m""#] {
            assert!(check_ends("resource", 7, json).is_err(), "{json}");
        }
    }
}
