//! Upserts an artifact of a version or run: creates it, updates an existing one, or attaches one of another parent.
//!
//! A body with an id identifies the artifact of that id; for some kinds (metrics, parameters) a name identifies the
//! artifact of that kind and name. Every metric logged to a run adds a point to its history.

use model_registry_api::{ApiVersion, Kind};
use model_registry_server::{ApiError, Preconditions};
use model_registry_store::{ArtifactKey, Author, Document, Outcome, Record, Transaction, UniqueField, UnitOfWork};

use super::{RuleError, document, new_document, not_found, random_name};
use crate::decode::Draft;
use crate::response::EntityResponse;

/// A request to upsert an artifact of a version or run.
pub(crate) struct UpsertArtifact {
    pub(crate) version: ApiVersion,
    pub(crate) parent_kind: Kind,
    pub(crate) parent_id: i64,
    pub(crate) kind: Kind,
    pub(crate) draft: Draft,
    /// Preconditions on the existing artifact, if the body identifies one.
    pub(crate) preconditions: Preconditions,
    pub(crate) author: Author,
}

impl UnitOfWork for UpsertArtifact {
    type Output = EntityResponse;
    type Error = RuleError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<EntityResponse>, RuleError> {
        let (parent, existing) = self.load(tx).await?;
        // The body needs these fields even where an existing artifact has a value.
        for (field, message) in self.kind.spec().required_by_check() {
            if !self.draft.fields.contains_key(field) {
                return Err(ApiError::Invalid(message.to_owned()).into());
            }
        }
        let mut document = if let Some(old) = &existing {
            self.preconditions.check(&old.etag())?;
            let mut document = old.document()?;
            let spec = self.kind.spec();
            document::overlay(spec, &mut document, &self.draft.clone().only_mutable(spec));
            document
        } else {
            let name = self.draft.name.clone().unwrap_or_else(random_name);
            new_document(self.kind.spec(), self.draft.clone(), name)
        };
        document::check_document(self.kind.spec(), &document)?;
        let experiment_id = match self.parent_kind {
            Kind::ExperimentRun => parent.document()?.id("experimentId"),
            _ => None,
        };
        if let Some(experiment_id) = experiment_id {
            document.set("experimentId", experiment_id.to_string());
            document.set("experimentRunId", self.parent_id.to_string());
        }
        let written = self.write(tx, existing.as_ref(), document, experiment_id).await?;
        let Some(record) = written else { return Ok(Outcome::Again) };
        if self.draft.id.is_some() {
            tx.link_artifact(self.parent_id, record.id).await?;
        }
        Ok(Outcome::Done(match existing {
            Some(_) => EntityResponse::updated(&record, self.version),
            None => EntityResponse::created(&record, self.version),
        }))
    }

    fn may_retry(&self, error: &RuleError) -> bool {
        // Of two concurrent first logs of a metric, the slower one finds the metric when it runs again.
        let created_meanwhile = matches!(error, RuleError::Taken { field: UniqueField::Name, .. });
        error.is_temporary() || (created_meanwhile && self.updates_by_name())
    }
}

impl UpsertArtifact {
    fn updates_by_name(&self) -> bool {
        self.draft.id.is_none() && self.draft.name.is_some() && self.kind.spec().upsert_by_name
    }

    /// The parent, and the existing artifact that the body identifies.
    async fn load(&self, tx: &mut Transaction) -> Result<(Record, Option<Record>), RuleError> {
        let missing_parent = || not_found(self.parent_kind, self.parent_id);
        let key = match (self.draft.id, &self.draft.name) {
            (Some(id), _) => ArtifactKey::Id(id),
            (None, Some(name)) if self.updates_by_name() => ArtifactKey::Name(self.kind, name),
            _ => {
                let mut parents = tx.load(&[self.parent_kind], &[self.parent_id]).await?;
                return Ok((parents.pop().ok_or_else(missing_parent)?, None));
            }
        };
        let (parent, existing) =
            tx.load_with_artifact(self.parent_kind, self.parent_id, key).await?.ok_or_else(missing_parent)?;
        if let ArtifactKey::Id(id) = key {
            let label = self.kind.spec().label;
            match &existing {
                None => return Err(ApiError::NotFound(format!("no artifact found for id {id}")).into()),
                Some(artifact) if artifact.kind != self.kind => {
                    return Err(
                        ApiError::Invalid(format!("mismatched types, artifact with id {id} is not a {label}")).into()
                    );
                }
                Some(_) => {}
            }
        }
        Ok((parent, existing))
    }

    async fn write(
        &self,
        tx: &mut Transaction,
        existing: Option<&Record>,
        document: Document,
        experiment_id: Option<i64>,
    ) -> Result<Option<Record>, RuleError> {
        let result = match (self.kind.spec().history, experiment_id, existing) {
            (Some(_), Some(experiment_id), existing) => {
                tx.log_metric(self.parent_id, experiment_id, existing, document.clone(), &self.author).await
            }
            (_, _, Some(old)) => tx.update(old, document.clone(), &self.author).await,
            (_, _, None) => tx.create(self.kind, Some(self.parent_id), document.clone(), &self.author).await.map(Some),
        };
        result.map_err(|error| RuleError::while_writing(error, self.kind, &document))
    }
}
