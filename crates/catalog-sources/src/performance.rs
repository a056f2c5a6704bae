//! Directories of measurements: what was measured of a model, beside the file that describes it.
//!
//! A directory with a `metadata.json` belongs to the model whose name its `id` is, whatever the case.

mod record;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use model_registry_base::hex;
use model_registry_catalog_store::{CatalogItem, CatalogKind};
use model_registry_store::Document;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use self::record::{Lines, Record};
use crate::files;
use crate::models::{Found, Keys};
use crate::values::{self, double_property, int_property, text_property};
use crate::yaml::{self, Problem};

/// Links may lead in circles.
const DEEPEST: usize = 16;

const METADATA: &str = "metadata.json";
const EVALUATIONS: &str = "evaluations.ndjson";
const PERFORMANCE: &str = "performance.ndjson";
const FILES: [&str; 3] = [METADATA, EVALUATIONS, PERFORMANCE];

/// Texts of `metadata.json` that become custom properties of the model.
const DESCRIBED: [&str; 3] = ["size", "tensor_type", "variant_group_id"];
const TIMES: [&str; 2] = ["created_at", "updated_at"];

/// The measurements of all models.
#[derive(Debug, Default)]
pub struct Measurements {
    directories: HashMap<String, Directory>,
}

/// A directory and what its `metadata.json` says.
#[derive(Debug)]
struct Directory {
    path: PathBuf,
    described: Vec<(&'static str, String)>,
    overall_accuracy: Option<f64>,
}

impl Measurements {
    /// Looks through the directories. What cannot be read is told and left out.
    pub fn find(roots: &[PathBuf]) -> (Self, Vec<Problem>) {
        let mut measurements = Self::default();
        let mut problems = Vec::new();
        for root in roots {
            measurements.visit(root, 0, &mut problems);
        }
        (measurements, problems)
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
                match metadata(directory, &path, problems) {
                    Ok((id, found)) => {
                        if let Some(other) = self.directories.insert(id.to_lowercase(), found) {
                            let reason = format!("replaces {}: both measure `{id}`", other.path.display());
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

    /// A digest of what was measured of each model, by its name in lower case.
    pub fn digests(&self) -> BTreeMap<String, String> {
        let digest = |directory: &Directory| {
            let mut digest = Sha256::new();
            for file in FILES {
                // Of one length, whatever is there.
                digest.update(files::content(&directory.path.join(file)).unwrap_or_default());
            }
            hex(&digest.finalize())
        };
        self.directories.iter().map(|(name, directory)| (name.clone(), digest(directory))).collect()
    }

    /// Adds what was measured of a model to its item, and what was left out of it to what is told.
    pub fn attach(&self, name: &str, item: &mut CatalogItem, found: &mut Found) {
        let Some(directory) = self.directories.get(&name.to_lowercase()) else { return };
        if !directory.described.is_empty() {
            let custom = item.document.0.entry("customProperties").or_insert_with(|| json!({}));
            for (field, text) in &directory.described {
                custom[*field] = text_property(text);
            }
        }
        let file = directory.path.join(EVALUATIONS);
        let lines = Lines::of(&file, &mut found.measurements);
        let evaluations = lines.records(&file, &mut found.measurements);
        item.children.extend(accuracy(name, &evaluations, directory.overall_accuracy, found));
        let file = directory.path.join(PERFORMANCE);
        let lines = Lines::of(&file, &mut found.measurements);
        let mut keys = Keys::default();
        for (index, record) in lines.records(&file, &mut found.measurements).iter().enumerate() {
            item.children.push(performance(record, index, &mut keys, found));
        }
    }
}

fn metadata(directory: &Path, file: &Path, problems: &mut Vec<Problem>) -> Result<(String, Directory), Problem> {
    let text = yaml::read_text(file)?;
    let record = Record::read(file, 1, &text)?;
    let id = record.get("id", "a text", text_of, problems).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| record.problem("id", "lacks `id`, the name of the model that was measured"))?;
    let described = DESCRIBED.into_iter().filter_map(|field| {
        let text = record.get(field, "a text", text_of, problems)?;
        Some((field, text)).filter(|(_, text)| !text.is_empty())
    });
    let described = described.collect();
    let overall_accuracy = record.get("overall_accuracy", "a number", Value::as_f64, problems);
    let known = ["id", "overall_accuracy", "size", "tensor_type", "variant_group_id"];
    problems.extend(record.lookalikes(&known));
    Ok((id, Directory { path: directory.to_owned(), described, overall_accuracy }))
}

/// PostgreSQL takes no null character.
fn text_of(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.contains('\0')).map(str::to_owned)
}

/// All evaluations of a model in one artifact: a number for each benchmark.
fn accuracy(
    name: &str,
    evaluations: &[Record<'_>],
    overall_accuracy: Option<f64>,
    found: &mut Found,
) -> Option<CatalogItem> {
    if evaluations.is_empty() {
        return None;
    }
    let mut scores: BTreeMap<String, Value> = BTreeMap::new();
    let (mut created, mut updated) = (Vec::new(), Vec::new());
    for record in evaluations {
        let problems = &mut found.measurements;
        let before = problems.count();
        let benchmark = record.get("benchmark", "a text", text_of, problems);
        let score = record.get("score", "a number", Value::as_f64, problems);
        match (benchmark, score) {
            (Some(benchmark), Some(score)) => {
                if let Err(reason) = values::check_property_name(&benchmark) {
                    problems.push(record.problem("benchmark", reason));
                    continue;
                }
                match scores.entry(benchmark) {
                    Entry::Vacant(place) => {
                        place.insert(double_property(score));
                    }
                    Entry::Occupied(taken) => {
                        let reason = format!("there is a score for `{}` already: this one is left out", taken.key());
                        problems.push(record.problem("benchmark", reason));
                    }
                }
            }
            (benchmark, _) if problems.count() == before => {
                let missing = if benchmark.is_none() { "benchmark" } else { "score" };
                problems.push(record.problem(missing, format!("lacks `{missing}`: the evaluation is left out")));
            }
            // Told above.
            _ => {}
        }
        created.extend(record.get(TIMES[0], "milliseconds", millis, problems));
        updated.extend(record.get(TIMES[1], "milliseconds", millis, problems));
        found.notices.extend(record.lookalikes(&["benchmark", "score", TIMES[0], TIMES[1]]));
    }
    if let Some(average) = overall_accuracy {
        scores.insert("overall_average".to_owned(), double_property(average));
    }
    let own_name = format!("accuracy-metrics-{name}");
    let own_name: String = own_name.chars().take(crate::values::LONGEST_NAME).collect();
    let document = json!({
        "artifactType": "metrics-artifact", "metricsType": "accuracy-metrics",
        "name": own_name, "externalId": own_name, "customProperties": scores,
    });
    Some(CatalogItem {
        kind: CatalogKind::AccuracyMetrics,
        key: "measured".to_owned(),
        name: Some(own_name),
        document: object(document),
        create_time: created.into_iter().min(),
        update_time: updated.into_iter().max(),
        children: Vec::new(),
    })
}

/// One measurement: every value of the record is a custom property.
fn performance(record: &Record<'_>, index: usize, keys: &mut Keys, found: &mut Found) -> CatalogItem {
    let id = record.fields.get("id").and_then(text_of).filter(|id| !id.is_empty());
    let mut custom = Map::new();
    for (name, value) in &record.fields {
        if TIMES.contains(&name.as_str()) {
            continue;
        }
        if let Err(reason) = values::check_property_name(name) {
            found.measurements.push(record.problem(name, reason));
            continue;
        }
        let property = match value {
            Value::Null => continue,
            Value::String(text) if text.contains('\0') => {
                let reason = format!("`{name}` contains a null character: it is left out");
                found.measurements.push(record.problem(name, reason));
                continue;
            }
            Value::String(text) => text_property(text),
            Value::Bool(value) => json!({"metadataType": "MetadataBoolValue", "bool_value": value}),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(number), _) => int_property(number),
                (None, Some(number)) => double_property(number),
                (None, None) => continue,
            },
            // A list of texts can be filtered by its elements.
            Value::Array(_) | Value::Object(_) => text_property(&value.to_string()),
        };
        custom.insert(name.clone(), property);
    }
    let name = format!("performance-{}", id.clone().unwrap_or_else(|| (index + 1).to_string()));
    let name: String = name.chars().take(crate::values::LONGEST_NAME).collect();
    let [created, updated] = TIMES.map(|field| record.get(field, "milliseconds", millis, &mut found.measurements));
    found.notices.extend(record.lookalikes(&TIMES));
    let mut document = json!({
        "artifactType": "metrics-artifact", "metricsType": "performance-metrics",
        "name": name, "customProperties": custom,
    });
    if let Some(id) = id.filter(|id| id.chars().count() <= crate::values::LONGEST_NAME) {
        document["externalId"] = id.into();
    }
    CatalogItem {
        kind: CatalogKind::PerformanceMetrics,
        key: keys.unique(format!("measured {name}")),
        name: Some(name),
        document: object(document),
        create_time: created,
        update_time: updated,
        children: Vec::new(),
    }
}

fn millis(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds; fractions do not matter")]
    value.as_i64().or_else(|| value.as_f64().map(|number| number as i64))
}

fn object(value: Value) -> Document {
    match value {
        Value::Object(map) => Document(map),
        _ => Document::default(),
    }
}
