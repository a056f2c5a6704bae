//! The file of the Kubeflow Model Registry: YAML or JSON whose keys are the names of the flags (parity, registry-server
//! 5.1). Existing manifests mount one.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use serde_saphyr::{Location, Spanned};

use super::ConfigError;
use super::file::{Entry, EntryValue};

/// Tells by its name whether a file is one.
pub(super) fn is_meant(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| ["yaml", "yml", "json"].contains(&extension))
}

/// Reads every key of a file. Keys without a value count as unset, as there.
pub(super) fn entries(path: &Path, text: &str) -> Result<Vec<Entry>, ConfigError> {
    let place = |location: Location| format!("{}:{}:{}", path.display(), location.line(), location.column());
    // An empty file has no document at all.
    let text = if text.trim().is_empty() { "{}" } else { text };
    let options = serde_saphyr::options! { with_snippet: false };
    let parsed = serde_saphyr::from_str_with_options(text, options);
    let values: Option<BTreeMap<String, Spanned<Value>>> = parsed.map_err(|error| {
        let reason = error.without_snippet().to_string().replace('\n', ", ");
        ConfigError::new(error.location().map_or_else(|| path.display().to_string(), place), reason)
    })?;
    let values = values.unwrap_or_default().into_iter().filter(|(_, value)| !value.value.is_null());
    let entries = values.map(|(key, value)| Entry {
        // Keys come without their place.
        key_place: place(value.referenced),
        place: place(value.referenced),
        // The reference's keys are the same in any case.
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
            texts.map_or(EntryValue::Unusable("a list of other things than texts"), EntryValue::List)
        }
        Value::Object(_) => EntryValue::Unusable("a mapping"),
        Value::Null => EntryValue::Unusable("nothing"),
    }
}
