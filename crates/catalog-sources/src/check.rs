//! Looks at sources without a server or database: what would be served, and what is wrong.

use std::collections::HashMap;

use model_registry_catalog_store::CatalogItems;

use crate::Settings;
use crate::configuration::Files;
use crate::loader::{self, Loaded};
use crate::performance::Measurements;
use crate::yaml::Problem;

/// What would be served.
#[derive(Clone, Debug, Default)]
pub struct CheckReport {
    pub sources: Vec<CheckedSource>,
    pub problems: Vec<Problem>,
}

/// One source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedSource {
    pub id: String,
    pub name: String,
    /// `models` or `mcp_servers`.
    pub asset_type: &'static str,
    pub status: &'static str,
    pub items: usize,
    pub skipped: usize,
}

/// Reads everything as a server would. Problems of a whole source come with its id.
pub fn check(settings: &Settings) -> CheckReport {
    let (configuration, mut problems) = Files::default().load(&settings.sources);
    let (measurements, of_measurements) = Measurements::find(&settings.measurements);
    let loaded = loader::read_all(&configuration, &measurements);
    problems.extend(of_measurements);
    let mut sources = Vec::new();
    let mut loaded: HashMap<String, Loaded> =
        loaded.into_iter().map(|loaded| (loaded.snapshot.source_id.clone(), loaded)).collect();
    for source in configuration.sources.values() {
        let Some(Loaded { snapshot, problems: of_source, notices, .. }) = loaded.remove(&source.id) else {
            let (id, name, asset_type) = (source.id.clone(), source.name.clone(), source.listing().as_str());
            sources.push(CheckedSource { id, name, asset_type, status: "read from the hub", items: 0, skipped: 0 });
            continue;
        };
        sources.push(CheckedSource {
            id: source.id.clone(),
            name: source.name.clone(),
            asset_type: source.listing().as_str(),
            status: snapshot.status,
            items: snapshot.items.as_ref().map_or(0, CatalogItems::len),
            skipped: snapshot.skipped,
        });
        problems.extend(of_source);
        problems.extend(notices);
    }
    CheckReport { sources, problems }
}
