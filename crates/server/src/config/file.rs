//! The TOML file: every leaf with its dotted key and its position.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;

/// A text and where its parts are, for messages a person can follow.
pub(crate) struct Source<'a> {
    name: String,
    text: &'a str,
}

impl<'a> Source<'a> {
    pub(crate) fn new(path: &Path, text: &'a str) -> Self {
        Self { name: path.display().to_string(), text }
    }

    /// Returns `file:line:column`, both counted from one, the column in characters.
    pub(crate) fn place(&self, span: &Range<usize>) -> String {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}", self.name)
    }

    /// Turns an error of the parser into one line with a place.
    pub(crate) fn error(&self, error: &toml::de::Error) -> ConfigError {
        let reason = error.message().replace('\n', ", ");
        ConfigError::new(self.place(&error.span().unwrap_or_default()), reason)
    }
}

/// One key of the file.
pub(super) struct Entry {
    /// The dotted key.
    pub(super) key: String,
    /// Where the key stands.
    pub(super) key_place: String,
    /// Where the value stands.
    pub(super) place: String,
    pub(super) value: EntryValue,
}

pub(super) enum EntryValue {
    Text(String),
    /// A number or a boolean, as it is written.
    Bare(String),
    /// A text, number or boolean of a file that does not tell them apart.
    Scalar(String),
    List(Vec<String>),
    /// Anything else; what it is.
    Unusable(&'static str),
}

/// Reads every leaf of a file.
pub(super) fn entries(path: &Path, text: &str) -> Result<Vec<Entry>, ConfigError> {
    let source = Source::new(path, text);
    let table = DeTable::parse(text).map_err(|error| source.error(&error))?;
    let mut entries = Vec::new();
    collect(&source, "", table.get_ref(), &mut entries);
    Ok(entries)
}

fn collect(source: &Source<'_>, prefix: &str, table: &DeTable<'_>, entries: &mut Vec<Entry>) {
    for (key, value) in table {
        let path = format!("{prefix}{}", key.get_ref());
        if let DeValue::Table(inner) = value.get_ref() {
            collect(source, &format!("{path}."), inner, entries);
            continue;
        }
        entries.push(Entry {
            key: path,
            key_place: source.place(&key.span()),
            place: source.place(&value.span()),
            value: entry_value(value),
        });
    }
}

fn entry_value(value: &Spanned<DeValue<'_>>) -> EntryValue {
    match value.get_ref() {
        DeValue::String(text) => EntryValue::Text(text.clone().into_owned()),
        DeValue::Integer(number) => EntryValue::Bare(number.as_str().to_owned()),
        DeValue::Float(number) => EntryValue::Bare(number.as_str().to_owned()),
        DeValue::Boolean(value) => EntryValue::Bare(value.to_string()),
        DeValue::Array(elements) => {
            let texts: Option<Vec<String>> =
                elements.iter().map(|element| element.get_ref().as_str().map(str::to_owned)).collect();
            texts.map_or(EntryValue::Unusable("an array of other things than strings"), EntryValue::List)
        }
        DeValue::Datetime(_) => EntryValue::Unusable("a date"),
        DeValue::Table(_) => EntryValue::Unusable("a table"),
    }
}
