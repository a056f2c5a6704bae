//! Several reads that see one and the same load of the catalog.

use model_registry_store::{Result, Transaction};

use super::list::Reader;
use super::read::{RecordRow, select_by_id, select_children};
use super::{CatalogKind, CatalogList, CatalogPage, CatalogRecord, CatalogStore};

/// The catalog as it was at the first read. Writes nothing and holds nobody up; ends when it is dropped.
pub struct CatalogSnapshot(Transaction);

impl CatalogStore {
    pub async fn snapshot(&self) -> Result<CatalogSnapshot> {
        Ok(CatalogSnapshot(self.database()?.begin_snapshot().await?))
    }
}

impl CatalogSnapshot {
    pub async fn list(&mut self, list: &CatalogList<'_>) -> Result<CatalogPage> {
        Reader::Snapshot(&mut self.0).list(list).await
    }

    pub async fn find_item_by_id(&mut self, kind: CatalogKind, id: i64) -> Result<Option<CatalogRecord>> {
        Ok(self.0.fetch_optional::<RecordRow>(&select_by_id(kind, id)).await?.map(CatalogRecord::from))
    }

    /// The children of several parents, in the order of their ids.
    pub async fn list_children(&mut self, kind: CatalogKind, parents: &[i64]) -> Result<Vec<CatalogRecord>> {
        if parents.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.0.fetch_all::<RecordRow>(&select_children(kind, parents)).await?;
        Ok(rows.into_iter().map(CatalogRecord::from).collect())
    }
}
