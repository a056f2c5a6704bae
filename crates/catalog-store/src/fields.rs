//! What filters, searches and orders find of a document: its properties and its search string, as its kind declares them.

use model_registry_api::catalog::{CatalogKind, CatalogStorage, FilterShape};
use model_registry_filter::fold;
use model_registry_store::sql::{Properties, PropertyKey, PropertyValue, custom_properties};
use serde_json::{Map, Value};

use crate::packing::clean;

/// Ends the name of a property whose values are the elements of a list.
pub(crate) const LIST_ENDING: &str = ".array_value";

/// The value of a list without elements: it is present, and not a string, so nothing equals it.
const EMPTY_LIST: PropertyValue = PropertyValue::Bool(true);

/// Separates the parts of a search string; no search contains it.
const SEPARATOR: &str = "\u{1f}";

/// Whether a property of this name may be a field of the document, not only a custom property.
pub(crate) fn is_field(kind: CatalogKind, name: &str) -> bool {
    kind.spec().fields.iter().any(|field| matches!(field.storage, CatalogStorage::Property(stored) if stored == name))
}

/// The property rows of a document, in which members are replaced by those that are `written`.
pub(crate) fn properties(
    kind: CatalogKind,
    document: &Map<String, Value>,
    written: &[(&'static str, String)],
) -> Properties {
    let mut properties = custom_properties(document);
    for list in custom_lists(&properties) {
        properties.extend(list);
    }
    for field in kind.spec().fields {
        let (CatalogStorage::Property(name), Some(value)) = (field.storage, find(document, field.path)) else {
            continue;
        };
        match field.filter_shape() {
            FilterShape::String => {
                let string =
                    value.as_str().map(|string| (key(name, false, 0), PropertyValue::String(string.to_owned())));
                properties.extend(string);
            }
            FilterShape::StringList => {
                let elements =
                    value.as_array().map(|elements| elements.iter().filter_map(Value::as_str).map(str::to_owned));
                if let Some(elements) = elements {
                    properties.extend(list(name, false, elements));
                }
            }
            FilterShape::Bool => {
                properties.extend(value.as_bool().map(|flag| (key(name, false, 0), PropertyValue::Bool(flag))));
            }
            FilterShape::Integer => {
                properties.extend(value.as_i64().map(|number| (key(name, false, 0), PropertyValue::Int(number))));
            }
            FilterShape::Json => {
                let text = written.iter().find(|(member, _)| *member == field.path);
                let text = text.map_or_else(|| value.to_string(), |(_, text)| text.clone());
                properties.insert(key(name, false, 0), PropertyValue::String(text));
            }
        }
    }
    properties
}

/// Custom strings that spell a JSON list of strings are lists too, under their name with [`LIST_ENDING`].
fn custom_lists(properties: &Properties) -> Vec<Properties> {
    let mut lists = Vec::new();
    for ((name, custom, _), value) in properties {
        let PropertyValue::String(string) = value else { continue };
        if !string.starts_with('[') {
            continue;
        }
        let Ok(elements) = serde_json::from_str::<Vec<String>>(string) else { continue };
        // The string may spell null characters that it does not contain.
        let elements = elements.into_iter().map(|element| clean(&element).into_owned());
        lists.push(list(&format!("{name}{LIST_ENDING}"), *custom, elements));
    }
    lists
}

/// The rows of a list: one for each element.
fn list(name: &str, custom: bool, elements: impl Iterator<Item = String>) -> Properties {
    let rows = elements.enumerate().map(|(place, element)| {
        (key(name, custom, i16::try_from(place).unwrap_or(i16::MAX)), PropertyValue::String(element))
    });
    let rows: Properties = rows.collect();
    if rows.is_empty() { Properties::from([(key(name, custom, 0), EMPTY_LIST)]) } else { rows }
}

fn key(name: &str, custom: bool, ordinal: i16) -> PropertyKey {
    (name.to_owned(), custom, ordinal)
}

/// The value at a path of keys joined by dots.
fn find<'a>(document: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut keys = path.split('.');
    let first = document.get(keys.next()?)?;
    keys.try_fold(first, |value, key| value.get(key))
}

/// The string that `q` searches: the searched fields, folded. Empty for kinds that are not searched.
pub(crate) fn search_string(kind: CatalogKind, document: &Map<String, Value>) -> String {
    let spec = kind.spec();
    let mut parts: Vec<String> = Vec::new();
    for field in spec.search.iter().filter_map(|path| spec.fields.iter().find(|field| field.path == *path)) {
        let value = find(document, field.path);
        if field.filter_shape() == FilterShape::StringList {
            let elements = value.and_then(Value::as_array).into_iter().flatten();
            parts.extend(elements.filter_map(Value::as_str).map(str::to_owned));
        } else {
            parts.push(value.and_then(Value::as_str).unwrap_or_default().to_owned());
        }
    }
    if spec.versioned
        && let Some(name) = parts.first_mut()
        && let Some(version) = document.get("version").and_then(Value::as_str).filter(|version| !version.is_empty())
    {
        name.push('@');
        name.push_str(version);
    }
    fold(&parts.join(SEPARATOR))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(kind: CatalogKind, document: &Value) -> Vec<(String, bool, i16, PropertyValue)> {
        let properties = properties(kind, document.as_object().unwrap(), &[]);
        properties.into_iter().map(|((name, custom, ordinal), value)| (name, custom, ordinal, value)).collect()
    }

    #[test]
    fn every_shape_of_a_field_becomes_rows_under_its_stored_name() {
        let document = json!({
            "name": "s", "description": 7, "transports": ["stdio", "http"], "tags": [], "toolCount": 3,
            "securityIndicators": {"sast": true, "readOnlyTools": "yes"}, "endpoints": {"http": "https://a"}
        });
        let string = |text: &str| PropertyValue::String(text.to_owned());
        assert_eq!(
            rows(CatalogKind::McpServer, &document),
            [
                ("endpoints".to_owned(), false, 0, string(r#"{"http":"https://a"}"#)),
                ("sast".to_owned(), false, 0, PropertyValue::Bool(true)),
                ("tags".to_owned(), false, 0, EMPTY_LIST),
                ("toolCount".to_owned(), false, 0, PropertyValue::Int(3)),
                ("transports".to_owned(), false, 0, string("stdio")),
                ("transports".to_owned(), false, 1, string("http")),
            ]
        );
    }

    #[test]
    fn a_custom_string_that_spells_a_list_has_rows_for_the_elements_too() {
        let custom = |value: &str| json!({"metadataType": "MetadataStringValue", "string_value": value});
        let document = json!({"customProperties": {
            "list": custom(r#"["a","b"]"#), "empty": custom("[]"), "numbers": custom("[1]"), "broken": custom("[")
        }});
        let lists = rows(CatalogKind::Model, &document);
        let lists: Vec<_> = lists.iter().filter(|row| row.0.ends_with(LIST_ENDING)).collect();
        assert_eq!(
            lists,
            [
                &("empty.array_value".to_owned(), true, 0, EMPTY_LIST),
                &("list.array_value".to_owned(), true, 0, PropertyValue::String("a".to_owned())),
                &("list.array_value".to_owned(), true, 1, PropertyValue::String("b".to_owned())),
            ]
        );
    }

    #[test]
    fn the_search_string_has_the_searched_fields_folded() {
        let search = |kind, document: Value| search_string(kind, document.as_object().unwrap());
        let model = json!({"name": "Äpfel", "provider": "P", "tasks": ["Chat", "RAG"], "validatedTasks": ["Testing"], "readme": "not searched"});
        assert_eq!(search(CatalogKind::Model, model), "äpfel\u{1f}\u{1f}p\u{1f}\u{1f}chat\u{1f}rag\u{1f}testing");
        assert_eq!(search(CatalogKind::McpServer, json!({"name": "S", "version": "1"})), "s@1\u{1f}\u{1f}\u{1f}");
        assert_eq!(search(CatalogKind::McpServer, json!({"name": "S", "version": ""})), "s\u{1f}\u{1f}\u{1f}");
        assert_eq!(search(CatalogKind::McpTool, json!({"name": "t"})), "");
    }
}
