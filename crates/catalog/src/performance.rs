//! Directories of measurements: what was measured of a model, beside the file that describes it.
//!
//! A directory with a `metadata.json` belongs to the model whose name its `id` is, whatever the case.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use model_registry_store::{CatalogItem, CatalogKind, Document};
use serde_json::{Map, Value, json};

use crate::models::Keys;
use crate::values::{double_property, int_property, text_property};
use crate::yaml::{self, Problem};

/// Links may lead in circles.
const DEEPEST: usize = 16;

/// The measurements of all models.
#[derive(Debug, Default)]
pub(crate) struct Measurements {
    directories: HashMap<String, (PathBuf, Map<String, Value>)>,
}

impl Measurements {
    /// Looks through the directories. What cannot be read is told and left out.
    pub(crate) fn find(roots: &[PathBuf]) -> (Self, Vec<Problem>) {
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
            if path.file_name().is_some_and(|name| name == "metadata.json") {
                match metadata(&path) {
                    Ok((id, metadata)) => {
                        if let Some((other, _)) =
                            self.directories.insert(id.to_lowercase(), (directory.to_owned(), metadata))
                        {
                            let reason = format!("replaces {}: both measure `{id}`", other.display());
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

    /// Adds what was measured of a model to its item.
    pub(crate) fn attach(&self, name: &str, item: &mut CatalogItem) -> Vec<Problem> {
        let mut problems = Vec::new();
        let Some((directory, metadata)) = self.directories.get(&name.to_lowercase()) else { return problems };
        let described: Vec<(&str, &str)> = ["size", "tensor_type", "variant_group_id"]
            .into_iter()
            .filter_map(|field| Some((field, metadata.get(field)?.as_str().filter(|text| !text.is_empty())?)))
            .collect();
        if !described.is_empty() {
            let custom = item.document.0.entry("customProperties").or_insert_with(|| json!({}));
            for (field, text) in described {
                custom[field] = text_property(text);
            }
        }
        let evaluations = records(&directory.join("evaluations.ndjson"), &mut problems);
        item.children.extend(accuracy(name, &evaluations, metadata));
        let mut keys = Keys::default();
        for (index, record) in records(&directory.join("performance.ndjson"), &mut problems).iter().enumerate() {
            item.children.push(performance(record, index, &mut keys));
        }
        problems
    }
}

fn metadata(path: &Path) -> Result<(String, Map<String, Value>), Problem> {
    let text = yaml::read_text(path)?;
    let metadata: Map<String, Value> = serde_json::from_str(&text)
        .map_err(|error| Problem::of_file(path, format!("is not a JSON object: {error}")))?;
    match metadata.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()) {
        Some(id) => Ok((id.to_owned(), metadata)),
        None => Err(Problem::of_file(path, "lacks `id`, the name of the model that was measured")),
    }
}

/// The JSON objects of a file, one a line; a line that is none is told and left out.
fn records(path: &Path, problems: &mut Vec<Problem>) -> Vec<Map<String, Value>> {
    if !path.exists() {
        return Vec::new();
    }
    let text = match yaml::read_text(path) {
        Ok(text) => text,
        Err(problem) => {
            problems.push(problem);
            return Vec::new();
        }
    };
    let mut records = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(record) => records.push(record),
            Err(error) => {
                let place = format!("{}:{}", path.display(), index + 1);
                problems.push(Problem { place, reason: format!("is not a JSON object: {error}") });
            }
        }
    }
    records
}

/// All evaluations of a model in one artifact: a number for each benchmark.
fn accuracy(name: &str, evaluations: &[Map<String, Value>], metadata: &Map<String, Value>) -> Option<CatalogItem> {
    if evaluations.is_empty() {
        return None;
    }
    let mut scores: BTreeMap<String, Value> = BTreeMap::new();
    for evaluation in evaluations {
        if let (Some(benchmark), Some(score)) =
            (evaluation.get("benchmark").and_then(Value::as_str), evaluation.get("score").and_then(Value::as_f64))
        {
            scores.insert(benchmark.to_owned(), double_property(score));
        }
    }
    if let Some(average) = metadata.get("overall_accuracy").and_then(Value::as_f64) {
        scores.insert("overall_average".to_owned(), double_property(average));
    }
    let times = |field: &'static str| evaluations.iter().filter_map(move |record| millis(record.get(field)?));
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
        create_time: times("created_at").min(),
        update_time: times("updated_at").max(),
        children: Vec::new(),
    })
}

/// One measurement: every value of the record is a custom property.
fn performance(record: &Map<String, Value>, index: usize, keys: &mut Keys) -> CatalogItem {
    let id = record.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
    let mut custom = Map::new();
    for (name, value) in record {
        if name == "created_at" || name == "updated_at" {
            continue;
        }
        let property = match value {
            Value::Null => continue,
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
    let name = format!("performance-{}", id.map_or_else(|| (index + 1).to_string(), str::to_owned));
    let name: String = name.chars().take(crate::values::LONGEST_NAME).collect();
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
        create_time: record.get("created_at").and_then(millis),
        update_time: record.get("updated_at").and_then(millis),
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
