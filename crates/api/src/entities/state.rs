use serde::{Deserialize, Serialize};

/// Life cycle state of a model, version, experiment or run. Nothing is deleted: it is archived.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    #[default]
    Live,
    Archived,
    /// A member unknown to this version.
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
    /// A member unknown to this version.
    #[serde(untagged)]
    Other(String),
}
