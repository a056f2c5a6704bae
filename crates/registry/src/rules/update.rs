//! Updates an entity by compare-and-set on its revision.

use model_registry_api::{ApiVersion, Kind, ReferenceCheck};
use model_registry_server::{ApiError, Preconditions};
use model_registry_store::{Author, Outcome, Record, Transaction, UnitOfWork};

use super::references::check_child_of;
use super::{RuleError, document, not_found};
use crate::decode::Draft;
use crate::response::EntityResponse;

/// A request to update one entity.
pub(crate) struct Update {
    pub(crate) version: ApiVersion,
    /// The kinds that the path serves.
    pub(crate) kinds: &'static [Kind],
    pub(crate) id: i64,
    /// The kind of the body, which has to be that of the entity; `None` for an artifact's body without `artifactType`.
    pub(crate) body_kind: Option<Kind>,
    pub(crate) draft: Draft,
    pub(crate) preconditions: Preconditions,
    /// The field and id of the parent in the path, which has to be that of the entity.
    pub(crate) within: Option<(&'static str, i64)>,
    pub(crate) author: Author,
}

impl UnitOfWork for Update {
    type Output = EntityResponse;
    type Error = RuleError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<EntityResponse>, RuleError> {
        let mut kinds = self.kinds.to_vec();
        let mut ids = vec![self.id];
        // Entities that the body refers to are read together with the updated one.
        let mut references = Vec::new();
        if let [kind] = self.kinds {
            for reference in kind.spec().references {
                if let Some(id) = self.draft.reference(reference.field)? {
                    references.push((reference, id));
                    kinds.push(reference.kind);
                    ids.push(id);
                }
            }
        }
        let found = tx.load(&kinds, &ids).await?;
        let old = found
            .iter()
            .find(|record| record.id == self.id && self.kinds.contains(&record.kind))
            .ok_or_else(|| self.missing())?;
        self.preconditions.check(&old.etag())?;
        if self.body_kind != Some(old.kind) {
            return Err(self.other_kind(old.kind).into());
        }
        let mut document = old.document()?;
        for (reference, id) in references {
            let is_referred = |record: &&Record| record.kind == reference.kind && record.id == id;
            let record = found.iter().find(is_referred).ok_or_else(|| not_found(reference.kind, id))?;
            if let Some(ReferenceCheck::ChildOf { field }) = reference.check {
                check_child_of(&document, field, record)?;
            }
        }
        if let Some((field, parent_id)) = self.within
            && document.id(field) != Some(parent_id)
        {
            let label = old.kind.spec().label;
            return Err(ApiError::Invalid(format!(
                "{label} {} belongs to another parent, which cannot be changed: its {field} is {}",
                self.id,
                document.text(field).unwrap_or_default()
            ))
            .into());
        }
        document::overlay(old.kind.spec(), &mut document, &self.draft);
        document::check_document(old.kind.spec(), &document)?;
        let updated = tx
            .update(old, document.clone(), &self.author)
            .await
            .map_err(|error| RuleError::while_writing(error, old.kind, &document))?;
        Ok(match updated {
            Some(record) => Outcome::Done(EntityResponse::updated(&record, self.version)),
            None => Outcome::Again,
        })
    }

    fn may_retry(&self, error: &RuleError) -> bool {
        error.is_temporary()
    }
}

impl Update {
    fn missing(&self) -> ApiError {
        match self.kinds {
            [kind] if kind.spec().artifact_type.is_none() => not_found(*kind, self.id),
            _ => ApiError::NotFound(format!("no artifact found for id {}", self.id)),
        }
    }

    fn other_kind(&self, actual: Kind) -> ApiError {
        let name = |kind: Option<Kind>| kind.and_then(|kind| kind.spec().artifact_type).unwrap_or("unknown");
        ApiError::Invalid(format!(
            "cannot change artifact type from '{}' to '{}': artifact type is immutable",
            name(Some(actual)),
            name(self.body_kind)
        ))
    }
}
