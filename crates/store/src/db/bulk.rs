//! Many new rows for one table, several to a statement.

use sea_query::{Expr, Query};

use super::Transaction;
use crate::error::Result;

/// Values in a statement at most; SQLite's limit is 32,766, and longer statements are not faster.
const VALUES: usize = 8_000;

impl Transaction {
    /// Inserts rows whose values stand in the order of the columns.
    pub(crate) async fn insert_rows<R: IntoIterator<Item = Expr> + Send>(
        &mut self,
        table: &'static str,
        columns: &[&'static str],
        rows: Vec<R>,
    ) -> Result<()> {
        let most = VALUES / columns.len().max(1);
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let mut insert = Query::insert();
            insert.into_table(table).columns(columns.iter().copied());
            for row in rows.by_ref().take(most) {
                insert.values_panic(row);
            }
            self.execute(&insert).await?;
        }
        Ok(())
    }
}
