//! The properties of a source: which there are, and what is told of others.

use std::path::Path;

use model_registry_base::nearest_name;
use serde_json::Value;

use model_registry_api::catalog::AssetType;

use super::{Source, SourcePlaces};
use crate::hub;
use crate::yaml::Problem;

/// What a property has to be.
#[derive(Clone, Copy)]
enum Wanted {
    Text,
    Texts,
    Count,
    Duration,
}

const YAML: &[(&str, Wanted)] = &[("yamlCatalogPath", Wanted::Text), ("excludedModels", Wanted::Texts)];
const HUB: &[(&str, Wanted)] = &[
    ("apiKeyEnvVar", Wanted::Text),
    ("allowedOrganization", Wanted::Text),
    ("url", Wanted::Text),
    ("syncInterval", Wanted::Duration),
    ("maxModels", Wanted::Count),
];

/// What properties say that does nothing: the source is read without it.
pub(super) fn notices(source: &Source, places: &SourcePlaces) -> Vec<Problem> {
    let known: &[(&str, Wanted)] = match (source.kind.as_str(), source.asset) {
        ("yaml", AssetType::Models) => YAML,
        // Without the property for models.
        ("yaml", AssetType::McpServers) => YAML.get(..1).unwrap_or_default(),
        ("hf", AssetType::Models) => HUB,
        _ => return Vec::new(),
    };
    let mut notices = Vec::new();
    for (name, value) in &source.properties {
        let reason = match known.iter().find(|(known, _)| known == name) {
            Some((_, wanted)) => wrong(*wanted, value),
            None => Some(match nearest_name(name, known.iter().map(|(known, _)| *known)) {
                Some(nearest) => format!("unknown, did you mean `{nearest}`?"),
                None => format!("sources of type {} do not have it", source.kind),
            }),
        };
        if let Some(reason) = reason {
            let reason = format!("source `{}`: property `{name}` does nothing: {reason}", source.id);
            notices.push(places.property(&source.origin, name, reason));
        }
    }
    notices
}

fn wrong(wanted: Wanted, value: &Value) -> Option<String> {
    let text = value.as_str();
    let (is_right, wanted) = match wanted {
        Wanted::Text => (text.is_some(), "a text"),
        Wanted::Texts => (value.as_array().is_some_and(|list| list.iter().all(Value::is_string)), "a list of texts"),
        Wanted::Count => (value.is_u64(), "a whole number without quotes"),
        Wanted::Duration => (text.is_some_and(|text| hub::duration(text).is_some()), "a duration such as 30m or 1d"),
    };
    (!is_right && !value.is_null()).then(|| format!("expected {wanted}, found {value}"))
}

impl SourcePlaces {
    /// What is wrong with a property, or with the source that lacks it.
    pub fn property(&self, origin: &Path, name: &str, reason: impl Into<String>) -> Problem {
        match self.properties.get(name) {
            Some(place) => Problem::at(origin, *place, reason),
            None => self.source(reason),
        }
    }

    /// What is wrong with the source as a whole.
    pub fn source(&self, reason: impl Into<String>) -> Problem {
        Problem::at(&self.file, self.place, reason)
    }
}
