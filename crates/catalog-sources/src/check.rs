//! Checks sources without a server or a database: `model-registry catalog check`.

use std::collections::HashMap;

use model_registry_catalog_store::CatalogItems;

use crate::Settings;
use crate::configuration::SourcesFiles;
use crate::performance_metrics::PerformanceMetrics;
use crate::problem::Problem;
use crate::remote::Remote;
use crate::source_reader::{self, LoadedSource};

/// What a server would publish, and all problems.
#[derive(Clone, Debug, Default)]
pub struct CheckReport {
    pub sources: Vec<CheckedSource>,
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedSource {
    pub id: String,
    pub name: String,
    /// Wire name of the asset type, such as `models`.
    pub asset_type: &'static str,
    pub status: &'static str,
    /// Number of items that are published.
    pub items: usize,
    /// Number of items that are left out.
    pub skipped: usize,
}

/// Reads all sources as a server does, except hubs.
pub fn check(settings: &Settings) -> CheckReport {
    let (configuration, mut problems) = SourcesFiles::default().load(&settings.sources);
    let (metrics, metrics_problems) = PerformanceMetrics::find(&settings.performance_metrics, None);
    let loaded = source_reader::read_sources(&configuration, &metrics);
    problems.extend(metrics_problems);
    let mut sources = Vec::new();
    let mut loaded: HashMap<String, LoadedSource> =
        loaded.into_iter().map(|loaded| (loaded.snapshot.source_id.clone(), loaded)).collect();
    for source in configuration.sources.values() {
        let mut checked = CheckedSource {
            id: source.id.clone(),
            name: source.name.clone(),
            asset_type: source.asset_type.as_str(),
            status: match Remote::of(source) {
                Some(Remote::Repositories) => "read from Git",
                _ => "read from the hub",
            },
            items: 0,
            skipped: 0,
        };
        if let Some(LoadedSource { snapshot, problems: source_problems, notices, .. }) = loaded.remove(&source.id) {
            checked.status = snapshot.status;
            checked.items = snapshot.items.as_ref().map_or(0, CatalogItems::len);
            checked.skipped = snapshot.skipped;
            problems.extend(source_problems);
            problems.extend(notices);
        }
        sources.push(checked);
    }
    CheckReport { sources, problems }
}
