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
            actor.map(recorded).into(),
            self.kind.code().into(),
            self.id.into(),
            verb.as_str().into(),
            self.revision.into(),
        ]
    }
}

/// The name of a caller as it is recorded: the first characters of a longer one, which limits the size of the change feed.
fn recorded(actor: &str) -> &str {
    const LONGEST: usize = 255;
    actor.char_indices().nth(LONGEST).map_or(actor, |(end, _)| &actor[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_of_a_caller_is_cut_at_a_character() {
        assert_eq!(recorded("ada"), "ada");
        assert_eq!(recorded(&"é".repeat(255)), "é".repeat(255));
        assert_eq!(recorded(&"é".repeat(1_000)), "é".repeat(255));
    }
}
