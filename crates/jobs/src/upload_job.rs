//! The upload job: copies the files of a model to a registry of images or an object store, and then updates or creates its entities.
//!
//! Settings are validated first, all of them. An artifact that is updated is PENDING while bytes move, and has its state again if the
//! job fails; entities are created by one request once the files are at their destination.

mod credentials;
mod entities;
mod files;
mod identity;
mod metadata;
mod mistakes;
mod options;
mod outcome;
mod plain_http;
mod settings;
mod signing;

use model_registry_client::{Client, Error as ClientError, ListOptions};
use model_registry_transfer::TransferError;

pub use self::metadata::Metadata;
pub use self::mistakes::{Mistake, Mistakes};
pub use self::options::{JobOption, OPTIONS, Values};
pub use self::outcome::{Outcome, failure_message};
pub use self::settings::{Intent, Settings};
use crate::pod::Inputs;
use crate::registered::FindError;

/// The exit codes of failures, and of values that cannot be read.
pub const FAILED: u8 = 1;
pub const SYNTAX: u8 = 2;

/// Why the job has failed.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// A request to the registry has failed.
    #[error("{doing}: {error}")]
    Registry { doing: &'static str, error: ClientError },
    /// The registry does not have what the job needs, or has already what it would create.
    #[error("{0}")]
    Rejected(String),
    #[error("{0}")]
    Source(#[from] FindError),
    #[error(transparent)]
    Transfer(#[from] TransferError),
    #[error("{0}")]
    Signing(String),
    #[error("cannot use the storage path {0}: {1}")]
    StoragePath(String, std::io::Error),
}

/// Runs the job.
pub async fn run(settings: &Settings, inputs: &Inputs) -> Result<Outcome, JobError> {
    let log = &inputs.log;
    for note in settings.notes() {
        log.info(note);
    }
    let signing = if settings.signing.is_some() { "enabled" } else { "disabled" };
    log.info(&format!("Signing is {signing}"));
    let client = settings.registry.client().map_err(|error| registry("connecting to the registry", error))?;
    // Address, certificates and token are verified before anything is changed.
    let first = ListOptions { page_size: Some(1), ..ListOptions::default() };
    client.registered_models().page(&first, "").await.map_err(|error| registry("connecting to the registry", error))?;
    log.info(&format!("Processing {} intent", settings.intent.name()));
    match settings.intent {
        Intent::UpdateArtifact => update(settings, &client, inputs).await,
        Intent::CreateModel | Intent::CreateVersion => create(settings, &client, inputs).await,
    }
}

async fn update(settings: &Settings, client: &Client, inputs: &Inputs) -> Result<Outcome, JobError> {
    let id = settings.artifact_id.as_deref().unwrap_or_default();
    let pending = entities::mark_pending(client, id).await?;
    inputs.log.info(&format!("The artifact {id} is PENDING; before, it was {}", pending.shown_before()));
    let result = async {
        let moved = files::move_files(settings, client, inputs).await?;
        entities::complete(client, id, &moved, settings.records_digest).await
    };
    match result.await {
        Ok(()) => Ok(Outcome {
            intent: settings.intent,
            model_id: settings.model_id.clone(),
            version_id: settings.version_id.clone(),
            artifact_id: id.to_owned(),
        }),
        Err(error) => {
            match entities::give_back(client, id, &error.to_string()).await {
                Ok(state) => inputs.log.info(&format!("The artifact {id} is {state} again, with its old URI")),
                Err(other) => inputs.log.error(&format!("the artifact {id} may still be PENDING: {other}")),
            }
            Err(error)
        }
    }
}

async fn create(settings: &Settings, client: &Client, inputs: &Inputs) -> Result<Outcome, JobError> {
    let log = &inputs.log;
    let key = identity::key(settings, &inputs.environment);
    log.info(&format!("Validating {} intent...", settings.intent.name()));
    if let Some(outcome) = entities::find_own(client, settings, &key).await? {
        log.info("An earlier run of this job has registered the files already: nothing is left to do");
        return Ok(outcome);
    }
    entities::validate(client, settings).await?;
    let moved = files::move_files(settings, client, inputs).await?;
    entities::register(client, settings, &moved, &key).await
}

fn registry(doing: &'static str, error: ClientError) -> JobError {
    JobError::Registry { doing, error }
}
