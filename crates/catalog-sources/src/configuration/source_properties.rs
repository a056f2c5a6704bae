//! The properties of a source: known names and types, and notices about others.

use model_registry_api::catalog::{AssetType, SourceType};
use model_registry_base::nearest_name;
use model_registry_base::parse_duration;
use serde_json::Value;

use super::{Source, SourceLocation};
use crate::problem::Problem;

/// Path of the data file of a source of type `yaml`.
pub(crate) const YAML_PATH: &str = "yamlCatalogPath";
/// Path of the file or directory of a source of MCP servers in the form of another publisher.
pub(crate) const PATH: &str = "path";
/// Name of the environment variable with the token of a hub.
pub(crate) const TOKEN_VARIABLE: &str = "apiKeyEnvVar";
/// Prefixes of the environment variables that the server is configured with.
const OWN_VARIABLES: [&str; 2] = ["MR_", "PG"];
/// The older form of `excludedModels` of the source itself.
pub(crate) const EXCLUDED_MODELS: &str = "excludedModels";

#[derive(Clone, Copy)]
enum PropertyType {
    String,
    StringList,
    Count,
    Duration,
}

type Properties = &'static [(&'static str, PropertyType)];

const MODEL_FILE: Properties = &[(YAML_PATH, PropertyType::String), (EXCLUDED_MODELS, PropertyType::StringList)];
const FILE: Properties = &[(YAML_PATH, PropertyType::String)];
const SERVER_LIST: Properties = &[(PATH, PropertyType::String)];
const HUB: Properties = &[
    (TOKEN_VARIABLE, PropertyType::String),
    ("allowedOrganization", PropertyType::String),
    ("url", PropertyType::String),
    ("syncInterval", PropertyType::Duration),
    ("maxModels", PropertyType::Count),
];

/// Notices about properties that are ignored: unknown ones and those of the wrong type.
pub(super) fn notices(source: &Source, location: &SourceLocation) -> Vec<Problem> {
    let known = match (source.asset_type.spec().sources.source_type(&source.source_type), source.asset_type) {
        (Some(SourceType::Yaml), AssetType::Models) => MODEL_FILE,
        (Some(SourceType::Yaml), _) => FILE,
        (Some(SourceType::Hub), _) => HUB,
        (Some(SourceType::McpRegistry | SourceType::DockerCatalog), _) => SERVER_LIST,
        (None, _) => return Vec::new(),
    };
    let mut notices = Vec::new();
    for (name, value) in &source.properties {
        let reason = match known.iter().find(|(known, _)| known == name) {
            Some((TOKEN_VARIABLE, _)) if value.as_str().is_some_and(is_own_variable) => {
                let prefixes = OWN_VARIABLES.join(" and ");
                Some(format!("variables that begin with {prefixes} configure the server and are not sent to a hub"))
            }
            Some((_, property_type)) => type_error(*property_type, value),
            None => Some(match nearest_name(name, known.iter().map(|(known, _)| *known)) {
                Some(nearest) => format!("unknown, did you mean `{nearest}`?"),
                None => format!("unknown for sources of type {}", source.source_type),
            }),
        };
        if let Some(reason) = reason {
            let reason = format!("source `{}`: property `{name}` is ignored: {reason}", source.id);
            notices.push(location.property_problem(&source.origin, name, reason));
        }
    }
    notices
}

/// Whether an environment variable configures the server, such as the password of its database.
pub(crate) fn is_own_variable(name: &str) -> bool {
    OWN_VARIABLES.iter().any(|prefix| name.starts_with(prefix))
}

/// Null is like no property.
fn type_error(property_type: PropertyType, value: &Value) -> Option<String> {
    let string = value.as_str();
    let (is_valid, expected) = match property_type {
        PropertyType::String => (string.is_some(), "a string"),
        PropertyType::StringList => {
            (value.as_array().is_some_and(|list| list.iter().all(Value::is_string)), "a list of strings")
        }
        PropertyType::Count => (value.is_u64(), "a whole number without quotes"),
        PropertyType::Duration => {
            let duration = string.and_then(|string| parse_duration(string).ok());
            (duration.is_some_and(|duration| !duration.is_zero()), "a duration such as 30m or 1d")
        }
    };
    (!is_valid && !value.is_null()).then(|| format!("expected {expected}, found {value}"))
}
