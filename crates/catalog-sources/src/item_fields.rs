//! Fields that all items have: names, times, artifact URIs.

use serde_json::{Map, Value};

use crate::yaml::Violation;

/// Longest name or key that the database stores.
pub(crate) const LONGEST_NAME: usize = 255;

const URI_SCHEMES: [&str; 7] = ["oci", "http", "https", "s3", "gs", "az", "file"];

/// Parses milliseconds since the Unix epoch; an empty string is like none.
pub(crate) fn millis(field: &str, text: Option<&str>) -> Result<Option<i64>, Violation> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let invalid = |_| Violation::from(format!("`{field}` is not a number of milliseconds: {text}")).in_key(field);
    text.parse().map(Some).map_err(invalid)
}

/// Checks the scheme of the URI of an artifact.
pub(crate) fn check_artifact_uri(uri: &str) -> Result<(), String> {
    if uri.trim().is_empty() {
        return Err("artifact URI cannot be empty".to_owned());
    }
    let known = URI_SCHEMES.join(" ");
    let Some((scheme, _)) = uri.split_once(':') else {
        return Err(format!("artifact URI \"{uri}\" must have a scheme (valid schemes: [{known}])"));
    };
    if URI_SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    Err(format!("artifact URI \"{uri}\" has unsupported scheme \"{scheme}\" (valid schemes: [{known}])"))
}

/// Checks that a name can be stored and is not empty.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err("the name is empty".to_owned());
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(format!("the name is longer than {LONGEST_NAME} characters"));
    }
    if name.contains('\0') {
        return Err("the name contains a null character".to_owned());
    }
    Ok(())
}

/// Cuts a generated name to the length that the database stores.
pub(crate) fn cut_name(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}

/// Inserts a string into a document if there is one.
pub(crate) fn insert_string(document: &mut Map<String, Value>, field: &str, value: Option<&str>) {
    if let Some(value) = value {
        document.insert(field.to_owned(), value.into());
    }
}
