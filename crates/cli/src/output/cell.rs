//! Renders the cells of tables.

use model_registry_base::time::date_and_time;
use model_registry_client::MetadataValue;
use serde_json::Value;

/// Columns that show times, with their fields.
const TIMES: &[(&str, &str)] = &[
    ("created", "createTimeSinceEpoch"),
    ("updated", "lastUpdateTimeSinceEpoch"),
    ("start", "startTimeSinceEpoch"),
    ("end", "endTimeSinceEpoch"),
    ("timestamp", "timestamp"),
];

/// The header of a column: `storagePath` becomes `STORAGE PATH`; the names of custom properties stay unchanged.
pub(crate) fn header(column: &str) -> String {
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

/// The cell of a column: a time, a field, or else a custom property.
pub(crate) fn cell(item: &Value, column: &str) -> String {
    if let Some((_, field)) = TIMES.iter().find(|(name, _)| *name == column)
        && let Some(value) = item.get(field)
    {
        return time(value);
    }
    let property = |name: &str| item.get("customProperties").and_then(|properties| properties.get(name));
    if let Some(name) = column.strip_prefix("customProperties.") {
        return property(name).map_or_else(String::new, metadata);
    }
    match item.get(column) {
        Some(value) => plain(value),
        None => property(column).map_or_else(String::new, metadata),
    }
}

/// All fields of an entity or item, one row per field and per custom property.
pub(super) fn all(item: &Value) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let Some(fields) = item.as_object() else { return rows };
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
            rows.push(vec![key.to_owned(), if is_time { time(value) } else { plain(value) }]);
        }
    }
    rows
}

/// Milliseconds since the Unix epoch as date and time in UTC.
fn time(value: &Value) -> String {
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

/// The value of a custom property.
pub(super) fn metadata(value: &Value) -> String {
    serde_json::from_value::<MetadataValue>(value.clone())
        .map_or_else(|_| plain(value), |value| printable(&value.to_string()))
}

/// Escapes control characters, line breaks and changes of the text direction, so that untrusted text cannot control the
/// terminal, break a line, or display a name as another.
pub(crate) fn printable(text: &str) -> String {
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

    #[test]
    fn characters_that_control_a_terminal_are_escaped() {
        assert_eq!(printable("naïve 模型"), "naïve 模型");
        assert_eq!(printable("a\u{1b}[31mred\nb\u{202e}c"), "a\\u{1b}[31mred\\nb\\u{202e}c");
    }

    #[test]
    fn headers_are_words() {
        assert_eq!(header("storagePath"), "STORAGE PATH");
        assert_eq!(header("customProperties.f1_score"), "f1_score");
    }
}
