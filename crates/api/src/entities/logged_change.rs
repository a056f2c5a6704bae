use serde::{Deserialize, Serialize};

use super::{EpochMillis, decimal};
use crate::Kind;

/// One mutation of one entity, as the change feed tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedChange {
    /// Ascending without gaps, the same for every reader.
    #[serde(with = "decimal")]
    pub sequence: i64,
    pub time: EpochMillis,
    /// Who made it, where callers are known.
    #[serde(default)]
    pub actor: Option<String>,
    /// The name of the entity's kind; see [`Self::known_kind`].
    pub kind: String,
    /// The entity's id.
    pub id: String,
    /// `create`, `update` or `import`.
    pub verb: String,
    /// The entity's revision after it.
    #[serde(with = "decimal")]
    pub revision: i64,
}

/// Some changes, perhaps none, and where to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangePage {
    pub items: Vec<LoggedChange>,
    /// The sequence to read behind next.
    #[serde(with = "decimal")]
    pub next: i64,
}

impl LoggedChange {
    /// The kind; `None` where the server has kinds that this code does not know.
    pub fn known_kind(&self) -> Option<Kind> {
        Kind::from_name(&self.kind)
    }
}
