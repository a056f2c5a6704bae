//! Several files become one configuration.

use std::collections::BTreeMap;
use std::path::Path;

use super::{AssetType, Configuration, Source, SourceEntry, SourcesFile};
use crate::yaml::Problem;

/// Merges the files in their order. What contradicts an earlier file is left out and told.
pub(super) fn merge<'a>(files: impl Iterator<Item = (&'a Path, &'a SourcesFile)>) -> (Configuration, Vec<Problem>) {
    let mut merged = Configuration::default();
    let mut problems = Vec::new();
    let mut label_origins: BTreeMap<Option<String>, String> = BTreeMap::new();
    for (path, file) in files {
        for (asset, entry) in &file.sources {
            match merged.sources.get_mut(&entry.id) {
                Some(source) if source.asset != *asset => {
                    let reason = format!("id \"{}\" used in both model_catalogs and mcp_catalogs", entry.id);
                    problems.push(Problem::of_file(path, reason));
                }
                Some(source) => apply(source, path, entry),
                None => {
                    let mut source = new_source(*asset, path, entry);
                    apply(&mut source, path, entry);
                    merged.sources.insert(entry.id.clone(), source);
                }
            }
        }
        for (label, position) in &file.labels {
            let name = label.name().map(str::to_owned);
            if let Some(origin) = label_origins.get(&name) {
                let shown = name.as_deref().unwrap_or("null");
                let place = position.map_or_else(
                    || path.display().to_string(),
                    |(line, column)| format!("{}:{line}:{column}", path.display()),
                );
                problems
                    .push(Problem { place, reason: format!("label with name '{shown}' already exists in {origin}") });
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
    (merged, problems)
}

fn new_source(asset: AssetType, path: &Path, entry: &SourceEntry) -> Source {
    Source {
        id: entry.id.clone(),
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
    }
}

/// What is set replaces what was there: texts when they are not empty, lists and maps when they are there at all.
fn apply(source: &mut Source, path: &Path, entry: &SourceEntry) {
    let entry = entry.clone();
    if let Some(name) = entry.name.filter(|name| !name.is_empty()) {
        source.name = name;
    }
    if let Some(kind) = entry.kind.filter(|kind| !kind.is_empty()) {
        source.kind = kind;
    }
    source.enabled = entry.enabled.unwrap_or(source.enabled);
    source.labels = entry.labels.unwrap_or(std::mem::take(&mut source.labels));
    source.included = entry.included.or(source.included.take());
    source.excluded = entry.excluded.or(source.excluded.take());
    source.listed_as = entry.listed_as.or(source.listed_as);
    if let Some(properties) = entry.properties {
        source.properties = properties;
        path.clone_into(&mut source.origin);
    }
}
