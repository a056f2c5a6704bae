//! Creates an entity: everything it names exists, and its name and external id are free.

use model_registry_api::{ApiVersion, EntityTable, Kind};
use model_registry_store::{Author, Document, Operation, Outcome, Record, Transaction};

use super::serve::check_can_be_served;
use super::{RuleError, apply, not_found};
use crate::answer::Answer;

/// The creation of one entity.
pub(crate) struct Create {
    pub(crate) version: ApiVersion,
    pub(crate) kind: Kind,
    pub(crate) parent: Option<(Kind, i64)>,
    /// Other entities that have to exist.
    pub(crate) references: Vec<(Kind, i64)>,
    pub(crate) document: Document,
    pub(crate) author: Author,
}

impl Operation for Create {
    type Output = Answer;
    type Error = RuleError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<Answer>, RuleError> {
        apply::check_document(self.kind, &self.document)?;
        self.check_references(tx).await?;
        let record = tx
            .create(self.kind, self.parent.map(|(_, id)| id), self.document.clone(), &self.author)
            .await
            .map_err(|error| RuleError::while_writing(error, self.kind, &self.document))?;
        Ok(Outcome::Done(Answer::created(&record, self.version)))
    }

    fn may_retry(&self, error: &RuleError) -> bool {
        error.is_temporary()
    }
}

impl Create {
    async fn check_references(&self, tx: &mut Transaction) -> Result<(), RuleError> {
        let needed: Vec<_> = self.references.iter().chain(&self.parent).copied().collect();
        let found = load_all(tx, &needed).await?;
        if self.kind == Kind::ServeModel {
            for version in found.iter().filter(|record| record.kind == Kind::ModelVersion) {
                check_can_be_served(&version.document()?)?;
            }
        }
        Ok(())
    }
}

/// Reads resources that have to exist, in one statement; the first that does not is reported.
pub(super) async fn load_all(tx: &mut Transaction, needed: &[(Kind, i64)]) -> Result<Vec<Record>, RuleError> {
    if needed.is_empty() {
        return Ok(Vec::new());
    }
    debug_assert!(needed.iter().all(|(kind, _)| kind.spec().table == EntityTable::Resource));
    let (kinds, ids): (Vec<_>, Vec<_>) = needed.iter().copied().unzip();
    let found = tx.load(&kinds, &ids).await?;
    match needed.iter().find(|(kind, id)| !found.iter().any(|record| record.kind == *kind && record.id == *id)) {
        Some((kind, id)) => Err(not_found(*kind, *id).into()),
        None => Ok(found),
    }
}

/// The name of an entity that was given none.
#[expect(clippy::disallowed_methods, reason = "this is the one function that makes random names")]
pub(crate) fn random_name() -> String {
    uuid::Uuid::new_v4().to_string()
}
