//! Reads the configuration file of the Kubeflow Model Registry: YAML or JSON whose keys are the names of its flags
//! (parity). Existing manifests mount one.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use serde_saphyr::{Location, Spanned};

use super::ConfigError;
use super::file::{Entry, EntryValue};

/// Whether a file is YAML or JSON, by its extension.
pub(super) fn is_yaml(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| ["yaml", "yml", "json"].contains(&extension))
}

/// Reads the entries of a file. A key without a value counts as unset (parity).
pub(super) fn entries(path: &Path, text: &str) -> Result<Vec<Entry>, ConfigError> {
    let place = |location: Location| format!("{}:{}:{}", path.display(), location.line(), location.column());
    // The parser rejects a file without a document.
    let text = if text.trim().is_empty() { "{}" } else { text };
    let options = serde_saphyr::options! { with_snippet: false };
    let parsed = serde_saphyr::from_str_with_options(text, options);
    let values: Option<BTreeMap<String, Spanned<Value>>> = parsed.map_err(|error| {
        let reason = error.without_snippet().to_string().replace('\n', ", ");
        ConfigError::new(error.location().map_or_else(|| path.display().to_string(), place), reason)
    })?;
    let values = values.unwrap_or_default().into_iter().filter(|(_, value)| !value.value.is_null());
    let entries = values.map(|(key, value)| Entry {
        // The parser reports positions of values only.
        key_place: place(value.referenced),
        place: place(value.referenced),
        // Keys are case-insensitive (parity).
        key: key.to_lowercase(),
        value: entry_value(value.value),
    });
    Ok(entries.collect())
}

fn entry_value(value: Value) -> EntryValue {
    match value {
        Value::String(text) => EntryValue::Scalar(text),
        Value::Number(number) => EntryValue::Scalar(number.to_string()),
        Value::Bool(value) => EntryValue::Scalar(value.to_string()),
        Value::Array(elements) => {
            let texts: Option<Vec<String>> =
                elements.iter().map(|element| element.as_str().map(str::to_owned)).collect();
            texts.map_or(EntryValue::Unusable("a list with other elements"), EntryValue::List)
        }
        Value::Object(_) => EntryValue::Unusable("a mapping"),
        Value::Null => EntryValue::Unusable("nothing"),
    }
}
