//! Models as the API of a hub describes them.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::KnownModel;

/// Version of the mapping of a model to an item: with another one all models are read again.
const MAPPING: &str = "v2";

/// The part of a description that lists of models have as well.
///
/// A member of another type counts as absent: a list has a hundred models, which must not be lost with it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ModelSummary {
    // The hub sends both; older hubs send only the second.
    #[serde(deserialize_with = "string")]
    id: Option<String>,
    #[serde(deserialize_with = "string")]
    model_id: Option<String>,
    #[serde(deserialize_with = "string")]
    sha: Option<String>,
    #[serde(deserialize_with = "string")]
    last_modified: Option<String>,
    gated: Option<Value>,
    #[serde(deserialize_with = "boolean")]
    private: Option<bool>,
}

fn string<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_str().map(str::to_owned))
}

fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_bool().or_else(|| value.as_str()?.to_ascii_lowercase().parse().ok()))
}

impl ModelSummary {
    pub(super) fn name(&self) -> Option<&str> {
        self.id.as_deref().or(self.model_id.as_deref())
    }

    /// Changes with the files of the model and with its performance metrics, whose checksum is `metrics`. `None` if the hub
    /// does not send a revision.
    pub(super) fn revision(&self, metrics: Option<&str>) -> Option<String> {
        let revision = format!("{} {} {MAPPING}", self.sha.as_deref()?, self.last_modified.as_deref()?);
        Some(metrics.map_or(revision.clone(), |metrics| format!("{revision} {metrics}")))
    }

    pub(super) fn gated(&self) -> Option<String> {
        match self.gated.as_ref()? {
            Value::Bool(gated) => Some(gated.to_string()),
            Value::String(gated) => Some(gated.clone()),
            _ => None,
        }
    }

    pub(super) fn private(&self) -> Option<&'static str> {
        self.private.map(|private| if private { "true" } else { "false" })
    }

    /// Whether the model is unchanged since it was read. Access to it can change without a new revision.
    pub(super) fn matches(&self, known: &KnownModel, metrics: Option<&str>) -> bool {
        self.revision(metrics).is_some_and(|revision| revision == known.revision)
            && self.gated().is_none_or(|gated| gated == known.gated)
            && self.private().is_none_or(|private| private == known.private)
    }
}

/// The result of reading a model.
pub(super) enum ModelRead {
    /// By the name that the hub uses.
    Unchanged(String),
    Changed(Box<Model>),
}

/// A model with its card.
pub(super) struct Model {
    pub(super) name: String,
    /// Its description, as the hub sends it.
    pub(super) info: Value,
    pub(super) summary: ModelSummary,
    pub(super) readme: Option<String>,
    /// Why the card is left out although the model has one: `which is longer than 1024 KiB`.
    pub(super) readme_problem: Option<String>,
}
