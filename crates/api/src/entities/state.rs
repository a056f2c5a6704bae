use serde::{Deserialize, Serialize};

/// Whether a model, version, experiment or run is in use. Nothing is deleted: it is archived.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    #[default]
    Live,
    Archived,
    /// One that this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// Life cycle state of an artifact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ArtifactState {
    #[default]
    Unknown,
    Pending,
    Live,
    MarkedForDeletion,
    Deleted,
    Abandoned,
    Reference,
    /// One that this version does not know.
    #[serde(untagged)]
    Other(String),
}
