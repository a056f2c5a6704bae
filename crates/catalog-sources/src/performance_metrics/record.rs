//! Records of performance metrics: JSON objects with their position in a file.

use std::path::Path;

use model_registry_base::files::metadata;
use model_registry_base::nearest_name;
use serde_json::{Map, Value};

use crate::problem::{Position, Problem};
use crate::problem_list::ProblemList;
use crate::{json, yaml};

pub(super) struct Record<'a> {
    file: &'a Path,
    /// First line in the file, from 1.
    line: usize,
    text: &'a str,
    pub(super) fields: Map<String, Value>,
    /// Offsets of `NaN` and the like in the text.
    not_numbers: Vec<usize>,
}

impl<'a> Record<'a> {
    /// Parses a JSON object that starts in this line of the file.
    pub(super) fn read(file: &'a Path, line: usize, text: &'a str) -> Result<Self, Problem> {
        let (fields, not_numbers) = json::read_with_replaced::<Map<String, Value>>(text).map_err(|error| {
            let line = line + error.line().saturating_sub(1);
            let position = Position { line, column: error.column().max(1) };
            let reason = error.to_string();
            // The location of the problem has the position already.
            let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
            Problem::at(file, position, format!("is not a JSON object: {reason}"))
        })?;
        Ok(Self { file, line, text, fields, not_numbers })
    }

    /// Problems of values that JSON does not have: each is left out.
    pub(super) fn not_numbers(&self) -> impl Iterator<Item = Problem> + '_ {
        self.not_numbers.iter().map(|offset| {
            let is_of_word = |character: &char| character.is_alphabetic() || *character == '-';
            let word: String = self.text.get(*offset..).unwrap_or_default().chars().take_while(is_of_word).collect();
            self.problem_at(*offset, format!("{word} is not a number of JSON: the value is left out"))
        })
    }

    fn problem_at(&self, offset: usize, reason: impl Into<String>) -> Problem {
        let before = self.text.get(..offset).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Problem::at(self.file, Position { line: self.line + before.matches('\n').count(), column }, reason)
    }

    /// A problem at a key, or at the start of the record if it lacks the key.
    pub(super) fn problem(&self, key: &str, reason: impl Into<String>) -> Problem {
        let quoted = Value::from(key).to_string();
        self.problem_at(self.text.find(&quoted).unwrap_or_default(), reason)
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

/// A string that PostgreSQL can store: without null characters. A number is one, too: ids are often written as numbers.
pub(super) fn string(value: &Value) -> Option<String> {
    if let Value::Number(number) = value {
        return Some(number.to_string());
    }
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
    /// Whether the file exists, and cannot be read or has no lines: it says nothing, unlike a file that does not exist.
    is_unclear: bool,
}

/// Records of a file, and whether they are all that it has to say.
pub(super) struct Records<'a> {
    pub(super) records: Vec<Record<'a>>,
    /// Whether the file is missing its end, or its whole content.
    pub(super) is_unclear: bool,
}

impl Lines {
    pub(super) fn of(file: &Path, problems: &mut ProblemList) -> Self {
        if metadata(file).is_err_and(|error| error.is_not_found()) {
            return Self { text: String::new(), is_unclear: false };
        }
        match yaml::read_text(file) {
            Ok(text) if text.trim().is_empty() => {
                let reason = "is empty: the stored metrics of the model stay; remove the file if it has none";
                problems.push(Problem::of_file(file, reason));
                Self { text: String::new(), is_unclear: true }
            }
            Ok(text) => Self { text, is_unclear: false },
            Err(problem) => {
                problems.push(problem);
                Self { text: String::new(), is_unclear: true }
            }
        }
    }

    /// The records, one per line. Those that cannot be parsed are left out with a problem.
    pub(super) fn records<'a>(&'a self, file: &'a Path, problems: &mut ProblemList) -> Records<'a> {
        let lines = self.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let (mut records, mut is_unclear) = (Vec::new(), self.is_unclear);
        let last = self.text.lines().count();
        for (index, line) in lines {
            match Record::read(file, index + 1, line) {
                Ok(record) => {
                    problems.extend(record.not_numbers());
                    records.push(record);
                }
                Err(mut problem) => {
                    if index + 1 == last && !self.text.ends_with('\n') {
                        problem.reason.push_str("; the file is cut off here: the stored metrics of the model stay");
                        is_unclear = true;
                    }
                    problems.push(problem);
                }
            }
        }
        Records { records, is_unclear }
    }
}
