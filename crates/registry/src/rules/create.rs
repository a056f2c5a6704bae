//! Creates an entity: its parent and references exist, and its name and external id are free.

use model_registry_api::{ApiVersion, EntityTable, Kind, ReferenceCheck};
use model_registry_store::{Author, Document, Outcome, Record, Transaction, UnitOfWork};

use super::hub_access::check_hub_access;
use super::references::check_child_of;
use super::{RuleError, document, not_found};
use crate::response::EntityResponse;

/// A request to create one entity.
pub(crate) struct Create {
    pub(crate) version: ApiVersion,
    pub(crate) kind: Kind,
    pub(crate) parent: Option<(Kind, i64)>,
    pub(crate) references: Vec<NewReference>,
    pub(crate) document: Document,
    pub(crate) author: Author,
}

/// Another entity that has to exist and to pass the check.
pub(crate) struct NewReference {
    pub(crate) kind: Kind,
    pub(crate) id: i64,
    pub(crate) check: Option<ReferenceCheck>,
}

impl UnitOfWork for Create {
    type Output = EntityResponse;
    type Error = RuleError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<EntityResponse>, RuleError> {
        document::check_document(self.kind.spec(), &self.document)?;
        self.check_references(tx).await?;
        let record = tx
            .create(self.kind, self.parent.map(|(_, id)| id), self.document.clone(), &self.author)
            .await
            .map_err(|error| RuleError::while_writing(error, self.kind, &self.document))?;
        Ok(Outcome::Done(EntityResponse::created(&record, self.version)))
    }

    fn may_retry(&self, error: &RuleError) -> bool {
        error.is_temporary()
    }
}

impl Create {
    async fn check_references(&self, tx: &mut Transaction) -> Result<(), RuleError> {
        let references = self.references.iter().map(|reference| (reference.kind, reference.id));
        let needed: Vec<_> = references.chain(self.parent).collect();
        let found = load_all(tx, &needed).await?;
        for reference in &self.references {
            let is_referred = |record: &&Record| record.kind == reference.kind && record.id == reference.id;
            match (reference.check, found.iter().find(is_referred)) {
                (Some(ReferenceCheck::HubAccess), Some(record)) => check_hub_access(&record.document()?)?,
                (Some(ReferenceCheck::ChildOf { field }), Some(record)) => {
                    check_child_of(&self.document, field, record)?;
                }
                (None, _) | (_, None) => {}
            }
        }
        Ok(())
    }
}

/// Reads resources in one statement; 404 for the first that does not exist.
async fn load_all(tx: &mut Transaction, needed: &[(Kind, i64)]) -> Result<Vec<Record>, RuleError> {
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

/// The generated name of an entity without one.
#[expect(clippy::disallowed_methods, reason = "this is the one function that makes random names")]
pub(crate) fn random_name() -> String {
    uuid::Uuid::new_v4().to_string()
}
