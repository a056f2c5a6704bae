//! What stands in the cells of tables.

use model_registry_base::time::date_and_time;
use model_registry_client::MetadataValue;
use serde_json::Value;

use crate::entity::{Noun, parents};

/// Columns that show times, and the fields they are of.
const TIMES: &[(&str, &str)] = &[
    ("created", "createTimeSinceEpoch"),
    ("updated", "lastUpdateTimeSinceEpoch"),
    ("start", "startTimeSinceEpoch"),
    ("end", "endTimeSinceEpoch"),
    ("timestamp", "timestamp"),
];

/// `storagePath` becomes `STORAGE PATH`; the name of a custom property stays as it is.
pub(super) fn header(column: &str, noun: &Noun) -> String {
    if let (Some((parent, _)), "parent") = (noun.parent, column) {
        return parent.singular.to_uppercase();
    }
    words(column)
}

/// As [`header`], for what has no parent.
pub(super) fn words(column: &str) -> String {
    let column = column.strip_prefix("customProperties.").unwrap_or(column);
    let is_field = column.chars().all(|character| character.is_ascii_alphanumeric())
        && column.starts_with(|character: char| character.is_ascii_lowercase());
    if !is_field {
        return printable(column);
    }
    let mut header = String::new();
    for character in column.chars() {
        if character.is_ascii_uppercase() {
            header.push(' ');
        }
        header.push(character.to_ascii_uppercase());
    }
    header
}

/// The cell of a column: one of our own, a field, or else a custom property.
pub(super) fn of(entity: &Value, column: &str, parents: &parents::Names, noun: &Noun) -> String {
    if column == "parent" {
        return noun.parent_id(entity).map_or_else(String::new, |id| printable(&parents.of(id)));
    }
    field(entity, column)
}

/// As [`of`], for what has no parent.
pub(super) fn field(entity: &Value, column: &str) -> String {
    if let Some((_, field)) = TIMES.iter().find(|(name, _)| *name == column)
        && let Some(value) = entity.get(field)
    {
        return time_text(value);
    }
    let property = |name: &str| entity.get("customProperties").and_then(|properties| properties.get(name));
    if let Some(name) = column.strip_prefix("customProperties.") {
        return property(name).map_or_else(String::new, metadata);
    }
    match entity.get(column) {
        Some(value) => plain(value),
        None => property(column).map_or_else(String::new, metadata),
    }
}

/// Every field of an entity, one in a row; custom properties below each other.
pub(super) fn all(entity: &Value) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let Some(fields) = entity.as_object() else { return rows };
    let first = ["id", "name", "artifactType", "state", "description"];
    let last = ["createTimeSinceEpoch", "lastUpdateTimeSinceEpoch", "customProperties"];
    let others = fields.keys().map(String::as_str).filter(|key| !first.contains(key) && !last.contains(key));
    for key in first.into_iter().chain(others).chain(last) {
        let Some(value) = fields.get(key) else { continue };
        if let (Some(properties), "customProperties") = (value.as_object(), key) {
            rows.extend(
                properties
                    .iter()
                    .map(|(name, value)| vec![format!("customProperties.{}", printable(name)), metadata(value)]),
            );
        } else {
            let is_time = TIMES.iter().any(|(_, field)| *field == key);
            rows.push(vec![key.to_owned(), if is_time { time_text(value) } else { plain(value) }]);
        }
    }
    rows
}

fn time_text(value: &Value) -> String {
    let text = plain(value);
    text.parse().map_or(text, date_and_time)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => printable(text),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => printable(&other.to_string()),
    }
}

pub(super) fn metadata(value: &Value) -> String {
    serde_json::from_value::<MetadataValue>(value.clone())
        .map_or_else(|_| plain(value), |value| printable(&value.to_string()))
}

/// A text that cannot move the cursor or change the colours of a terminal, whoever wrote it, and stays in its line.
pub(crate) fn printable(text: &str) -> String {
    // Marks that turn the direction of what follows can make a name look like another.
    let is_harmless = |character: char| {
        !character.is_control()
            && !matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
    };
    if text.chars().all(is_harmless) {
        return text.to_owned();
    }
    text.chars()
        .map(
            |character| {
                if is_harmless(character) { character.to_string() } else { character.escape_default().to_string() }
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::{ARTIFACTS, VERSIONS};

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        assert_eq!(printable("naïve 模型"), "naïve 模型");
        assert_eq!(printable("a\u{1b}[31mred\nb\u{202e}c"), "a\\u{1b}[31mred\\nb\\u{202e}c");
    }

    #[test]
    fn headers_are_words() {
        assert_eq!(header("parent", &VERSIONS), "MODEL");
        assert_eq!(header("storagePath", &ARTIFACTS), "STORAGE PATH");
        assert_eq!(header("customProperties.f1_score", &ARTIFACTS), "f1_score");
    }
}
