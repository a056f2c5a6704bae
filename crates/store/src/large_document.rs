//! Large documents are not read together with others: a page or a shared statement of them would take as much memory as they
//! have bytes, times the buffers on the way.
//!
//! Statements that read several rows leave large documents out. Those that are needed are read by a statement of their own,
//! after their size is known and a share of the memory budget is taken. The sizes are read first because databases know
//! them without reading the documents.

use std::collections::HashMap;

use model_registry_base::{MemoryPool, MemoryShare};
use sea_query::{Alias, CaseStatement, Expr, ExprTrait, Func, Query};

use crate::db::Database;
use crate::dialect::Dialect;
use crate::error::Result;
use crate::tables::{WORKSPACE, constant};

/// Documents over this size, in bytes, are large.
pub(crate) const LARGE: i64 = 64 * 1024;

/// Copies of a document at the same time: the buffer of the driver, the string, the response.
const COPIES: usize = 3;

/// Documents with the memory that they take.
pub(crate) struct LargeDocuments {
    pub(crate) by_id: HashMap<i64, String>,
    pub(crate) memory: MemoryShare,
}

/// The size of a string column, in bytes.
fn size(table: &'static str, column: &'static str) -> Expr {
    Func::cust("octet_length").arg(Expr::col((table, column))).into()
}

/// The same as a 64-bit integer, which all drivers decode.
pub fn size_in_bytes(table: &'static str, column: &'static str, dialect: Dialect) -> Expr {
    size(table, column).cast_as(integer(dialect))
}

/// The sum of the sizes of all rows.
pub fn sum_of_sizes(table: &'static str, column: &'static str, dialect: Dialect) -> Expr {
    Func::coalesce([Func::sum(size(table, column)).into(), constant(0)]).cast_as(integer(dialect))
}

/// The name of the type in casts.
fn integer(dialect: Dialect) -> Alias {
    Alias::new(if dialect == Dialect::MySql { "SIGNED" } else { "BIGINT" })
}

/// A string column, or null if it is larger than a limit.
pub fn string_up_to(table: &'static str, column: &'static str, limit: impl Into<Expr>) -> Expr {
    CaseStatement::new().case(size(table, column).lte(limit.into()), Expr::col((table, column))).into()
}

/// The document, or null if it is large.
pub(crate) fn small_document(table: &'static str) -> Expr {
    string_up_to(table, "document", constant(LARGE))
}

/// The memory that reading a document of a size takes.
pub(crate) fn memory_of(bytes: usize) -> usize {
    bytes.saturating_mul(COPIES)
}

impl Database {
    /// The sizes of documents, in bytes.
    pub(crate) async fn document_sizes(&self, table: &'static str, ids: &[i64]) -> Result<HashMap<i64, usize>> {
        let select = Query::select()
            .column((table, "id"))
            .expr(size_in_bytes(table, "document", self.dialect()))
            .from(table)
            .and_where(Expr::col((table, "workspace_id")).eq(constant(WORKSPACE)))
            .and_where(Expr::col((table, "id")).is_in(ids.iter().copied()))
            .take();
        let rows: Vec<(i64, i64)> = self.fetch_all(&select).await?;
        Ok(rows.into_iter().map(|(id, size)| (id, usize::try_from(size).unwrap_or(0))).collect())
    }

    /// Reads documents of `bytes` together, after waiting for their memory.
    pub(crate) async fn large_documents(
        &self,
        table: &'static str,
        ids: &[i64],
        bytes: usize,
        memory: &MemoryPool,
    ) -> Result<LargeDocuments> {
        let memory = memory.take(memory_of(bytes)).await;
        let select = Query::select()
            .columns(["id", "document"])
            .from(table)
            .and_where(Expr::col("workspace_id").eq(constant(WORKSPACE)))
            .and_where(Expr::col("id").is_in(ids.iter().copied()))
            .take();
        let rows: Vec<(i64, String)> = self.fetch_all(&select).await?;
        Ok(LargeDocuments { by_id: rows.into_iter().collect(), memory })
    }
}
