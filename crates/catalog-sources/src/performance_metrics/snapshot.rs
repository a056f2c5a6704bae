//! Performance metrics as the last load of the files found them, for models that are synced from hubs.

use std::collections::BTreeMap;
use std::sync::Arc;

use model_registry_api::catalog::CatalogKind;
use model_registry_base::{hex, run_blocking};
use model_registry_catalog_store::CatalogItem;
use model_registry_store::Document;
use sha2::{Digest, Sha256};

use super::PerformanceMetrics;
use crate::item_reader::ReadItems;

#[derive(Default)]
pub struct PerformanceMetricsSnapshot {
    metrics: PerformanceMetrics,
    /// Checksum of the files of each model, by its name in lower case.
    checksums: BTreeMap<String, String>,
    /// Checksum of all files.
    fingerprint: String,
}

impl PerformanceMetricsSnapshot {
    /// Blocks while files are read.
    pub fn new(metrics: PerformanceMetrics) -> Self {
        let checksums = metrics.checksums();
        let mut all = Sha256::new();
        for (name, checksum) in &checksums {
            all.update(format!("{name} {checksum}\n").as_bytes());
        }
        Self { metrics, checksums, fingerprint: hex(&all.finalize()) }
    }

    /// What was found, for the next search.
    pub fn metrics(&self) -> &PerformanceMetrics {
        &self.metrics
    }

    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub(crate) fn checksum(&self, model: &str) -> Option<&str> {
        self.checksums.get(&model.to_lowercase()).map(String::as_str)
    }

    /// Adds the performance metrics of a model to its item, and returns whether they could be read. Problems with them are left
    /// to [`Self::check`].
    pub(crate) async fn attach(self: &Arc<Self>, mut item: CatalogItem) -> (CatalogItem, bool) {
        if self.checksum(&item.key).is_none() {
            return (item, true);
        }
        let snapshot = Arc::clone(self);
        let attaching = run_blocking(move || {
            let is_complete = snapshot.metrics.attach(&item.key.clone(), &mut item, &mut ReadItems::default());
            (item, is_complete)
        });
        attaching.await
    }

    /// Collects problems with the performance metrics of the models, including models that were not read again.
    pub(crate) async fn check(self: &Arc<Self>, mut models: Vec<String>) -> ReadItems {
        models.retain(|model| self.checksum(model).is_some());
        let snapshot = Arc::clone(self);
        let checking = run_blocking(move || {
            let mut read = ReadItems::default();
            for model in models {
                let mut discarded = CatalogItem {
                    kind: CatalogKind::Model,
                    key: String::new(),
                    name: None,
                    document: Document::default(),
                    create_time: None,
                    update_time: None,
                    written: Vec::new(),
                    children: Vec::new(),
                };
                snapshot.metrics.attach(&model, &mut discarded, &mut read);
            }
            read
        });
        checking.await
    }
}
