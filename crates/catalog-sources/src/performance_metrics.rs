//! Performance metrics: directories of files with results of performance, accuracy and security benchmarks, separate from the
//! files that describe the models.
//!
//! A directory with a `metadata.json` belongs to the model whose name is its `id`; case is ignored.

mod artifacts;
mod record;
mod snapshot;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use model_registry_api::CustomProperty;
use model_registry_base::files as limited;
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
const SECURITY: &str = "security-evaluations.ndjson";
const FILES: [&str; 4] = [METADATA, EVALUATIONS, PERFORMANCE, SECURITY];

/// Strings of `metadata.json` that become custom properties of the model.
const MODEL_PROPERTIES: [&str; 3] = ["size", "tensor_type", "variant_group_id"];
/// Numbers of `metadata.json` that become custom properties of the model, as doubles: gigabytes.
const MODEL_SIZES: [&str; 2] = ["min_vram_gb", "modelcar_image_size"];

/// The performance metrics of all models.
#[derive(Debug, Default)]
pub struct PerformanceMetrics {
    /// By the name of the model in lower case.
    directories: HashMap<String, Directory>,
}

/// A directory and the content of its `metadata.json`.
#[derive(Clone, Debug)]
struct Directory {
    path: PathBuf,
    /// Whether it was found earlier and cannot be read now.
    is_unclear: bool,
    /// Custom properties of the model in their wire form.
    model_properties: Vec<(&'static str, Value)>,
    overall_accuracy: Option<f64>,
}

impl PerformanceMetrics {
    /// Finds all directories below the roots. Those that cannot be read are left out with a problem.
    ///
    /// What was found in them before (`earlier`) stays known, so that the models keep their stored metrics.
    pub fn find(roots: &[PathBuf], earlier: Option<&Self>) -> (Self, Vec<Problem>) {
        let mut metrics = Self::default();
        let mut problems = Vec::new();
        for root in roots {
            metrics.visit(root, 0, earlier, &mut problems);
        }
        (metrics, problems)
    }

    fn visit(&mut self, directory: &Path, depth: usize, earlier: Option<&Self>, problems: &mut Vec<Problem>) {
        let paths = match limited::entries(directory) {
            Ok(paths) => paths,
            Err(error) => {
                problems.push(Problem::of_file(directory, format!("cannot be read: {error}")));
                self.keep(earlier, |found| found.path.starts_with(directory));
                return;
            }
        };
        for path in paths {
            if path.file_name().is_some_and(|name| name == METADATA) {
                match read_metadata(directory, &path, problems) {
                    Ok((id, found)) => {
                        if let Some(other) = self.directories.insert(id.to_lowercase(), found) {
                            let reason = format!("replaces {}: both have the id `{id}`", other.path.display());
                            problems.push(Problem::of_file(&path, reason));
                        }
                    }
                    Err(problem) => {
                        problems.push(problem);
                        self.keep(earlier, |found| found.path == directory);
                    }
                }
            } else if depth < DEEPEST && limited::is_directory(&path) {
                self.visit(&path, depth + 1, earlier, problems);
            }
        }
    }

    /// Keeps directories that were found before and cannot be read now.
    fn keep(&mut self, earlier: Option<&Self>, is_meant: impl Fn(&Directory) -> bool) {
        for (name, directory) in earlier.iter().flat_map(|earlier| &earlier.directories) {
            if is_meant(directory) && !self.directories.contains_key(name) {
                self.directories.insert(name.clone(), Directory { is_unclear: true, ..directory.clone() });
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

    /// Adds the performance metrics of a model to its item, and problems with them to `read`. Returns whether that is all that
    /// the files have to say; otherwise a stored item of the model is better.
    pub(crate) fn attach(&self, name: &str, item: &mut CatalogItem, read: &mut ReadItems) -> bool {
        let Some(directory) = self.directories.get(&name.to_lowercase()) else { return true };
        if !directory.model_properties.is_empty() {
            let properties = item.document.0.entry("customProperties").or_insert_with(|| json!({}));
            for (name, value) in &directory.model_properties {
                properties[*name] = value.clone();
            }
        }
        let file = directory.path.join(EVALUATIONS);
        let lines = Lines::of(&file, &mut read.metrics_problems);
        let evaluations = lines.records(&file, &mut read.metrics_problems);
        let mut is_unclear = directory.is_unclear || evaluations.is_unclear;
        let evaluations = evaluations.records;
        item.children.extend(artifacts::accuracy_metrics(name, &evaluations, directory.overall_accuracy, read));
        let mut keys = ArtifactKeys::default();
        for measurements in [&artifacts::PERFORMANCE_RECORDS, &artifacts::SECURITY_RECORDS] {
            let file = directory.path.join(measurements.file);
            let lines = Lines::of(&file, &mut read.metrics_problems);
            let records = lines.records(&file, &mut read.metrics_problems);
            is_unclear |= records.is_unclear;
            item.children.extend(measurements.artifacts(&records.records, &mut keys, read));
        }
        !is_unclear
    }
}

fn read_metadata(directory: &Path, file: &Path, problems: &mut Vec<Problem>) -> Result<(String, Directory), Problem> {
    let text = yaml::read_text(file)?;
    let record = Record::read(file, 1, &text)?;
    let id = record.get("id", "a string", record::string, problems).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| record.problem("id", "lacks `id`, the name of the model"))?;
    let mut model_properties = Vec::new();
    for field in MODEL_PROPERTIES {
        let value = record.get(field, "a string", record::string, problems).filter(|value| !value.is_empty());
        model_properties.extend(value.map(|value| (field, CustomProperty::String(&value).to_json())));
    }
    for field in MODEL_SIZES {
        let value = record.get(field, "a number", Value::as_f64, problems);
        model_properties.extend(value.map(|value| (field, CustomProperty::Double(value).to_json())));
    }
    let overall_accuracy = record.get("overall_accuracy", "a number", Value::as_f64, problems);
    // Publishers of older versions write the last one.
    let known = ["id", "overall_accuracy"].into_iter().chain(MODEL_PROPERTIES).chain(MODEL_SIZES);
    let known: Vec<&str> = known.chain(["modelcar_image_size_bytes"]).collect();
    problems.extend(record.misspelled(&known));
    problems.extend(record.not_numbers());
    Ok((id, Directory { path: directory.to_owned(), is_unclear: false, model_properties, overall_accuracy }))
}
