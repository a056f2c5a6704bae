//! The configuration of a catalog: sources, labels and named queries from one or several files.
//!
//! Later files win, field by field; so a short file of one's own can switch on what a default file ships switched off.
//! A file that cannot be used keeps what it said before, and is told; so does a source that cannot be used.

mod file;
mod label;
mod merge;
mod named_query;
mod properties;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use model_registry_api::catalog::AssetType;
use serde_json::{Map, Value};

use file::{SourceEntry, SourcesFile};
pub use label::Label;
pub use named_query::{NamedQuery, to_filter};

use crate::yaml::{self, Place, Problem};

/// A source after all files have been merged.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    pub id: String,
    /// What it publishes.
    pub asset: AssetType,
    /// Which list of sources shows it, where a file says so.
    pub listed_as: Option<AssetType>,
    pub name: String,
    pub kind: String,
    pub enabled: bool,
    pub labels: Vec<String>,
    pub included: Option<Vec<String>>,
    pub excluded: Option<Vec<String>>,
    pub properties: Map<String, Value>,
    /// The file that the properties come from: paths are relative to its directory.
    pub origin: PathBuf,
    /// Why what the files say of it cannot be used: it is not read, and what was published before stays.
    pub broken: Option<Problem>,
}

/// Where a source is written; no part of it, since moving it changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct SourcePlaces {
    pub file: PathBuf,
    pub place: Place,
    /// Of the properties, in the file that they come from.
    pub properties: BTreeMap<String, Place>,
}

impl Source {
    pub fn listing(&self) -> AssetType {
        self.listed_as.unwrap_or(self.asset)
    }

    pub fn text_property(&self, name: &str) -> Option<&str> {
        self.properties.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A path of the properties, relative to the file that has them.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.origin.parent().unwrap_or(Path::new("")).join(relative)
    }
}

/// The merged configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configuration {
    /// By id.
    pub sources: BTreeMap<String, Source>,
    /// Of each source.
    pub places: BTreeMap<String, SourcePlaces>,
    /// In the order of the files.
    pub labels: Vec<Label>,
    pub named_queries: BTreeMap<String, NamedQuery>,
}

/// The files of a configuration, each as it was last readable.
#[derive(Debug, Default)]
pub struct Files {
    read: HashMap<PathBuf, SourcesFile>,
}

impl Files {
    /// Reads the files again and merges them.
    pub fn load(&mut self, paths: &[PathBuf]) -> (Configuration, Vec<Problem>) {
        let mut problems = Vec::new();
        for path in paths {
            let read = yaml::read_text(path).and_then(|text| SourcesFile::read(path, &text));
            match read {
                Ok(mut file) => {
                    if let Some(earlier) = self.read.get(path) {
                        file.keep_from(earlier);
                    }
                    self.read.insert(path.clone(), file);
                }
                Err(problem) => problems.push(problem),
            }
        }
        let files = paths.iter().filter_map(|path| Some((path.as_path(), self.read.get(path)?)));
        let (configuration, told) = merge::merge(files);
        problems.extend(told);
        (configuration, problems)
    }
}

impl Files {
    /// Whether every file could be read at least once.
    pub fn has_all(&self, paths: &[PathBuf]) -> bool {
        paths.iter().all(|path| self.read.contains_key(path))
    }
}

impl Configuration {
    pub fn named_queries(&self, asset: AssetType) -> impl Iterator<Item = (&String, &NamedQuery)> {
        self.named_queries.iter().filter(move |(_, query)| query.asset == asset)
    }

    /// The enabled sources that carry one of the labels, whatever the case; `null` asks for those without any.
    pub fn sources_with_labels(&self, asset: AssetType, labels: &[String]) -> Vec<String> {
        let wanted: Vec<String> = labels.iter().map(|label| label.to_lowercase()).collect();
        let carries = |source: &Source| {
            (source.labels.is_empty() && labels.iter().any(|label| label == "null"))
                || source.labels.iter().any(|label| wanted.contains(&label.to_lowercase()))
        };
        let sources = self.sources.values().filter(|source| source.asset == asset && source.enabled);
        sources.filter(|source| carries(source)).map(|source| source.id.clone()).collect()
    }
}

#[cfg(test)]
mod tests;
