//! A stored entity as it is read.

use model_registry_api::Kind;

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

#[derive(sqlx::FromRow)]
pub(crate) struct RecordRow {
    pub(crate) kind: i16,
    pub(crate) id: i64,
    pub(crate) revision: i64,
    pub(crate) document: String,
}

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

/// Documents go out unparsed, so at least their ends have to be those of an object.
pub(crate) fn check_document(table: &'static str, id: i64, text: &str) -> Result<()> {
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
