//! Artifacts made of the records of performance metrics.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use model_registry_api::CustomProperty;
use model_registry_api::catalog::CatalogKind;
use model_registry_catalog_store::CatalogItem;
use model_registry_store::Document;
use serde_json::{Map, Value, json};

use super::record::{self, Record};
use crate::artifact_keys::ArtifactKeys;
use crate::custom_properties;
use crate::item_fields::{LONGEST_NAME, cut_name};
use crate::item_reader::ReadItems;

/// Fields with the times of an artifact.
const CREATED: &str = "created_at";
const UPDATED: &str = "updated_at";

/// All evaluations of a model in one artifact, with a custom property for each benchmark.
pub(super) fn accuracy_metrics(
    model: &str,
    evaluations: &[Record<'_>],
    overall_accuracy: Option<f64>,
    read: &mut ReadItems,
) -> Option<CatalogItem> {
    if evaluations.is_empty() {
        return None;
    }
    let mut scores: BTreeMap<String, Value> = BTreeMap::new();
    let (mut created, mut updated) = (Vec::new(), Vec::new());
    for record in evaluations {
        let problems = &mut read.metrics_problems;
        let before = problems.count();
        let benchmark = record.get("benchmark", "a string", record::string, problems);
        let score = record.get("score", "a number", Value::as_f64, problems);
        match (benchmark, score) {
            (Some(benchmark), Some(score)) => {
                if let Err(reason) = custom_properties::check_property_name(&benchmark) {
                    problems.push(record.problem("benchmark", reason));
                    continue;
                }
                match scores.entry(benchmark) {
                    Entry::Vacant(vacant) => {
                        vacant.insert(CustomProperty::Double(score).to_json());
                    }
                    Entry::Occupied(first) => {
                        let reason = format!("duplicate score for `{}`: this one is left out", first.key());
                        problems.push(record.problem("benchmark", reason));
                    }
                }
            }
            (benchmark, _) if problems.count() == before => {
                let missing = if benchmark.is_none() { "benchmark" } else { "score" };
                problems.push(record.problem(missing, format!("lacks `{missing}`: the evaluation is left out")));
            }
            // The problem of the wrong type is in the list already.
            _ => {}
        }
        created.extend(record.get(CREATED, "milliseconds", millis, problems));
        updated.extend(record.get(UPDATED, "milliseconds", millis, problems));
        read.notices.extend(record.misspelled(&["benchmark", "score", CREATED, UPDATED]));
    }
    if let Some(average) = overall_accuracy {
        scores.insert("overall_average".to_owned(), CustomProperty::Double(average).to_json());
    }
    let name = cut_name(&format!("accuracy-metrics-{model}"));
    let document = json!({
        "artifactType": CatalogKind::AccuracyMetrics.spec().artifact_type, "metricsType": "accuracy-metrics",
        "name": name, "externalId": name, "customProperties": scores,
    });
    Some(CatalogItem {
        kind: CatalogKind::AccuracyMetrics,
        key: "measured".to_owned(),
        name: Some(name),
        document: object(document),
        create_time: created.into_iter().min(),
        update_time: updated.into_iter().max(),
        children: Vec::new(),
    })
}

/// One artifact of a record: each of its values is a custom property.
pub(super) fn performance_metrics(
    record: &Record<'_>,
    index: usize,
    keys: &mut ArtifactKeys,
    read: &mut ReadItems,
) -> CatalogItem {
    let id = record.fields.get("id").and_then(record::string).filter(|id| !id.is_empty());
    let mut properties = Map::new();
    for (name, value) in &record.fields {
        if [CREATED, UPDATED].contains(&name.as_str()) {
            continue;
        }
        if let Err(reason) = custom_properties::check_property_name(name) {
            read.metrics_problems.push(record.problem(name, reason));
            continue;
        }
        if value.as_str().is_some_and(|string| string.contains('\0')) {
            let reason = format!("`{name}` contains a null character and is left out");
            read.metrics_problems.push(record.problem(name, reason));
            continue;
        }
        if let Some(property) = property(value) {
            properties.insert(name.clone(), property);
        }
    }
    let name = cut_name(&format!("performance-{}", id.clone().unwrap_or_else(|| (index + 1).to_string())));
    let mut time = |field| record.get(field, "milliseconds", millis, &mut read.metrics_problems);
    let (create_time, update_time) = (time(CREATED), time(UPDATED));
    read.notices.extend(record.misspelled(&[CREATED, UPDATED]));
    let mut document = json!({
        "artifactType": CatalogKind::PerformanceMetrics.spec().artifact_type, "metricsType": "performance-metrics",
        "name": name, "customProperties": properties,
    });
    if let Some(id) = id.filter(|id| id.chars().count() <= LONGEST_NAME) {
        document["externalId"] = id.into();
    }
    CatalogItem {
        kind: CatalogKind::PerformanceMetrics,
        key: keys.unique(format!("measured {name}")),
        name: Some(name),
        document: object(document),
        create_time,
        update_time,
        children: Vec::new(),
    }
}

/// The custom property of a JSON value; none of null.
fn property(value: &Value) -> Option<Value> {
    let json;
    let property = match value {
        Value::Null => return None,
        Value::String(string) => CustomProperty::String(string),
        Value::Bool(flag) => CustomProperty::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(number) => CustomProperty::Int(number),
            None => CustomProperty::Double(number.as_f64()?),
        },
        // As a JSON string, a list of strings can be filtered by its elements.
        Value::Array(_) | Value::Object(_) => {
            json = value.to_string();
            CustomProperty::String(&json)
        }
    };
    Some(property.to_json())
}

fn millis(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "fractions of milliseconds do not matter")]
    value.as_i64().or_else(|| value.as_f64().map(|number| number as i64))
}

fn object(value: Value) -> Document {
    match value {
        Value::Object(map) => Document(map),
        _ => Document::default(),
    }
}
