//! Named queries: filters that an administrator defines and clients use by name.

use std::collections::BTreeMap;

use model_registry_api::catalog::AssetType;
use model_registry_filter::{Expression, FilterError, parse};
use serde_json::{Map, Value};

use crate::yaml::Violation;

const OPERATORS: [&str; 10] = ["=", "!=", ">", "<", ">=", "<=", "LIKE", "ILIKE", "IN", "NOT IN"];

/// A condition on one field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldFilter {
    pub operator: String,
    pub value: Value,
}

/// A query: all conditions have to be met.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedQuery {
    pub asset_type: AssetType,
    pub fields: BTreeMap<String, FieldFilter>,
}

impl NamedQuery {
    /// Reads both forms: with `filters` and an asset type, or the older one whose keys are the fields.
    pub(super) fn read(name: &str, value: Value) -> Result<Self, Violation> {
        if name.is_empty() {
            return Err("a named query has no name".to_owned().into());
        }
        let Value::Object(mut map) = value else {
            return Err(format!("named query '{name}' is not a map").into());
        };
        let asset_type = match map.get("assetType") {
            None | Some(Value::Null | Value::Object(_)) => AssetType::default(),
            Some(written) => written.as_str().and_then(AssetType::from_name).ok_or_else(|| {
                let valid = AssetType::names(", ");
                let reason = format!("named query '{name}' has invalid assetType {written} (valid values: {valid})");
                Violation::from(reason).in_key("assetType")
            })?,
        };
        let has_filters = map.contains_key("filters");
        let fields = match map.remove("filters") {
            Some(Value::Object(fields)) => fields,
            Some(_) => Map::new(),
            // In the older form all keys are fields; what is not a condition comes from a newer publisher.
            None => map.into_iter().filter(|(_, condition)| condition.is_object()).collect(),
        };
        if fields.is_empty() {
            return Err(format!("named query '{name}' must contain at least one field filter").into());
        }
        let read = |(field, filter): (String, Value)| match read_field(name, &field, &filter) {
            Ok(filter) => Ok((field, filter)),
            Err(violation) if has_filters => Err(violation.in_key(&field).in_key("filters")),
            Err(violation) => Err(violation.in_key(&field)),
        };
        Ok(Self { asset_type, fields: fields.into_iter().map(read).collect::<Result<_, Violation>>()? })
    }

    /// The fields as responses have them. `bound` replaces the words `min` and `max` by values.
    pub fn to_wire(&self, bound: impl Fn(&str, &Value) -> Option<Value>) -> Value {
        let fields = self.fields.iter().map(|(field, filter)| {
            let value = bound(field, &filter.value).unwrap_or_else(|| filter.value.clone());
            (field.clone(), serde_json::json!({"operator": filter.operator, "value": value}))
        });
        Value::Object(fields.collect())
    }
}

fn read_field(query: &str, field: &str, filter: &Value) -> Result<FieldFilter, Violation> {
    let wrong = |key: &str, reason: String| Violation::from(reason).in_key(key);
    if field.is_empty() {
        return Err(format!("named query '{query}' has an empty field name").into());
    }
    let operator = filter.get("operator").and_then(Value::as_str).map(str::trim).unwrap_or_default().to_owned();
    if operator.is_empty() {
        let reason = format!("operator cannot be empty for field '{field}' in named query '{query}'");
        return Err(wrong("operator", reason));
    }
    let known = operator.to_uppercase();
    if !OPERATORS.contains(&known.as_str()) {
        let reason = format!("unsupported operator '{operator}' for field '{field}' in named query '{query}'");
        return Err(wrong("operator", reason));
    }
    let value = filter.get("value").cloned().unwrap_or_default();
    if value.is_null() {
        return Err(wrong("value", format!("value cannot be nil for field '{field}' in named query '{query}'")));
    }
    if known.ends_with("IN") && !value.is_array() {
        let reason = format!("operator '{known}' requires array value for field '{field}' in named query '{query}'");
        return Err(wrong("value", reason));
    }
    Ok(FieldFilter { operator, value })
}

/// Converts a query to a filter. `bound` replaces the words `min` and `max` by values.
pub fn to_filter(
    query: &NamedQuery,
    bound: impl Fn(&str, &Value) -> Option<Value>,
) -> Result<Option<Expression>, FilterError> {
    let mut text = String::new();
    for (field, filter) in &query.fields {
        let value = bound(field, &filter.value).unwrap_or_else(|| filter.value.clone());
        if !text.is_empty() {
            text.push_str(" AND ");
        }
        text.push_str(&quoted_name(field));
        text.push(' ');
        text.push_str(&filter.operator.to_uppercase());
        text.push(' ');
        text.push_str(&literal(&value));
    }
    parse(&text)
}

fn quoted_name(field: &str) -> String {
    let is_word = |part: &str| {
        part.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
            && part.starts_with(|character: char| character.is_ascii_alphabetic() || character == '_')
    };
    if field.split('.').all(is_word) {
        return field.to_owned();
    }
    format!("`{}`", field.replace('\\', "\\\\").replace('`', "\\`"))
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(string) => format!("'{}'", string.replace('\\', "\\\\").replace('\'', "''")),
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(literal).collect();
            format!("({})", elements.join(", "))
        }
        // Numbers and booleans are the same in JSON and filters; the parser rejects maps.
        other => other.to_string(),
    }
}
