//! Several reads of one generation of the catalog.

use std::collections::HashMap;
use std::sync::Arc;

use model_registry_base::MemoryShare;
use model_registry_store::{Result, Transaction};

use crate::documents::{ReadMemory, SizedRow, lacking, select_documents, small};
use crate::index::IndexSlot;
use crate::list::Reader;
use crate::read::{select_by_id, select_children};
use crate::{CatalogKind, CatalogList, CatalogPage, CatalogRecord, CatalogStore};

/// The catalog at the time of the first read. It writes nothing and blocks no load; it ends when it is dropped.
pub struct CatalogSnapshot {
    transaction: Transaction,
    index: Arc<IndexSlot>,
    memory: ReadMemory,
}

impl CatalogStore {
    /// Begins a snapshot, after waiting for the memory of a page of this size.
    pub async fn snapshot(&self, page_size: u32) -> Result<CatalogSnapshot> {
        let memory = ReadMemory::of_page(self.inner().memory(), Some(page_size)).await;
        CatalogSnapshot::begin(self, memory).await
    }
}

impl CatalogSnapshot {
    pub(crate) async fn begin(store: &CatalogStore, memory: ReadMemory) -> Result<Self> {
        let transaction = store.database()?.begin_snapshot().await?;
        Ok(Self { transaction, index: Arc::clone(&store.index), memory })
    }

    pub(crate) fn into_share(self) -> Option<MemoryShare> {
        self.memory.into_share()
    }

    pub async fn list(&mut self, list: &CatalogList<'_>) -> Result<CatalogPage> {
        let fingerprint = list.fingerprint();
        let rows = Reader::Snapshot(&mut self.transaction).list(&self.index, list, &fingerprint).await?;
        let kind = list.set.kinds.first().copied();
        let documents = self.documents(kind, rows.sized()).await?;
        Ok(rows.into_page(documents, &fingerprint, None))
    }

    pub async fn find_item_by_id(&mut self, kind: CatalogKind, id: i64) -> Result<Option<CatalogRecord>> {
        let select = select_by_id(kind, id, small(Some(1)), self.transaction.dialect());
        let row = self.transaction.fetch_optional::<SizedRow>(&select).await?;
        let mut documents = self.documents(Some(kind), &row).await?;
        Ok(row.and_then(|row| row.complete(&mut documents)))
    }

    /// The children of several parents, in the order of their ids; of each parent at most `limit`.
    pub async fn list_children(
        &mut self,
        kind: CatalogKind,
        parents: &[i64],
        limit: usize,
    ) -> Result<Vec<CatalogRecord>> {
        if parents.is_empty() {
            return Ok(Vec::new());
        }
        // Without documents: their size and their number are known first.
        let select = select_children(kind, parents, self.transaction.dialect());
        let mut rows = self.transaction.fetch_all::<SizedRow>(&select).await?;
        let mut counts: HashMap<i64, usize> = HashMap::new();
        rows.retain(|row| {
            let count = counts.entry(row.parent_id).or_default();
            *count += 1;
            *count <= limit
        });
        let mut documents = self.documents(Some(kind), &rows).await?;
        Ok(rows.into_iter().filter_map(|row| row.complete(&mut documents)).collect())
    }

    /// Reads the documents that rows lack, if there is memory for them.
    async fn documents<'a>(
        &mut self,
        kind: Option<CatalogKind>,
        rows: impl IntoIterator<Item = &'a SizedRow> + Clone,
    ) -> Result<HashMap<i64, String>> {
        let ids: Vec<i64> = rows.clone().into_iter().filter(|row| row.is_lacking()).map(|row| row.id).collect();
        let (Some(kind), false) = (kind, ids.is_empty()) else { return Ok(HashMap::new()) };
        self.memory.take_now(lacking(rows))?;
        let mut documents = HashMap::with_capacity(ids.len());
        for select in select_documents(kind, &ids) {
            documents.extend(self.transaction.fetch_all::<(i64, String)>(&select).await?);
        }
        Ok(documents)
    }
}
