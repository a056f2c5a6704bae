//! Puts an artifact under a version or run: creates it, updates the one meant, or attaches one that exists.
//!
//! A metric or parameter with a name is the one of that name; a body with an id is the artifact of that id. Every
//! metric logged to a run adds a point to its history.

use model_registry_api::{ApiVersion, Kind};
use model_registry_server::{ApiError, Preconditions};
use model_registry_store::{ArtifactKey, Author, Document, Operation, Outcome, Record, Transaction, UniqueField};

use super::{RuleError, apply, new_document, not_found, random_name};
use crate::answer::Answer;
use crate::decode::Draft;

/// A POST of an artifact below a version or run.
pub(crate) struct UpsertArtifact {
    pub(crate) version: ApiVersion,
    pub(crate) parent_kind: Kind,
    pub(crate) parent_id: i64,
    pub(crate) kind: Kind,
    pub(crate) draft: Draft,
    /// Of the artifact that is there already, if one is meant.
    pub(crate) preconditions: Preconditions,
    pub(crate) author: Author,
}

impl Operation for UpsertArtifact {
    type Output = Answer;
    type Error = RuleError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<Answer>, RuleError> {
        let (parent, existing) = self.load(tx).await?;
        // The answer's value is checked here because a new one is needed even where an old one could be kept.
        if self.kind == Kind::Metric && !self.draft.fields.contains_key("value") {
            return Err(ApiError::Invalid("metric value is required".to_owned()).into());
        }
        let mut document = if let Some(old) = &existing {
            self.preconditions.check(&old.etag())?;
            let mut document = old.document()?;
            let spec = self.kind.spec();
            apply::overlay(spec, &mut document, &self.draft.clone().only_mutable(spec));
            document
        } else {
            let name = self.draft.name.clone().unwrap_or_else(random_name);
            new_document(self.kind.spec(), self.draft.clone(), name)
        };
        apply::check_document(self.kind, &document)?;
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
            Some(_) => Answer::updated(&record, self.version),
            None => Answer::created(&record, self.version),
        }))
    }

    fn may_retry(&self, error: &RuleError) -> bool {
        // Two first logs of one metric: the slower one finds the other's when it runs again.
        let created_meanwhile = matches!(error, RuleError::Taken { field: UniqueField::Name, .. });
        error.is_temporary() || (created_meanwhile && self.updates_by_name())
    }
}

impl UpsertArtifact {
    fn updates_by_name(&self) -> bool {
        self.draft.id.is_none() && self.draft.name.is_some() && matches!(self.kind, Kind::Metric | Kind::Parameter)
    }

    /// The parent, and the artifact that is meant if there is one.
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
        let result = match (self.kind, experiment_id, existing) {
            (Kind::Metric, Some(experiment_id), existing) => {
                tx.log_metric(self.parent_id, experiment_id, existing, document.clone(), &self.author).await
            }
            (_, _, Some(old)) => tx.update(old, document.clone(), &self.author).await,
            (_, _, None) => tx.create(self.kind, Some(self.parent_id), document.clone(), &self.author).await.map(Some),
        };
        result.map_err(|error| RuleError::while_writing(error, self.kind, &document))
    }
}
