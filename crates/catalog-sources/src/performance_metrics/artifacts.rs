//! Artifacts made of the records of performance, accuracy and security metrics.

use std::collections::{BTreeMap, HashSet};

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
                // parity: the last score counts, as in the Kubeflow Model Registry.
                if scores.insert(benchmark.clone(), CustomProperty::Double(score).to_json()).is_some() {
                    let reason = format!("replaces an earlier score for `{benchmark}`");
                    read.notices.push(record.problem("benchmark", reason));
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
    // The average alone says nothing about any evaluation.
    if scores.is_empty() {
        return None;
    }
    if let Some(average) = overall_accuracy {
        scores.insert("overall_average".to_owned(), CustomProperty::Double(average).to_json());
    }
    let name = cut_name(&format!("accuracy-metrics-{model}"));
    let document = json!({
        "artifactType": CatalogKind::AccuracyMetrics.spec().artifact_type,
        "metricsType": CatalogKind::AccuracyMetrics.metrics_type(), "name": name, "externalId": name,
        "customProperties": scores,
    });
    Some(CatalogItem {
        kind: CatalogKind::AccuracyMetrics,
        key: "measured".to_owned(),
        name: Some(name),
        document: object(document),
        create_time: created.into_iter().min(),
        update_time: updated.into_iter().max(),
        written: Vec::new(),
        children: Vec::new(),
    })
}

/// A file with one artifact per record, of which each value is a custom property.
pub(super) struct Measurements {
    pub(super) file: &'static str,
    kind: CatalogKind,
    /// Begins the names of the artifacts; the id of the record follows.
    prefix: &'static str,
    /// The keys of a record's id: the first that is a string and not empty counts.
    ids: &'static [&'static str],
    /// Whether a record with the id of an earlier one is left out.
    unique_ids: bool,
}

pub(super) const PERFORMANCE_RECORDS: Measurements = Measurements {
    file: super::PERFORMANCE,
    kind: CatalogKind::PerformanceMetrics,
    prefix: "performance",
    ids: &["id", "config_id"],
    unique_ids: false,
};

pub(super) const SECURITY_RECORDS: Measurements = Measurements {
    file: super::SECURITY,
    kind: CatalogKind::SecurityMetrics,
    prefix: "security",
    ids: &["id"],
    unique_ids: true,
};

impl Measurements {
    /// The artifacts of the records of one model. Each record is judged alone: one with a mistake does not affect the others.
    pub(super) fn artifacts(
        &self,
        records: &[Record<'_>],
        keys: &mut ArtifactKeys,
        read: &mut ReadItems,
    ) -> Vec<CatalogItem> {
        let doubles = keys_with_fractions(records);
        let mut seen = HashSet::new();
        let mut artifacts = Vec::with_capacity(records.len());
        for (index, record) in records.iter().enumerate() {
            let id = self.id(record);
            if self.unique_ids
                && let Some(id) = &id
                && !seen.insert(id.clone())
            {
                let reason = format!("there is an earlier record with the id `{id}`: this one is left out");
                read.metrics_problems.push(record.problem("id", reason));
                continue;
            }
            let name = cut_name(&format!("{}-{}", self.prefix, id.clone().unwrap_or_else(|| (index + 1).to_string())));
            artifacts.push(self.artifact(record, &name, id, &doubles, keys, read));
        }
        artifacts
    }

    fn id(&self, record: &Record<'_>) -> Option<String> {
        let ids = self.ids.iter().filter_map(|key| record.fields.get(*key).and_then(record::string));
        ids.into_iter().find(|id| !id.is_empty())
    }

    fn artifact(
        &self,
        record: &Record<'_>,
        name: &str,
        id: Option<String>,
        doubles: &HashSet<&str>,
        keys: &mut ArtifactKeys,
        read: &mut ReadItems,
    ) -> CatalogItem {
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
            if let Some(property) = property(value, doubles.contains(name.as_str())) {
                properties.insert(name.clone(), property);
            }
        }
        let mut time = |field| record.get(field, "milliseconds", millis, &mut read.metrics_problems);
        let (create_time, update_time) = (time(CREATED), time(UPDATED));
        read.notices.extend(record.misspelled(&[CREATED, UPDATED]));
        let mut document = json!({
            "artifactType": self.kind.spec().artifact_type, "metricsType": self.kind.metrics_type(),
            "name": name, "customProperties": properties,
        });
        if let Some(id) = id.filter(|id| id.chars().count() <= LONGEST_NAME) {
            document["externalId"] = id.into();
        }
        CatalogItem {
            kind: self.kind,
            key: keys.unique(format!("measured {name}")),
            name: Some(name.to_owned()),
            document: object(document),
            create_time,
            update_time,
            written: Vec::new(),
            children: Vec::new(),
        }
    }
}

/// The keys with a fraction in one of the records: their whole numbers are doubles too, so that a filter or an order by
/// `<key>.double_value` has all of them.
fn keys_with_fractions<'a>(records: &'a [Record<'_>]) -> HashSet<&'a str> {
    let numbers = records.iter().flat_map(|record| &record.fields);
    numbers.filter(|(_, value)| value.is_f64()).map(|(name, _)| name.as_str()).collect()
}

/// The custom property of a JSON value; none of null.
fn property(value: &Value, is_double: bool) -> Option<Value> {
    let json;
    let property = match value {
        Value::Null => return None,
        Value::String(string) => CustomProperty::String(string),
        Value::Bool(flag) => CustomProperty::Bool(*flag),
        Value::Number(number) => match number.as_i64().filter(|_| !is_double) {
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
