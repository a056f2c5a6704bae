//! The configuration of a catalog: sources, labels and named queries from one or several sources files.
//!
//! Later files win, field by field, so that a short file can enable what a default file ships disabled. A file or source that
//! cannot be used any more keeps its last valid content, with a problem.

mod label;
mod merge;
mod named_query;
mod source_entry;
mod source_properties;
mod sources_file;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model_registry_api::catalog::AssetType;
use serde_json::{Map, Value};

pub use self::label::Label;
pub use self::named_query::{NamedQuery, to_filter};
pub(crate) use self::source_properties::{PATH, TOKEN_VARIABLE, YAML_PATH, is_own_variable};
use self::sources_file::SourcesFile;
use crate::problem::{Position, Problem};
use crate::skills::{SkillProperties, SkillSettings};
use crate::yaml;

/// A source after all files have been merged.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    pub id: String,
    pub asset_type: AssetType,
    /// Whether its entry has an `assetType`; it is that of its section.
    pub states_asset_type: bool,
    pub name: String,
    /// The `type` of its entry, such as `yaml`.
    pub source_type: String,
    pub enabled: bool,
    pub labels: Vec<String>,
    pub included: Option<Vec<String>>,
    pub excluded: Option<Vec<String>>,
    pub properties: Map<String, Value>,
    /// The file that the properties come from: paths are relative to its directory.
    pub origin: PathBuf,
    /// Its properties as they are written, of a source of skills.
    pub(crate) skill_properties: Option<Result<SkillProperties, Problem>>,
    /// Valid settings of a source that is read from files of the format `SKILL.md`.
    pub(crate) skills: Option<Arc<SkillSettings>>,
    /// Why its entry cannot be used: it is not read, and items that were published before stay.
    pub problem: Option<Problem>,
}

/// The location of a source in a sources file. Not a part of [`Source`]: moving an entry does not change the source.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceLocation {
    pub(crate) file: PathBuf,
    pub(crate) position: Position,
    /// Positions of the properties in the file that they come from.
    pub(crate) properties: BTreeMap<String, Position>,
    /// Keys, words and properties of the source that are ignored.
    pub notices: Vec<Problem>,
}

impl Source {
    /// A property that is a string and not empty.
    pub fn string_property(&self, name: &str) -> Option<&str> {
        self.properties.get(name).and_then(Value::as_str).filter(|value| !value.is_empty())
    }

    /// The patterns of included and excluded names, with those below `properties`.
    pub(crate) fn patterns(&self) -> [Vec<String>; 2] {
        let keys = self.asset_type.spec().sources.pattern_keys().unwrap_or_default();
        let own = [&self.included, &self.excluded].map(|list| list.clone().unwrap_or_default());
        let mut both = keys.iter().zip(own).map(|(key, mut patterns)| {
            let more = self.properties.get(key).and_then(Value::as_array).into_iter().flatten();
            patterns.extend(more.filter_map(Value::as_str).map(str::to_owned));
            patterns
        });
        [both.next().unwrap_or_default(), both.next().unwrap_or_default()]
    }

    /// Resolves a path of its properties.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.origin.parent().unwrap_or(Path::new("")).join(relative)
    }
}

impl SourceLocation {
    /// A problem of a property, or of the source if it lacks the property.
    pub(crate) fn property_problem(&self, origin: &Path, name: &str, reason: impl Into<String>) -> Problem {
        match self.properties.get(name) {
            Some(position) => Problem::at(origin, *position, reason),
            None => self.problem(reason),
        }
    }

    /// A problem of the source as a whole.
    pub(crate) fn problem(&self, reason: impl Into<String>) -> Problem {
        Problem::at(&self.file, self.position, reason)
    }
}

/// The merged configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configuration {
    /// By id.
    pub sources: BTreeMap<String, Source>,
    /// By the id of the source.
    pub locations: BTreeMap<String, SourceLocation>,
    /// In the order of the files.
    pub labels: Vec<Label>,
    /// By name.
    pub named_queries: BTreeMap<String, NamedQuery>,
}

/// Sources files with their last valid content.
#[derive(Debug, Default)]
pub struct SourcesFiles {
    read: HashMap<PathBuf, SourcesFile>,
}

impl SourcesFiles {
    /// Reads the files again and merges them.
    pub fn load(&mut self, paths: &[PathBuf]) -> (Configuration, Vec<Problem>) {
        let mut problems = Vec::new();
        for path in paths {
            let read = yaml::read_text(path).and_then(|text| SourcesFile::read(path, &text));
            match read {
                Ok(mut file) => {
                    if let Some(earlier) = self.read.get(path) {
                        file.restore(earlier);
                    }
                    self.read.insert(path.clone(), file);
                }
                Err(problem) => problems.push(problem),
            }
        }
        let files = paths.iter().filter_map(|path| Some((path.as_path(), self.read.get(path)?)));
        let (configuration, merge_problems) = merge::merge(files);
        problems.extend(merge_problems);
        (configuration, problems)
    }

    /// Whether every file could be read at least once, so that all configured sources are known.
    pub fn has_all(&self, paths: &[PathBuf]) -> bool {
        paths.iter().all(|path| self.read.get(path).is_some_and(SourcesFile::is_complete))
    }
}

impl Configuration {
    pub fn named_queries(&self, asset_type: AssetType) -> impl Iterator<Item = (&String, &NamedQuery)> {
        self.named_queries.iter().filter(move |(_, query)| query.asset_type == asset_type)
    }

    /// Ids of the enabled sources that have one of the labels, ignoring case; `null` selects those without any label.
    pub fn sources_with_labels(&self, asset_type: AssetType, labels: &[String]) -> Vec<String> {
        let selected: Vec<String> = labels.iter().map(|label| label.to_lowercase()).collect();
        let is_selected = |source: &Source| {
            (source.labels.is_empty() && labels.iter().any(|label| label == "null"))
                || source.labels.iter().any(|label| selected.contains(&label.to_lowercase()))
        };
        let sources = self.sources.values().filter(|source| source.asset_type == asset_type && source.enabled);
        sources.filter(|source| is_selected(source)).map(|source| source.id.clone()).collect()
    }
}

#[cfg(test)]
mod tests;
