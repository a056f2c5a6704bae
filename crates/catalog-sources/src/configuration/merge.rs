//! Several files become one configuration.

use std::collections::BTreeMap;
use std::path::Path;

use model_registry_api::catalog::AssetType;

use super::{Configuration, Source, SourceEntry, SourcePlaces, SourcesFile, properties};
use crate::yaml::Problem;

/// Merges the files in their order. What contradicts an earlier file is left out and told, as is what files and sources say
/// that does nothing.
pub(super) fn merge<'a>(files: impl Iterator<Item = (&'a Path, &'a SourcesFile)>) -> (Configuration, Vec<Problem>) {
    let mut merged = Configuration::default();
    let mut problems = Vec::new();
    let mut label_origins: BTreeMap<Option<String>, String> = BTreeMap::new();
    for (path, file) in files {
        problems.extend(file.problems.iter().cloned());
        for (asset, entry) in &file.sources {
            let source = merged.sources.entry(entry.id.clone()).or_insert_with(|| new_source(*asset, path, &entry.id));
            if source.asset != *asset {
                let reason = format!("id \"{}\" used in both model_catalogs and mcp_catalogs", entry.id);
                problems.push(Problem::at(path, entry.place, format!("{reason}: this one is left out")));
                continue;
            }
            apply(source, path, entry);
            let places = merged.places.entry(entry.id.clone()).or_insert_with(|| places(path, entry));
            if entry.fields.properties.is_some() {
                *places = self::places(path, entry);
            }
        }
        for (label, place) in &file.labels {
            let name = label.name().map(str::to_owned);
            if let Some(origin) = label_origins.get(&name) {
                let shown = name.as_deref().unwrap_or("null");
                let reason = format!("label with name '{shown}' already exists in {origin}: this one is left out");
                problems.push(Problem::at(path, *place, reason));
                continue;
            }
            label_origins.insert(name, path.display().to_string());
            merged.labels.push(label.clone());
        }
        for (name, query) in &file.named_queries {
            let merged = merged.named_queries.entry(name.clone()).or_insert_with(|| query.clone());
            merged.asset = query.asset;
            merged.fields.extend(query.fields.clone());
        }
    }
    let enabled = merged.sources.values().filter(|source| source.enabled && source.broken.is_none());
    for source in enabled {
        if let Some(places) = merged.places.get(&source.id) {
            problems.extend(properties::notices(source, places));
        }
    }
    (merged, problems)
}

fn places(path: &Path, entry: &SourceEntry) -> SourcePlaces {
    SourcePlaces { file: path.to_owned(), place: entry.place, properties: entry.property_places.clone() }
}

fn new_source(asset: AssetType, path: &Path, id: &str) -> Source {
    Source {
        id: id.to_owned(),
        asset,
        listed_as: None,
        name: String::new(),
        kind: String::new(),
        enabled: true,
        labels: Vec::new(),
        included: None,
        excluded: None,
        properties: serde_json::Map::new(),
        origin: path.to_owned(),
        broken: None,
    }
}

/// What is set replaces what was there: texts when they are not empty, lists and maps when they are there at all.
fn apply(source: &mut Source, path: &Path, entry: &SourceEntry) {
    let fields = entry.fields.clone();
    if let Some(name) = fields.name.filter(|name| !name.is_empty()) {
        source.name = name;
    }
    if let Some(kind) = fields.kind.filter(|kind| !kind.is_empty()) {
        source.kind = kind;
    }
    source.enabled = fields.enabled.unwrap_or(source.enabled);
    source.labels = fields.labels.unwrap_or(std::mem::take(&mut source.labels));
    source.included = fields.included.or(source.included.take());
    source.excluded = fields.excluded.or(source.excluded.take());
    source.listed_as = fields.listed_as.or(source.listed_as);
    if let Some(properties) = fields.properties {
        source.properties = properties;
        path.clone_into(&mut source.origin);
    }
    source.broken = source.broken.take().or_else(|| entry.broken.clone());
}
