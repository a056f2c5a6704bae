//! The catalog's tables of a store, together with the index in memory.

use std::sync::Arc;

use model_registry_store::{Database, Result, Store};

use crate::CatalogLoad;
use crate::index::IndexSlot;
use crate::load::LoadReport;

/// The catalog in a database. Clones share the index.
#[derive(Clone)]
pub struct CatalogStore {
    store: Store,
    pub(crate) index: Arc<IndexSlot>,
}

impl CatalogStore {
    pub fn new(store: Store) -> Self {
        Self { store, index: Arc::default() }
    }

    /// The store with the catalog's tables, for its clock and leases.
    pub fn inner(&self) -> &Store {
        &self.store
    }

    /// Runs a load; `None` where its lease was lost to another replica: nothing was written.
    pub async fn load(&self, load: &CatalogLoad) -> Result<Option<LoadReport>> {
        self.store.write(load).await
    }

    pub(crate) fn database(&self) -> Result<&Database> {
        self.store.database()
    }
}
