//! Registers a model in one transaction: finds or creates the model, creates the version and its artifacts.

use model_registry_api::{ApiVersion, Kind};
use model_registry_store::{Author, Document, Outcome, PendingRows, Record, Transaction, UniqueField, UnitOfWork};

use super::{RuleError, document};
use crate::response::EntityResponse;

/// One artifact of the new version.
pub(crate) struct RegisterArtifact {
    pub(crate) kind: Kind,
    pub(crate) document: Document,
}

/// A registration.
pub(crate) struct Register {
    pub(crate) version: ApiVersion,
    /// The document of a new model; an existing model of this name is used unchanged.
    pub(crate) registered_model: Document,
    /// Without `registeredModelId`, which the transaction adds.
    pub(crate) model_version: Document,
    pub(crate) artifacts: Vec<RegisterArtifact>,
    pub(crate) author: Author,
}

impl UnitOfWork for Register {
    type Output = EntityResponse;
    type Error = RuleError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<EntityResponse>, RuleError> {
        let mut rest = PendingRows::default();
        let model = self.find_or_create_model(tx, &mut rest).await?;
        let mut document = self.model_version.clone();
        document.set("registeredModelId", model.id.to_string());
        let version = self.create(tx, Kind::ModelVersion, Some(model.id), document, &mut rest).await?;
        let mut artifacts = Vec::with_capacity(self.artifacts.len());
        for artifact in &self.artifacts {
            document::check_document(artifact.kind.spec(), &artifact.document)?;
            let document = artifact.document.clone();
            artifacts.push(self.create(tx, artifact.kind, Some(version.id), document, &mut rest).await?);
        }
        tx.finish_create(rest, &self.author).await?;
        Ok(Outcome::Done(EntityResponse::registered(&model, &version, &artifacts, self.version)))
    }

    fn may_retry(&self, error: &RuleError) -> bool {
        // Of two concurrent first registrations of a model, the slower one finds the model when it runs again.
        let model_taken =
            matches!(error, RuleError::Taken { kind: Kind::RegisteredModel, field: UniqueField::Name, .. });
        error.is_temporary() || model_taken
    }
}

impl Register {
    async fn find_or_create_model(&self, tx: &mut Transaction, rest: &mut PendingRows) -> Result<Record, RuleError> {
        match tx.find_by_name(Kind::RegisteredModel, self.registered_model.name()).await? {
            Some(model) => Ok(model),
            None => self.create(tx, Kind::RegisteredModel, None, self.registered_model.clone(), rest).await,
        }
    }

    async fn create(
        &self,
        tx: &mut Transaction,
        kind: Kind,
        parent_id: Option<i64>,
        document: Document,
        rest: &mut PendingRows,
    ) -> Result<Record, RuleError> {
        tx.begin_create(kind, parent_id, document.clone(), &self.author, rest)
            .await
            .map_err(|error| RuleError::while_writing(error, kind, &document))
    }
}
