//! Merges several sources files into one configuration.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use model_registry_api::catalog::AssetType;

use super::source_entry::SourceEntry;
use super::sources_file::ambiguous_id;
use super::{Configuration, Source, SourceLocation, SourcesFile, source_properties};
use crate::problem::Problem;
use crate::skills::{self, SkillProperties, SkillSettings};

/// Merges the files in their order. Entries that contradict an earlier file are left out with a problem.
pub(super) fn merge<'a>(files: impl Iterator<Item = (&'a Path, &'a SourcesFile)>) -> (Configuration, Vec<Problem>) {
    let mut merged = Configuration::default();
    let mut problems = Vec::new();
    let mut label_origins: BTreeMap<Option<String>, String> = BTreeMap::new();
    for (path, file) in files {
        problems.extend(file.problems.iter().cloned());
        for (asset_type, entry) in &file.sources {
            let source =
                merged.sources.entry(entry.id.clone()).or_insert_with(|| new_source(*asset_type, path, &entry.id));
            if source.asset_type != *asset_type {
                let reason = ambiguous_id(&entry.id, source.asset_type, *asset_type);
                problems.push(Problem::at(path, entry.position, format!("{reason}: this one is left out")));
                continue;
            }
            apply(source, path, entry);
            let location = merged.locations.entry(entry.id.clone()).or_insert_with(|| location(path, entry));
            if entry.fields.properties.is_some() {
                let notices = std::mem::take(&mut location.notices);
                *location = SourceLocation { notices, ..self::location(path, entry) };
            }
            location.notices.extend(entry.notices.iter().cloned());
        }
        for (label, position) in &file.labels {
            let name = label.name().map(str::to_owned);
            if let Some(origin) = label_origins.get(&name) {
                let shown = name.as_deref().unwrap_or("null");
                let reason = format!("label with name '{shown}' already exists in {origin}: this one is left out");
                problems.push(Problem::at(path, *position, reason));
                continue;
            }
            label_origins.insert(name, path.display().to_string());
            merged.labels.push(label.clone());
        }
        for (name, query) in &file.named_queries {
            let merged = merged.named_queries.entry(name.clone()).or_insert_with(|| query.clone());
            merged.asset_type = query.asset_type;
            merged.fields.extend(query.fields.clone());
        }
    }
    for source in merged.sources.values_mut().filter(|source| source.enabled && source.problem.is_none()) {
        let Some(location) = merged.locations.get(&source.id) else { continue };
        match skill_settings(source, location) {
            Some(Ok(settings)) => source.skills = Some(Arc::new(settings)),
            Some(Err(problem)) => source.problem = Some(problem),
            None => {}
        }
    }
    let enabled = merged.sources.values().filter(|source| source.enabled && source.problem.is_none());
    for source in enabled {
        if let Some(location) = merged.locations.get_mut(&source.id) {
            let notices = source_properties::notices(source, location);
            location.notices.extend(notices.iter().cloned());
            problems.extend(notices);
        }
    }
    (merged, problems)
}

/// The settings of a source that is read from files of the format `SKILL.md`; `None` for others.
fn skill_settings(source: &Source, location: &SourceLocation) -> Option<Result<SkillSettings, Problem>> {
    let properties = match &source.skill_properties {
        Some(Ok(properties)) => properties,
        Some(Err(problem)) => {
            // A data file has other properties, and notices about unknown ones.
            let is_strict = skills::validate(source, location, &SkillProperties::default()).is_some();
            return is_strict.then(|| Err(problem.clone()));
        }
        None => &SkillProperties::default(),
    };
    skills::validate(source, location, properties)
}

fn location(path: &Path, entry: &SourceEntry) -> SourceLocation {
    SourceLocation {
        file: path.to_owned(),
        position: entry.position,
        properties: entry.property_positions.clone(),
        notices: Vec::new(),
    }
}

fn new_source(asset_type: AssetType, path: &Path, id: &str) -> Source {
    Source {
        id: id.to_owned(),
        asset_type,
        states_asset_type: false,
        name: String::new(),
        source_type: String::new(),
        enabled: true,
        labels: Vec::new(),
        included: None,
        excluded: None,
        properties: serde_json::Map::new(),
        skill_properties: None,
        skills: None,
        origin: path.to_owned(),
        problem: None,
    }
}

/// Applies the fields that an entry sets. An empty string is like none; an empty list or map replaces the earlier one.
fn apply(source: &mut Source, path: &Path, entry: &SourceEntry) {
    let fields = entry.fields.clone();
    if let Some(name) = fields.name.filter(|name| !name.is_empty()) {
        source.name = name;
    }
    if let Some(source_type) = fields.source_type.filter(|source_type| !source_type.is_empty()) {
        source.source_type = source_type;
    }
    source.enabled = fields.enabled.unwrap_or(source.enabled);
    source.labels = fields.labels.unwrap_or(std::mem::take(&mut source.labels));
    source.included = fields.included.or(source.included.take());
    source.excluded = fields.excluded.or(source.excluded.take());
    source.states_asset_type |= fields.states_asset_type;
    if let Some(properties) = fields.properties {
        source.properties = properties;
        source.skill_properties = fields.skills;
        path.clone_into(&mut source.origin);
    }
    source.problem = source.problem.take().or_else(|| entry.problem.clone());
}
