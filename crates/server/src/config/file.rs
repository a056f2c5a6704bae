//! Reads a TOML file into entries with dotted keys and positions.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;

/// The content of a TOML file, which turns byte offsets into `file:line:column` for messages.
pub(crate) struct TomlFile<'a> {
    name: String,
    text: &'a str,
}

impl<'a> TomlFile<'a> {
    pub(crate) fn new(path: &Path, text: &'a str) -> Self {
        Self { name: path.display().to_string(), text }
    }

    /// Formats a position as `file:line:column`; both count from one, columns in characters.
    pub(crate) fn place(&self, span: &Range<usize>) -> String {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}", self.name)
    }

    /// Converts an error of the parser into one line with its position.
    pub(crate) fn error(&self, error: &toml::de::Error) -> ConfigError {
        let reason = error.message().replace('\n', ", ");
        ConfigError::new(self.place(&error.span().unwrap_or_default()), reason)
    }
}

/// A key of the file with its value.
pub(super) struct Entry {
    /// The dotted key.
    pub(super) key: String,
    /// Position of the key, `file:line:column`.
    pub(super) key_place: String,
    /// Position of the value.
    pub(super) place: String,
    pub(super) value: EntryValue,
}

pub(super) enum EntryValue {
    String(String),
    /// A date without quotes, as written.
    Date(String),
    /// A number or a boolean, as written.
    Bare(String),
    /// A string, number or boolean of a YAML file, which does not distinguish them.
    Scalar(String),
    List(Vec<String>),
    /// Any other type; its description for messages.
    Unusable(&'static str),
}

/// Reads the entries of a file; tables become prefixes of keys.
pub(super) fn entries(path: &Path, text: &str) -> Result<Vec<Entry>, ConfigError> {
    let file = TomlFile::new(path, text);
    let table = DeTable::parse(text).map_err(|error| file.error(&error))?;
    let mut entries = Vec::new();
    collect(&file, "", table.get_ref(), &mut entries);
    Ok(entries)
}

fn collect(file: &TomlFile<'_>, prefix: &str, table: &DeTable<'_>, entries: &mut Vec<Entry>) {
    for (key, value) in table {
        let path = format!("{prefix}{}", key.get_ref());
        if let DeValue::Table(inner) = value.get_ref() {
            collect(file, &format!("{path}."), inner, entries);
            continue;
        }
        entries.push(Entry {
            key: path,
            key_place: file.place(&key.span()),
            place: file.place(&value.span()),
            value: entry_value(value),
        });
    }
}

fn entry_value(value: &Spanned<DeValue<'_>>) -> EntryValue {
    match value.get_ref() {
        DeValue::String(text) => EntryValue::String(text.clone().into_owned()),
        DeValue::Integer(number) => EntryValue::Bare(number.as_str().to_owned()),
        DeValue::Float(number) => EntryValue::Bare(number.as_str().to_owned()),
        DeValue::Boolean(value) => EntryValue::Bare(value.to_string()),
        DeValue::Array(elements) => {
            let texts: Option<Vec<String>> =
                elements.iter().map(|element| element.get_ref().as_str().map(str::to_owned)).collect();
            texts.map_or(EntryValue::Unusable("an array with other elements"), EntryValue::List)
        }
        // Unquoted, as in YAML.
        DeValue::Datetime(date) => EntryValue::Date(date.to_string()),
        DeValue::Table(_) => EntryValue::Unusable("a table"),
    }
}
