//! Records of performance metrics: JSON objects with their position in a file.

use std::path::Path;

use model_registry_base::nearest_name;
use serde_json::{Map, Value};

use crate::problem::{Position, Problem};
use crate::problem_list::ProblemList;
use crate::yaml;

pub(super) struct Record<'a> {
    file: &'a Path,
    /// First line in the file, from 1.
    line: usize,
    text: &'a str,
    pub(super) fields: Map<String, Value>,
}

impl<'a> Record<'a> {
    /// Parses a JSON object that starts in this line of the file.
    pub(super) fn read(file: &'a Path, line: usize, text: &'a str) -> Result<Self, Problem> {
        let read: Result<Map<String, Value>, _> = serde_json::from_str(text);
        let fields = read.map_err(|error| {
            let line = line + error.line().saturating_sub(1);
            let position = Position { line, column: error.column().max(1) };
            let reason = error.to_string();
            // The location of the problem has the position already.
            let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
            Problem::at(file, position, format!("is not a JSON object: {reason}"))
        })?;
        Ok(Self { file, line, text, fields })
    }

    /// A problem at a key, or at the start of the record if it lacks the key.
    pub(super) fn problem(&self, key: &str, reason: impl Into<String>) -> Problem {
        let quoted = Value::from(key).to_string();
        let before = self.text.find(&quoted).and_then(|start| self.text.get(..start)).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Problem::at(self.file, Position { line: self.line + before.matches('\n').count(), column }, reason)
    }

    /// Converts the value of a key, if it is present and not null. A value of another type is a problem.
    pub(super) fn get<T>(
        &self,
        key: &str,
        expected: &str,
        convert: impl Fn(&Value) -> Option<T>,
        problems: &mut impl Extend<Problem>,
    ) -> Option<T> {
        let value = self.fields.get(key).filter(|value| !value.is_null())?;
        let converted = convert(value);
        if converted.is_none() {
            problems.extend([self.problem(key, format!("`{key}`: expected {expected}, found {}", describe(value)))]);
        }
        converted
    }

    /// Notices about unknown keys that are similar to a known key which is missing.
    pub(super) fn misspelled(&self, known: &[&str]) -> Vec<Problem> {
        let missing: Vec<&str> = known.iter().copied().filter(|key| !self.fields.contains_key(*key)).collect();
        let others = self.fields.keys().filter(|key| !known.contains(&key.as_str()));
        let notices = others.filter_map(|key| {
            let nearest = nearest_name(key, missing.iter().copied())?;
            Some(self.problem(key, format!("`{nearest}` is missing, did you mean it by `{key}`?")))
        });
        notices.collect()
    }
}

/// A string that PostgreSQL can store: without null characters.
pub(super) fn string(value: &Value) -> Option<String> {
    value.as_str().filter(|string| !string.contains('\0')).map(str::to_owned)
}

fn describe(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
        other => other.to_string().chars().take(40).collect(),
    }
}

/// The lines of a file; none if it is missing or cannot be read.
pub(super) struct Lines {
    text: String,
}

impl Lines {
    pub(super) fn of(file: &Path, problems: &mut ProblemList) -> Self {
        if !file.exists() {
            return Self { text: String::new() };
        }
        let text = yaml::read_text(file).unwrap_or_else(|problem| {
            problems.push(problem);
            String::new()
        });
        Self { text }
    }

    /// The records, one per line. Those that cannot be parsed are left out with a problem.
    pub(super) fn records<'a>(&'a self, file: &'a Path, problems: &mut ProblemList) -> Vec<Record<'a>> {
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
