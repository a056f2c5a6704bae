//! Several reads of one generation of the catalog.

use std::sync::Arc;

use model_registry_store::{Result, Transaction};

use crate::index::IndexSlot;
use crate::list::Reader;
use crate::read::{RecordRow, select_by_id, select_children};
use crate::{CatalogKind, CatalogList, CatalogPage, CatalogRecord, CatalogStore};

/// The catalog at the time of the first read. It writes nothing and blocks no load; it ends when it is dropped.
pub struct CatalogSnapshot {
    transaction: Transaction,
    index: Arc<IndexSlot>,
}

impl CatalogStore {
    pub async fn snapshot(&self) -> Result<CatalogSnapshot> {
        let transaction = self.database()?.begin_snapshot().await?;
        Ok(CatalogSnapshot { transaction, index: Arc::clone(&self.index) })
    }
}

impl CatalogSnapshot {
    pub async fn list(&mut self, list: &CatalogList<'_>) -> Result<CatalogPage> {
        Reader::Snapshot(&mut self.transaction).list(&self.index, list).await
    }

    pub async fn find_item_by_id(&mut self, kind: CatalogKind, id: i64) -> Result<Option<CatalogRecord>> {
        Ok(self.transaction.fetch_optional::<RecordRow>(&select_by_id(kind, id)).await?.map(CatalogRecord::from))
    }

    /// The children of several parents, in the order of their ids.
    pub async fn list_children(&mut self, kind: CatalogKind, parents: &[i64]) -> Result<Vec<CatalogRecord>> {
        if parents.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.transaction.fetch_all::<RecordRow>(&select_children(kind, parents)).await?;
        Ok(rows.into_iter().map(CatalogRecord::from).collect())
    }
}
