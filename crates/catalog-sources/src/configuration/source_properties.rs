//! The properties of a source: known names and types, and notices about others.

use model_registry_api::catalog::SourceType;
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

#[derive(Clone, Copy)]
enum PropertyType {
    String,
    Count,
    Duration,
}

type Properties = &'static [(&'static str, PropertyType)];

const FILE: Properties = &[(YAML_PATH, PropertyType::String)];
const SERVER_LIST: Properties = &[(PATH, PropertyType::String)];
const HUB: Properties = &[
    (TOKEN_VARIABLE, PropertyType::String),
    ("allowedOrganization", PropertyType::String),
    ("url", PropertyType::String),
    ("syncInterval", PropertyType::Duration),
    ("maxModels", PropertyType::Count),
];

/// Whether a property of this name is a string, for any type of source.
pub(super) fn is_string(name: &str) -> bool {
    let known = FILE.iter().chain(HUB).chain(SERVER_LIST);
    known.into_iter().any(|(known, property_type)| *known == name && matches!(property_type, PropertyType::String))
}

/// Notices about properties that are ignored: unknown ones and those of the wrong type.
pub(super) fn notices(source: &Source, location: &SourceLocation) -> Vec<Problem> {
    let spec = &source.asset_type.spec().sources;
    let known = match spec.source_type(&source.source_type) {
        Some(SourceType::Yaml) => FILE,
        Some(SourceType::Hub) => HUB,
        Some(SourceType::McpRegistry | SourceType::DockerCatalog) => SERVER_LIST,
        // Read strictly, without notices.
        Some(SourceType::Directory | SourceType::Git) | None => return Vec::new(),
    };
    let pattern_keys = spec.pattern_keys().unwrap_or_default();
    let mut notices = Vec::new();
    // Patterns below `properties` count.
    for (name, value) in source.properties.iter().filter(|(name, _)| !pattern_keys.contains(name)) {
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
        PropertyType::Count => (value.is_u64(), "a whole number without quotes"),
        PropertyType::Duration => {
            let duration = string.and_then(|string| parse_duration(string).ok());
            (duration.is_some_and(|duration| !duration.is_zero()), "a duration such as 30m or 1d")
        }
    };
    (!is_valid && !value.is_null()).then(|| format!("expected {expected}, found {value}"))
}
