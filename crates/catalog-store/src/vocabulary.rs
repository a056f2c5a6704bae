//! Which fields of the catalog's documents can be filtered by, and what a name in a filter means.

use model_registry_filter::{Comparison, Expression, Target, ValueType};
use model_registry_store::sql::{Properties, PropertyValue, custom_properties};
use serde_json::{Map, Value};

use super::CatalogKind;
use super::item::REPLACEMENT;

/// The name under which a filter on models reaches their artifacts.
const RELATED: &str = "artifacts.";
/// The ending that asks for the elements of a list.
const LIST_ENDING: &str = ".array_value";

/// Says of a list that it is there, although it has no elements: no text, so that nothing is equal to it.
const EMPTY_LIST: PropertyValue = PropertyValue::Bool(true);

/// A filterable field of a document.
struct Field {
    /// The path in the document, which filters may also use, joined with dots.
    path: &'static [&'static str],
    /// The name of its property rows.
    stored: &'static str,
    shape: Shape,
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    String,
    List,
    Bool,
    Int,
    /// Compared as its JSON text (parity, catalog-service 2.4).
    Json,
}

const fn text(path: &'static [&'static str], stored: &'static str) -> Field {
    Field { path, stored, shape: Shape::String }
}

const fn list(path: &'static [&'static str], stored: &'static str) -> Field {
    Field { path, stored, shape: Shape::List }
}

const fn json(path: &'static [&'static str], stored: &'static str) -> Field {
    Field { path, stored, shape: Shape::Json }
}

const fn indicator(path: &'static [&'static str], stored: &'static str) -> Field {
    Field { path, stored, shape: Shape::Bool }
}

const MODEL: &[Field] = &[
    text(&["description"], "description"),
    list(&["language"], "language"),
    text(&["libraryName"], "library_name"),
    text(&["license"], "license"),
    text(&["licenseLink"], "license_link"),
    text(&["logo"], "logo"),
    text(&["maturity"], "maturity"),
    text(&["provider"], "provider"),
    text(&["readme"], "readme"),
    list(&["tasks"], "tasks"),
];

const MCP_SERVER: &[Field] = &[
    json(&["artifacts"], "artifacts"),
    text(&["deploymentMode"], "deploymentMode"),
    text(&["description"], "description"),
    text(&["documentationUrl"], "documentationUrl"),
    json(&["endpoints"], "endpoints"),
    text(&["lastUpdated"], "lastUpdated"),
    text(&["license"], "license"),
    text(&["license_link"], "license_link"),
    text(&["logo"], "logo"),
    text(&["provider"], "provider"),
    text(&["publishedDate"], "publishedDate"),
    text(&["readme"], "readme"),
    text(&["repositoryUrl"], "repositoryUrl"),
    json(&["runtimeMetadata"], "runtimeMetadata"),
    text(&["sourceCode"], "sourceCode"),
    text(&["version"], "version"),
    list(&["tags"], "tags"),
    list(&["transports"], "transports"),
    indicator(&["securityIndicators", "readOnlyTools"], "readOnlyTools"),
    indicator(&["securityIndicators", "sast"], "sast"),
    indicator(&["securityIndicators", "secureEndpoint"], "secureEndpoint"),
    indicator(&["securityIndicators", "verifiedSource"], "verifiedSource"),
    Field { path: &["toolCount"], stored: "toolCount", shape: Shape::Int },
];

const MCP_TOOL: &[Field] = &[text(&["accessType"], "accessType"), text(&["description"], "description")];

const ARTIFACT: &[Field] = &[
    text(&["artifactType"], "artifactType"),
    text(&["description"], "description"),
    text(&["metricsType"], "metricsType"),
    text(&["uri"], "uri"),
];

fn fields(kind: CatalogKind) -> &'static [Field] {
    match kind {
        CatalogKind::Model => MODEL,
        CatalogKind::McpServer => MCP_SERVER,
        CatalogKind::McpTool => MCP_TOOL,
        CatalogKind::ModelArtifact | CatalogKind::PerformanceMetrics | CatalogKind::AccuracyMetrics => ARTIFACT,
    }
}

/// Whether a property of this name may be a field of the document, not only a custom property.
pub(super) fn is_built_in(kind: CatalogKind, name: &str) -> bool {
    fields(kind).iter().any(|field| field.stored == name)
}

/// The property rows of a document.
pub(super) fn properties(kind: CatalogKind, document: &Map<String, Value>) -> Properties {
    let mut properties = custom_properties(document);
    for list in custom_lists(&properties) {
        properties.extend(list);
    }
    for field in fields(kind) {
        let Some(value) = find(document, field.path) else { continue };
        let key = |ordinal: usize| (field.stored.to_owned(), false, i16::try_from(ordinal).unwrap_or(i16::MAX));
        match field.shape {
            Shape::String => {
                if let Some(text) = value.as_str() {
                    properties.insert(key(0), PropertyValue::String(text.to_owned()));
                }
            }
            Shape::List => {
                if value.as_array().is_some_and(Vec::is_empty) {
                    properties.insert(key(0), EMPTY_LIST);
                }
                for (ordinal, text) in value.as_array().into_iter().flatten().filter_map(Value::as_str).enumerate() {
                    properties.insert(key(ordinal), PropertyValue::String(text.to_owned()));
                }
            }
            Shape::Bool => {
                if let Some(value) = value.as_bool() {
                    properties.insert(key(0), PropertyValue::Bool(value));
                }
            }
            Shape::Int => {
                if let Some(value) = value.as_i64() {
                    properties.insert(key(0), PropertyValue::Int(value));
                }
            }
            Shape::Json => {
                properties.insert(key(0), PropertyValue::String(value.to_string()));
            }
        }
    }
    properties
}

/// Texts that spell a JSON list of texts are lists too, under their name with [`LIST_ENDING`] behind it.
fn custom_lists(properties: &Properties) -> Vec<Properties> {
    let mut lists = Vec::new();
    for ((name, custom, _), value) in properties {
        let PropertyValue::String(text) = value else { continue };
        if !text.starts_with('[') {
            continue;
        }
        let Ok(elements) = serde_json::from_str::<Vec<String>>(text) else { continue };
        let key = |ordinal| (format!("{name}{LIST_ENDING}"), *custom, i16::try_from(ordinal).unwrap_or(i16::MAX));
        if elements.is_empty() {
            lists.push(Properties::from([(key(0), EMPTY_LIST)]));
            continue;
        }
        // The text may spell what it must not have.
        let elements = elements.into_iter().map(|element| element.replace('\0', REPLACEMENT));
        lists.push(
            elements.enumerate().map(|(ordinal, element)| (key(ordinal), PropertyValue::String(element))).collect(),
        );
    }
    lists
}

fn find<'a>(document: &'a Map<String, Value>, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(document.get(*first)?, |value, name| value.get(name))
}

/// What `q` looks in: the parts folded, and kept apart by a character that nobody searches for.
pub(super) fn search_text(kind: CatalogKind, document: &Map<String, Value>) -> String {
    let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let parts = match kind {
        CatalogKind::Model => {
            let tasks = document.get("tasks").and_then(Value::as_array).into_iter().flatten();
            let mut parts: Vec<String> = ["name", "description", "provider", "libraryName"].map(text).into();
            parts.extend(tasks.filter_map(Value::as_str).map(str::to_owned));
            parts
        }
        CatalogKind::McpServer => {
            let (name, version) = (text("name"), text("version"));
            let name = if version.is_empty() { name } else { format!("{name}@{version}") };
            vec![name, text("description"), text("provider")]
        }
        _ => Vec::new(),
    };
    model_registry_filter::fold(&parts.join("\u{1f}"))
}

/// What a name in a filter on this kind means. A built-in field and a custom property of one name are not told apart
/// (parity).
pub(super) fn resolve(kind: CatalogKind, name: &str) -> Target {
    if kind == CatalogKind::Model
        && let Some(name) = name.strip_prefix(RELATED)
    {
        let target = match name {
            // Measurements have an `id` of their own, a text, beside that of their row.
            "id" => Target::ByLiteral {
                number: Box::new(resolve(CatalogKind::ModelArtifact, name)),
                other: Box::new(Target::Property { name: name.to_owned(), built_in_only: false, value: None }),
            },
            name => resolve(CatalogKind::ModelArtifact, name),
        };
        return Target::Related(Box::new(target));
    }
    if let Some(column) = column(kind, name) {
        return column;
    }
    let plain = name.strip_suffix(LIST_ENDING).unwrap_or(name);
    let declared = fields(kind).iter().find(|field| field.stored == plain || field.path.join(".") == plain);
    match declared {
        Some(Field { stored, shape: Shape::List, .. }) => Target::List { name: (*stored).to_owned() },
        Some(field) => {
            let value = match field.shape {
                Shape::String | Shape::List | Shape::Json => ValueType::String,
                Shape::Bool => ValueType::Bool,
                Shape::Int => ValueType::Int,
            };
            Target::Property { name: field.stored.to_owned(), built_in_only: false, value: Some(value) }
        }
        None if name.ends_with(LIST_ENDING) => Target::List { name: name.to_owned() },
        None => Target::Property { name: name.to_owned(), built_in_only: false, value: None },
    }
}

fn column(kind: CatalogKind, name: &str) -> Option<Target> {
    let (name, value, folded) = match name {
        "id" => ("id", ValueType::Int, None),
        "name" => ("name", ValueType::String, Some("name_folded")),
        "base_name" if kind == CatalogKind::McpServer => ("name", ValueType::String, Some("name_folded")),
        "externalId" => ("external_id", ValueType::String, None),
        "createTimeSinceEpoch" => ("create_time", ValueType::Int, None),
        "lastUpdateTimeSinceEpoch" => ("update_time", ValueType::Int, None),
        "source_id" if kind != CatalogKind::ModelArtifact => ("source_id", ValueType::String, None),
        _ => return None,
    };
    Some(Target::Column { name, value, folded })
}

/// What a filter on models asks of their artifacts, as a filter on artifacts: conditions on the model itself fall away.
pub fn about_related(expression: &Expression) -> Option<Expression> {
    match expression {
        Expression::And(members) => {
            let mut members: Vec<Expression> = members.iter().filter_map(about_related).collect();
            if members.len() > 1 { Some(Expression::And(members)) } else { members.pop() }
        }
        // parity (catalog-service 2.5): what an alternative asks of artifacts counts, whatever the others are about.
        Expression::Or(members) => {
            let mut members: Vec<Expression> = members.iter().filter_map(about_related).collect();
            if members.len() > 1 { Some(Expression::Or(members)) } else { members.pop() }
        }
        Expression::Not(_) | Expression::Comparison(_) => about_related_only(expression),
    }
}

/// The same for an expression that has no condition on the model itself.
fn about_related_only(expression: &Expression) -> Option<Expression> {
    let all = |members: &[Expression]| members.iter().map(about_related_only).collect::<Option<Vec<_>>>();
    Some(match expression {
        Expression::And(members) => Expression::And(all(members)?),
        Expression::Or(members) => Expression::Or(all(members)?),
        Expression::Not(inner) => Expression::Not(Box::new(about_related_only(inner)?)),
        Expression::Comparison(comparison) => {
            let mut comparison: Comparison = comparison.clone();
            comparison.property.name = comparison.property.name.strip_prefix(RELATED)?.to_owned();
            Expression::Comparison(comparison)
        }
    })
}
