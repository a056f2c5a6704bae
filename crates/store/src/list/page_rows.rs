//! The rows of a page while it is read: the body grows with the rows, and ends at its limit of bytes.

use model_registry_base::{MemoryPool, MemoryShare};

use crate::db::Database;
use crate::document;
use crate::error::Result;
use crate::large_document::LargeDocuments;
use crate::page_token::Cursor;
use crate::record::check_ends;

/// A page ends when its items take so many bytes; it has at least one item.
pub const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Bytes that the id adds to a stored document in its wire form.
const ROOM_FOR_ID: usize = 32;

/// The limit of the memory that is reserved for a page when its first row, and so its likely size, is known.
const MAX_RESERVED: usize = 256 * 1024;

pub(super) struct PageRows {
    table: &'static str,
    page_size: usize,
    rows: usize,
    /// The prefix and the items so far. While there are large rows, only the items before the first of them.
    pub(super) items: String,
    pub(super) size: usize,
    /// The last row of the page.
    pub(super) last: Option<Cursor>,
    /// Whether there are rows after the page.
    pub(super) has_more: bool,
    /// From the first large row on, all rows of the page.
    pub(super) large: Vec<Row>,
    /// Bytes in `large`.
    bytes: usize,
}

/// A row from the first large one on.
pub(super) struct Row {
    cursor: Cursor,
    /// `None` if it is large.
    document: Option<String>,
}

impl PageRows {
    pub(super) fn new(table: &'static str, page_size: usize, prefix: &str) -> Self {
        Self {
            table,
            page_size,
            rows: 0,
            items: prefix.to_owned(),
            size: 0,
            last: None,
            has_more: false,
            large: Vec::new(),
            bytes: 0,
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds the next row; `document` is `None` if it is large.
    pub(super) fn push(&mut self, cursor: Cursor, document: Option<&str>) {
        if self.has_more || self.rows == self.page_size || self.items.len() + self.bytes >= PAGE_BYTES {
            self.has_more = true;
            return;
        }
        self.rows += 1;
        match document {
            Some(document) if self.large.is_empty() => {
                if self.rows == 1 {
                    let likely = self.page_size.saturating_mul(document.len() + ROOM_FOR_ID);
                    self.items.reserve(likely.min(MAX_RESERVED));
                }
                self.append(cursor, document);
            }
            document => {
                self.bytes += document.map_or(0, str::len);
                self.large.push(Row { cursor, document: document.map(str::to_owned) });
            }
        }
    }

    fn append(&mut self, cursor: Cursor, document: &str) {
        self.last = Some(cursor);
        if let Err(error) = check_ends(self.table, cursor.id, document) {
            // A corrupt row must not make the other rows of the list unreachable.
            tracing::error!(error = &error as &dyn std::error::Error, "corrupt row left out of a list");
            return;
        }
        if self.size > 0 {
            self.items.push(',');
        }
        document::append_wire(&mut self.items, cursor.id, document);
        self.size += 1;
    }

    /// Reads the large documents that the page has room for, and completes the page.
    pub(super) async fn read_large(&mut self, database: &Database, memory: &MemoryPool) -> Result<Option<MemoryShare>> {
        let rows = std::mem::take(&mut self.large);
        let large: Vec<i64> = rows.iter().filter(|row| row.document.is_none()).map(|row| row.cursor.id).collect();
        let sizes = database.document_sizes(self.table, &large).await?;
        let (mut kept, mut bytes, mut needed, mut needed_bytes) = (0, self.items.len(), Vec::new(), 0);
        for row in &rows {
            let size = match &row.document {
                Some(document) => document.len(),
                None => sizes.get(&row.cursor.id).copied().unwrap_or(0),
            };
            if self.last.is_some() || kept > 0 {
                let is_full = bytes + size > PAGE_BYTES;
                if is_full {
                    self.has_more = true;
                    break;
                }
            }
            kept += 1;
            bytes += size;
            if row.document.is_none() {
                needed.push(row.cursor.id);
                needed_bytes += size;
            }
        }
        if needed.is_empty() {
            rows.into_iter().take(kept).for_each(|row| self.append_row(row.cursor, row.document));
            return Ok(None);
        }
        let LargeDocuments { mut by_id, memory } =
            database.large_documents(self.table, &needed, needed_bytes, memory).await?;
        // In whole, because a string that grows needs up to three times its size.
        self.items.reserve_exact(bytes.saturating_sub(self.items.len()) + kept * ROOM_FOR_ID + ROOM_FOR_END);
        for row in rows.into_iter().take(kept) {
            let document = row.document.or_else(|| by_id.remove(&row.cursor.id));
            self.append_row(row.cursor, document);
        }
        Ok(Some(memory))
    }

    fn append_row(&mut self, cursor: Cursor, document: Option<String>) {
        match document {
            Some(document) => self.append(cursor, &document),
            // Deleted between the statements.
            None => self.last = Some(cursor),
        }
    }
}

/// Bytes after the items of a response: the token and the numbers.
const ROOM_FOR_END: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(page_size: usize) -> PageRows {
        PageRows::new("resource", page_size, "[")
    }

    fn cursor(id: i64) -> Cursor {
        Cursor { key: id, id }
    }

    #[test]
    fn a_page_ends_at_its_number_of_rows() {
        let mut rows = rows(2);
        for id in 1..=3 {
            rows.push(cursor(id), Some(r#"{"name":"m"}"#));
        }
        assert_eq!(rows.items, r#"[{"id":"1","name":"m"},{"id":"2","name":"m"}"#);
        assert_eq!((rows.size, rows.last, rows.has_more), (2, Some(cursor(2)), true));
    }

    #[test]
    fn a_page_ends_at_its_number_of_bytes() {
        let mut rows = rows(1_000);
        let document = format!(r#"{{"name":"{}"}}"#, "x".repeat(60_000));
        for id in 1..=100 {
            rows.push(cursor(id), Some(&document));
        }
        assert!(rows.has_more);
        assert!((69..=71).contains(&rows.size), "{}", rows.size);
        assert!(rows.items.len() < PAGE_BYTES + document.len() + ROOM_FOR_ID);
        assert_eq!(rows.last.unwrap().id, i64::try_from(rows.size).unwrap());
    }

    #[test]
    fn the_last_page_has_no_rows_after_it() {
        let mut rows = rows(2);
        rows.push(cursor(1), Some("corrupt"));
        rows.push(cursor(2), Some(r#"{"name":"m"}"#));
        assert_eq!((rows.size, rows.last, rows.has_more), (1, Some(cursor(2)), false));
    }
}
