//! Named queries: filters that an administrator writes once and clients ask for by name.

use std::collections::BTreeMap;

use model_registry_filter::{Expression, FilterError, parse};
use serde_json::{Map, Value};

use crate::yaml::Breach;
use model_registry_api::catalog::AssetType;

const OPERATORS: [&str; 10] = ["=", "!=", ">", "<", ">=", "<=", "LIKE", "ILIKE", "IN", "NOT IN"];

/// A condition on one field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldFilter {
    pub operator: String,
    pub value: Value,
}

/// A query by its fields.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedQuery {
    pub asset: AssetType,
    pub fields: BTreeMap<String, FieldFilter>,
}

impl NamedQuery {
    /// Reads either form: with `filters` and an asset type, or the older one whose keys are the fields.
    pub(super) fn read(name: &str, value: Value) -> Result<Self, Breach> {
        if name.is_empty() {
            return Err("a named query has no name".to_owned().into());
        }
        let Value::Object(mut map) = value else {
            return Err(format!("named query '{name}' is not a map").into());
        };
        let has_filters = map.contains_key("filters");
        let (asset, fields) = if has_filters {
            let asset = match map.get("assetType") {
                None | Some(Value::Null) => AssetType::Models,
                Some(asset) => asset.as_str().and_then(AssetType::from_name).ok_or_else(|| {
                    let valid = "valid values: models, mcp_servers";
                    let reason = format!("named query '{name}' has invalid assetType {asset} ({valid})");
                    Breach::from(reason).in_key("assetType")
                })?,
            };
            match map.remove("filters") {
                Some(Value::Object(fields)) => (asset, fields),
                _ => (asset, Map::new()),
            }
        } else {
            (AssetType::Models, map)
        };
        if fields.is_empty() {
            return Err(format!("named query '{name}' must contain at least one field filter").into());
        }
        let read = |(field, filter): (String, Value)| match read_field(name, &field, &filter) {
            Ok(filter) => Ok((field, filter)),
            Err(breach) if has_filters => Err(breach.in_key(&field).in_key("filters")),
            Err(breach) => Err(breach.in_key(&field)),
        };
        Ok(Self { asset, fields: fields.into_iter().map(read).collect::<Result<_, Breach>>()? })
    }

    /// The fields as a response carries them.
    pub fn to_wire(&self, bound: impl Fn(&str, &Value) -> Option<Value>) -> Value {
        let fields = self.fields.iter().map(|(field, filter)| {
            let value = bound(field, &filter.value).unwrap_or_else(|| filter.value.clone());
            (field.clone(), serde_json::json!({"operator": filter.operator, "value": value}))
        });
        Value::Object(fields.collect())
    }
}

fn read_field(query: &str, field: &str, filter: &Value) -> Result<FieldFilter, Breach> {
    let wrong = |key: &str, reason: String| Breach::from(reason).in_key(key);
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

/// The query as a filter; `bound` replaces the words `min` and `max` by what they stand for.
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
        Value::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(literal).collect();
            format!("({})", elements.join(", "))
        }
        // Numbers and booleans are written alike in both languages; a map is refused by the parser.
        other => other.to_string(),
    }
}
