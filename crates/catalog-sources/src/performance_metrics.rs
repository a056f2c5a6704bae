//! Performance metrics: directories of files with benchmark results, separate from the files that describe the models.
//!
//! A directory with a `metadata.json` belongs to the model whose name is its `id`; case is ignored.

mod artifacts;
mod record;
mod snapshot;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use model_registry_api::CustomProperty;
use model_registry_base::hex;
use model_registry_catalog_store::CatalogItem;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use self::record::{Lines, Record};
pub use self::snapshot::PerformanceMetricsSnapshot;
use crate::artifact_keys::ArtifactKeys;
use crate::files::{self, DEEPEST};
use crate::item_reader::ReadItems;
use crate::problem::Problem;
use crate::yaml;

const METADATA: &str = "metadata.json";
const EVALUATIONS: &str = "evaluations.ndjson";
const PERFORMANCE: &str = "performance.ndjson";
const FILES: [&str; 3] = [METADATA, EVALUATIONS, PERFORMANCE];

/// Strings of `metadata.json` that become custom properties of the model.
const MODEL_PROPERTIES: [&str; 3] = ["size", "tensor_type", "variant_group_id"];

/// The performance metrics of all models.
#[derive(Debug, Default)]
pub struct PerformanceMetrics {
    /// By the name of the model in lower case.
    directories: HashMap<String, Directory>,
}

/// A directory and the content of its `metadata.json`.
#[derive(Debug)]
struct Directory {
    path: PathBuf,
    model_properties: Vec<(&'static str, String)>,
    overall_accuracy: Option<f64>,
}

impl PerformanceMetrics {
    /// Finds all directories below the roots. Those that cannot be read are left out with a problem.
    pub fn find(roots: &[PathBuf]) -> (Self, Vec<Problem>) {
        let mut metrics = Self::default();
        let mut problems = Vec::new();
        for root in roots {
            metrics.visit(root, 0, &mut problems);
        }
        (metrics, problems)
    }

    fn visit(&mut self, directory: &Path, depth: usize, problems: &mut Vec<Problem>) {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) => {
                problems.push(Problem::of_file(directory, format!("cannot be read: {error}")));
                return;
            }
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            if path.file_name().is_some_and(|name| name == METADATA) {
                match read_metadata(directory, &path, problems) {
                    Ok((id, found)) => {
                        if let Some(other) = self.directories.insert(id.to_lowercase(), found) {
                            let reason = format!("replaces {}: both have the id `{id}`", other.path.display());
                            problems.push(Problem::of_file(&path, reason));
                        }
                    }
                    Err(problem) => problems.push(problem),
                }
            } else if depth < DEEPEST && path.is_dir() {
                self.visit(&path, depth + 1, problems);
            }
        }
    }

    /// A checksum of the files of each model, by its name in lower case.
    fn checksums(&self) -> BTreeMap<String, String> {
        let checksum = |directory: &Directory| {
            let mut digest = Sha256::new();
            for file in FILES {
                // A missing file counts as a checksum of zeros: all have the same length.
                digest.update(files::checksum(&directory.path.join(file)).unwrap_or_default());
            }
            hex(&digest.finalize())
        };
        self.directories.iter().map(|(name, directory)| (name.clone(), checksum(directory))).collect()
    }

    /// Adds the performance metrics of a model to its item, and problems with them to `read`.
    pub(crate) fn attach(&self, name: &str, item: &mut CatalogItem, read: &mut ReadItems) {
        let Some(directory) = self.directories.get(&name.to_lowercase()) else { return };
        if !directory.model_properties.is_empty() {
            let properties = item.document.0.entry("customProperties").or_insert_with(|| json!({}));
            for (name, value) in &directory.model_properties {
                properties[*name] = CustomProperty::String(value).to_json();
            }
        }
        let file = directory.path.join(EVALUATIONS);
        let lines = Lines::of(&file, &mut read.metrics_problems);
        let evaluations = lines.records(&file, &mut read.metrics_problems);
        item.children.extend(artifacts::accuracy_metrics(name, &evaluations, directory.overall_accuracy, read));
        let file = directory.path.join(PERFORMANCE);
        let lines = Lines::of(&file, &mut read.metrics_problems);
        let mut keys = ArtifactKeys::default();
        for (index, record) in lines.records(&file, &mut read.metrics_problems).iter().enumerate() {
            item.children.push(artifacts::performance_metrics(record, index, &mut keys, read));
        }
    }
}

fn read_metadata(directory: &Path, file: &Path, problems: &mut Vec<Problem>) -> Result<(String, Directory), Problem> {
    let text = yaml::read_text(file)?;
    let record = Record::read(file, 1, &text)?;
    let id = record.get("id", "a string", record::string, problems).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| record.problem("id", "lacks `id`, the name of the model"))?;
    let model_properties = MODEL_PROPERTIES.into_iter().filter_map(|field| {
        let value = record.get(field, "a string", record::string, problems)?;
        Some((field, value)).filter(|(_, value)| !value.is_empty())
    });
    let model_properties = model_properties.collect();
    let overall_accuracy = record.get("overall_accuracy", "a number", Value::as_f64, problems);
    let known = ["id", "overall_accuracy", "size", "tensor_type", "variant_group_id"];
    problems.extend(record.misspelled(&known));
    Ok((id, Directory { path: directory.to_owned(), model_properties, overall_accuracy }))
}
