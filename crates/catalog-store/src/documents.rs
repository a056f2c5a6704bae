//! Documents of rows, within limits of memory.
//!
//! The first statement of a list reads small documents only, and the sizes of all. The page ends where its documents take too
//! many bytes. Those that are missing are read by a second statement in a snapshot, after a share of the memory budget is taken:
//! nobody waits for memory while it holds a share, or a connection to the database.

use std::collections::HashMap;

use model_registry_base::{MemoryPool, MemoryShare};
use model_registry_store::dialect::Dialect;
use model_registry_store::sql::{size_in_bytes, string_up_to};
use model_registry_store::{PAGE_BYTES, Result, StoreError, from_row};
use sea_query::{Expr, ExprTrait, Query, SelectStatement};

use crate::kind::table;
use crate::page_token::Key;
use crate::{CatalogKind, CatalogPage, CatalogRecord, page_token};

/// Copies of a document at the same time: the buffer of the driver, the string, the response.
const COPIES: usize = 4;
/// Documents up to this size, in bytes, are read with their row; on long pages smaller ones, see [`small`].
const LARGEST_SMALL: usize = 64 * 1024;
/// Memory of an item of a page, in bytes, as long as its size is not known; and the most that a page waits for.
const MEMORY_OF_ITEM: usize = 16 * 1024;
const MEMORY_OF_PAGE: usize = 8 * PAGE_BYTES;
/// The memory of a page that does not wait: the number of connections to the database limits those.
const SMALL_PAGE: usize = 1 << 20;
/// Documents of one statement.
const BATCH: usize = 1_000;

/// The size of the documents that the first statement of a page reads: all of them together are twice as large as a page at
/// most. Without a page size, none are read before their size is known.
pub(crate) fn small(page_size: Option<u32>) -> i64 {
    let Some(page_size) = page_size else { return 0 };
    let each = 2 * PAGE_BYTES / (page_size as usize + 1);
    i64::try_from(each.min(LARGEST_SMALL)).unwrap_or(0)
}

/// A row whose document is null if it is larger than the statement reads.
pub(crate) struct SizedRow {
    pub(crate) id: i64,
    pub(crate) kind: i16,
    pub(crate) parent_id: i64,
    pub(crate) name: Option<String>,
    pub(crate) document: Option<String>,
    /// The size of the document, in bytes.
    pub(crate) size: i64,
}

from_row!(SizedRow { id, kind, parent_id, name, document, size });

pub(crate) const SIZED_COLUMNS: [&str; 6] = ["id", "kind", "parent_id", "name", "document", "size"];

/// Selects [`SIZED_COLUMNS`] of a table, with documents up to a size.
pub(crate) fn add_sized_columns(select: &mut SelectStatement, table: &'static str, small: i64, dialect: Dialect) {
    select
        .columns(["id", "kind", "parent_id", "name"].map(|column| (table, column)))
        .expr_as(string_up_to(table, "document", small), "document")
        .expr_as(size_in_bytes(table, "document", dialect), "size");
}

impl SizedRow {
    pub(crate) fn size(&self) -> usize {
        usize::try_from(self.size).unwrap_or(0)
    }

    pub(crate) fn is_lacking(&self) -> bool {
        self.document.is_none()
    }

    /// The record, with a document that was read separately if necessary; `None` if the row is gone.
    pub(crate) fn complete(self, documents: &mut HashMap<i64, String>) -> Option<CatalogRecord> {
        let Self { id, kind, parent_id, name, document, size: _ } = self;
        let document = document.or_else(|| documents.remove(&id))?;
        Some(CatalogRecord::new(id, kind, parent_id, name.unwrap_or_default(), document))
    }
}

/// The sum of the sizes of the documents that are still to be read, in bytes.
pub(crate) fn lacking<'a>(rows: impl IntoIterator<Item = &'a SizedRow>) -> usize {
    rows.into_iter().filter(|row| row.is_lacking()).map(SizedRow::size).sum()
}

/// How many of the rows fit on a page of [`PAGE_BYTES`]: at least one.
pub(crate) fn fitting<'a>(rows: impl IntoIterator<Item = &'a SizedRow>) -> usize {
    let mut bytes = 0_usize;
    let fitting = rows.into_iter().take_while(|row| {
        bytes = bytes.saturating_add(row.size());
        bytes <= PAGE_BYTES
    });
    fitting.count().max(1)
}

/// The rows of a page with their keys.
pub(crate) struct RowsWithKeys {
    pub(crate) rows: Vec<(SizedRow, Key)>,
    /// Whether there are rows after the page.
    pub(crate) has_more: bool,
}

impl RowsWithKeys {
    /// Ends the page where its documents take too many bytes.
    pub(crate) fn cut(mut self) -> Self {
        let fitting = fitting(self.rows.iter().map(|(row, _)| row));
        if fitting < self.rows.len() {
            self.rows.truncate(fitting);
            self.has_more = true;
        }
        self
    }

    pub(crate) fn sized(&self) -> impl Iterator<Item = &SizedRow> + Clone {
        self.rows.iter().map(|(row, _)| row)
    }

    pub(crate) fn into_page(
        self,
        mut documents: HashMap<i64, String>,
        fingerprint: &str,
        memory: Option<MemoryShare>,
    ) -> CatalogPage {
        let next = self.rows.last().filter(|_| self.has_more);
        let next_page_token = next.map(|(last, key)| page_token::encode(key, last.id, fingerprint));
        let rows = self.rows.into_iter().filter_map(|(row, _)| row.complete(&mut documents));
        CatalogPage { rows: rows.collect(), next_page_token: next_page_token.unwrap_or_default(), _memory: memory }
    }
}

/// Selects the documents of rows, in statements of limited length.
pub(crate) fn select_documents(kind: CatalogKind, ids: &[i64]) -> impl Iterator<Item = SelectStatement> {
    let table = table(kind);
    ids.chunks(BATCH).map(move |ids| {
        Query::select()
            .columns(["id", "document"])
            .from(table)
            .and_where(Expr::col("id").is_in(ids.iter().copied()))
            .take()
    })
}

/// The memory of the documents that a request reads.
#[derive(Debug)]
pub(crate) struct ReadMemory {
    pool: MemoryPool,
    /// Bytes of documents that the share is for.
    bytes: usize,
    share: Option<MemoryShare>,
}

impl ReadMemory {
    pub(crate) fn none(pool: &MemoryPool) -> Self {
        Self { pool: pool.clone(), bytes: 0, share: None }
    }

    /// Waits for the memory of a page whose documents are not known, unless it is small. Large pages of many requests at the
    /// same time would take too much.
    pub(crate) async fn of_page(pool: &MemoryPool, page_size: Option<u32>) -> Self {
        let items = page_size.map_or(0, |size| size as usize);
        let bytes = items.saturating_mul(MEMORY_OF_ITEM).min(MEMORY_OF_PAGE);
        let share = if bytes <= SMALL_PAGE { None } else { Some(pool.take(bytes).await) };
        Self { pool: pool.clone(), bytes: 0, share }
    }

    /// Waits for the memory of documents, in addition to those before. To be called without a connection to the database.
    pub(crate) async fn wait_for(&mut self, bytes: usize) {
        let Some(needed) = self.add(bytes) else { return };
        self.share = Some(self.pool.take(needed).await);
    }

    /// As [`Self::wait_for`], without waiting.
    pub(crate) fn take_now(&mut self, bytes: usize) -> Result<()> {
        let Some(needed) = self.add(bytes) else { return Ok(()) };
        self.share = Some(self.pool.try_take_at_most(needed).ok_or(StoreError::NoMemory)?);
        Ok(())
    }

    /// The size of a larger share, if the present one is too small, which is given up: who keeps one while it waits for another
    /// may wait for somebody who does the same.
    fn add(&mut self, bytes: usize) -> Option<usize> {
        self.bytes = self.bytes.saturating_add(bytes);
        let needed = self.bytes.saturating_mul(COPIES).min(self.pool.size());
        let is_enough = needed == 0 || self.share.as_ref().is_some_and(|share| share.bytes() >= needed);
        if is_enough {
            return None;
        }
        self.share = None;
        Some(needed)
    }

    pub(crate) fn into_share(self) -> Option<MemoryShare> {
        self.share
    }
}

#[cfg(test)]
mod tests {
    use model_registry_base::MemoryBudget;

    use super::*;

    fn row(id: i64, size: usize) -> SizedRow {
        let size = i64::try_from(size).unwrap();
        SizedRow { id, kind: 1, parent_id: 0, name: None, document: None, size }
    }

    #[test]
    fn a_page_ends_at_its_number_of_bytes_and_has_at_least_one_row() {
        assert_eq!(fitting(&[row(1, PAGE_BYTES / 2), row(2, PAGE_BYTES / 2), row(3, 1)]), 2);
        assert_eq!(fitting(&[row(1, 2 * PAGE_BYTES), row(2, 1)]), 1);
        assert_eq!(lacking(&[row(1, 10), SizedRow { document: Some(String::new()), ..row(2, 5) }, row(3, 1)]), 11);
    }

    #[test]
    fn the_first_statement_of_a_page_reads_twice_its_bytes_at_most() {
        for page_size in [1, 10, 100, 1_000, 10_000] {
            let all = usize::try_from(small(Some(page_size))).unwrap() * (page_size as usize + 1);
            assert!(all <= 2 * PAGE_BYTES, "{page_size}: {all}");
        }
        assert_eq!((small(Some(10)), small(None)), (65_536, 0));
    }

    #[tokio::test]
    async fn no_share_is_kept_while_another_one_is_waited_for() {
        let pool = MemoryBudget::default().work;
        let mut memory = ReadMemory::of_page(&pool, Some(1_000)).await;
        let estimate = pool.used();
        assert!(estimate > SMALL_PAGE);
        memory.take_now(1_000).unwrap();
        assert_eq!(pool.used(), estimate, "the estimate is enough");
        let _other = pool.take(pool.size() - estimate).await;
        assert!(matches!(memory.take_now(estimate), Err(StoreError::NoMemory)));
        assert_eq!(pool.used(), pool.size() - estimate);
        tokio::select! {
            biased;
            () = memory.wait_for(1) => panic!("there is no memory"),
            () = std::future::ready(()) => {}
        }
    }
}
