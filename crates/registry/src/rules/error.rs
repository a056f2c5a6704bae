//! Errors of writes, and their translation to responses.

use model_registry_api::Kind;
use model_registry_server::ApiError;
use model_registry_store::{Document, StoreError, UniqueField};

/// A violation of a rule, or a failure of the store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RuleError {
    #[error(transparent)]
    Rejected(#[from] ApiError),
    /// The name or external id belongs to another entity.
    #[error("{message}")]
    Taken { kind: Kind, field: UniqueField, message: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RuleError {
    /// Adds the entity to a unique violation; other errors are not changed.
    pub(crate) fn while_writing(error: StoreError, kind: Kind, document: &Document) -> Self {
        let label = kind.spec().label;
        match error {
            StoreError::Conflict(field @ UniqueField::Name) => {
                Self::Taken { kind, field, message: format!("{label} with name {} already exists", document.name()) }
            }
            StoreError::Conflict(field @ UniqueField::ExternalId) => {
                let external_id = document.text("externalId").unwrap_or_default();
                Self::Taken {
                    kind,
                    field,
                    message: format!("externalId {external_id} of this {label} is already in use"),
                }
            }
            other => Self::Store(other),
        }
    }

    /// Whether the transaction conflicted with another one and can run again.
    pub(crate) fn is_temporary(&self) -> bool {
        matches!(self, Self::Store(StoreError::Retry(_) | StoreError::Conflict(UniqueField::IdempotencyKey)))
    }
}

impl From<RuleError> for ApiError {
    fn from(error: RuleError) -> Self {
        match error {
            RuleError::Rejected(error) => error,
            RuleError::Taken { message, .. } => Self::Conflict(message),
            RuleError::Store(error) => store_error(error),
        }
    }
}

/// The response to a failure of the store; it never contains SQL.
pub(crate) fn store_error(error: StoreError) -> ApiError {
    match error {
        StoreError::Filter(_) | StoreError::OrderBy { .. } | StoreError::PageToken(_) | StoreError::TooLarge(_) => {
            ApiError::Invalid(error.to_string())
        }
        StoreError::Conflict(_) => ApiError::Conflict("the name or externalId is already in use".to_owned()),
        StoreError::Unavailable(cause) => {
            tracing::warn!(error = &cause as &dyn std::error::Error, "database unavailable");
            ApiError::Unavailable("the database is not available; try again later".to_owned())
        }
        StoreError::NoMemory => ApiError::Unavailable(error.to_string()),
        StoreError::Storage { problem, source } => {
            tracing::warn!(error = &source as &dyn std::error::Error, "the database stores nothing");
            ApiError::Unavailable(problem.to_string())
        }
        StoreError::Retry(_) => {
            ApiError::Unavailable("too many concurrent changes of the same entity; try again".to_owned())
        }
        StoreError::DuplicateKey(_) | StoreError::Corrupt { .. } | StoreError::Database(_) => ApiError::internal(error),
    }
}
