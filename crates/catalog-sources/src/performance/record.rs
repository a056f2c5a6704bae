//! Records of measurements: JSON objects, each with where it is.

use std::path::Path;

use model_registry_base::nearest_name;
use serde_json::{Map, Value};

use crate::told::Told;
use crate::yaml::{self, Place, Problem};

/// A record of a file.
pub(super) struct Record<'a> {
    file: &'a Path,
    /// Of the file, from 1.
    line: usize,
    text: &'a str,
    pub(super) fields: Map<String, Value>,
}

impl<'a> Record<'a> {
    /// Reads a text that begins in this line of the file.
    pub(super) fn read(file: &'a Path, line: usize, text: &'a str) -> Result<Self, Problem> {
        let read: Result<Map<String, Value>, _> = serde_json::from_str(text);
        let fields = read.map_err(|error| {
            let place = Place { line: line + error.line().saturating_sub(1), column: error.column().max(1) };
            let reason = error.to_string();
            // The position is in front already.
            let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
            Problem::at(file, place, format!("is not a JSON object: {reason}"))
        })?;
        Ok(Self { file, line, text, fields })
    }

    /// What is wrong with the record, or with one of its keys where there is such a key.
    pub(super) fn problem(&self, key: &str, reason: impl Into<String>) -> Problem {
        let quoted = Value::from(key).to_string();
        let before = self.text.find(&quoted).and_then(|start| self.text.get(..start)).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Problem::at(self.file, Place { line: self.line + before.matches('\n').count(), column }, reason)
    }

    /// What a key has, if it is of its type; anything else but null is told.
    pub(super) fn get<T>(
        &self,
        key: &str,
        wanted: &str,
        read: impl Fn(&Value) -> Option<T>,
        problems: &mut impl Extend<Problem>,
    ) -> Option<T> {
        let value = self.fields.get(key).filter(|value| !value.is_null())?;
        let found = read(value);
        if found.is_none() {
            problems.extend([self.problem(key, format!("`{key}`: expected {wanted}, found {}", short(value)))]);
        }
        found
    }

    /// Keys that look like one of these, where that one is missing.
    pub(super) fn lookalikes(&self, known: &[&str]) -> Vec<Problem> {
        let missing: Vec<&str> = known.iter().copied().filter(|key| !self.fields.contains_key(*key)).collect();
        let others = self.fields.keys().filter(|key| !known.contains(&key.as_str()));
        let told = others.filter_map(|key| {
            let nearest = nearest_name(key, missing.iter().copied())?;
            Some(self.problem(key, format!("`{key}` is not `{nearest}`, which is missing: did you mean that?")))
        });
        told.collect()
    }
}

fn short(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
        other => {
            let text = other.to_string();
            text.chars().take(40).collect()
        }
    }
}

/// The lines of a file, which may be missing. What cannot be read is told and left out.
pub(super) struct Lines {
    text: String,
}

impl Lines {
    pub(super) fn of(file: &Path, problems: &mut Told) -> Self {
        if !file.exists() {
            return Self { text: String::new() };
        }
        let text = yaml::read_text(file).unwrap_or_else(|problem| {
            problems.push(problem);
            String::new()
        });
        Self { text }
    }

    /// The records, one a line.
    pub(super) fn records<'a>(&'a self, file: &'a Path, problems: &mut Told) -> Vec<Record<'a>> {
        let lines = self.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let mut records = Vec::new();
        for (index, line) in lines {
            match Record::read(file, index + 1, line) {
                Ok(record) => records.push(record),
                Err(problem) => problems.push(problem),
            }
        }
        records
    }
}
