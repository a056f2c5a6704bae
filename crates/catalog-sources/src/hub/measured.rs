//! Measurements of models that hubs publish, as the last load of the files found them.

use std::collections::BTreeMap;
use std::sync::Arc;

use model_registry_base::{hex, run_blocking};
use model_registry_catalog_store::{CatalogItem, CatalogKind};
use model_registry_store::Document;
use sha2::{Digest, Sha256};

use crate::models::Found;
use crate::performance::Measurements;

#[derive(Default)]
pub struct Measured {
    measurements: Measurements,
    /// Of what was measured of a model, by its name in lower case.
    digests: BTreeMap<String, String>,
    /// Of all of it.
    fingerprint: String,
}

impl Measured {
    /// It blocks: files are read.
    pub fn new(measurements: Measurements) -> Self {
        let digests = measurements.digests();
        let mut all = Sha256::new();
        for (name, digest) in &digests {
            all.update(format!("{name} {digest}\n").as_bytes());
        }
        Self { measurements, digests, fingerprint: hex(&all.finalize()) }
    }

    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub(super) fn digest(&self, name: &str) -> Option<&str> {
        self.digests.get(&name.to_lowercase()).map(String::as_str)
    }

    /// Adds what was measured of a model to its item.
    pub(super) async fn attach(self: &Arc<Self>, mut item: CatalogItem) -> CatalogItem {
        if self.digest(&item.key).is_none() {
            return item;
        }
        let measured = Arc::clone(self);
        let attaching = run_blocking(move || {
            // What is wrong with them is told for all models of the source together.
            measured.measurements.attach(&item.key.clone(), &mut item, &mut Found::default());
            item
        });
        attaching.await
    }

    /// What is wrong with the measurements of the models, those that were not read again included.
    pub(super) async fn check(self: &Arc<Self>, mut names: Vec<String>) -> Found {
        names.retain(|name| self.digest(name).is_some());
        let measured = Arc::clone(self);
        let checking = run_blocking(move || {
            let mut found = Found::default();
            for name in names {
                let mut nobodys = CatalogItem {
                    kind: CatalogKind::Model,
                    key: String::new(),
                    name: None,
                    document: Document::default(),
                    create_time: None,
                    update_time: None,
                    children: Vec::new(),
                };
                measured.measurements.attach(&name, &mut nobodys, &mut found);
            }
            found
        });
        checking.await
    }
}
