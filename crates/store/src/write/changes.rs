//! Rows of the change log.

use model_registry_api::Kind;
use sea_query::Expr;

use crate::record::Record;
use crate::tables::WORKSPACE;

/// The mutation that a change records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Create,
    Update,
    Import,
}

impl Verb {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Import => "import",
        }
    }
}

pub(crate) const CHANGE_COLUMNS: [&str; 7] = ["workspace_id", "time", "actor", "kind", "entity_id", "verb", "revision"];

/// An entity that was changed, with its new revision.
#[derive(Clone, Copy)]
pub(crate) struct Changed {
    pub(crate) kind: Kind,
    pub(crate) id: i64,
    pub(crate) revision: i64,
}

impl Changed {
    pub(super) fn of(record: &Record) -> Self {
        Self { kind: record.kind, id: record.id, revision: record.revision }
    }

    /// The row of the change, in the order of [`CHANGE_COLUMNS`].
    pub(crate) fn row(self, verb: Verb, actor: Option<&str>, time: i64) -> [Expr; 7] {
        [
            WORKSPACE.into(),
            time.into(),
            actor.into(),
            self.kind.code().into(),
            self.id.into(),
            verb.as_str().into(),
            self.revision.into(),
        ]
    }
}
