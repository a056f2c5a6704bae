use serde::{Deserialize, Serialize};

use super::{EpochMillis, decimal};
use crate::Kind;

/// An entry of the change feed: one mutation of one entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedChange {
    /// Position in the feed: ascending without gaps, the same for every reader.
    #[serde(with = "decimal")]
    pub sequence: i64,
    pub time: EpochMillis,
    /// User who made the change, if requests are authenticated.
    #[serde(default)]
    pub actor: Option<String>,
    /// The name of the entity's kind; see [`Self::known_kind`].
    pub kind: String,
    /// Id of the entity.
    pub id: String,
    /// `create`, `update` or `import`.
    pub verb: String,
    /// The revision of the entity after the change.
    #[serde(with = "decimal")]
    pub revision: i64,
}

/// A page of changes, possibly empty, and where to continue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangePage {
    pub items: Vec<LoggedChange>,
    /// Where to continue: the sequence to pass as `after` of the next request.
    #[serde(with = "decimal")]
    pub next: i64,
}

impl LoggedChange {
    /// The kind; `None` if it is unknown to this version.
    pub fn known_kind(&self) -> Option<Kind> {
        Kind::from_name(&self.kind)
    }
}
