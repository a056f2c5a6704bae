//! The entities of the registry that the job reads, updates and creates.

use std::fmt;

use model_registry_client::{
    Artifact, ArtifactState, Change, Client, CustomProperties, Error as ClientError, FindBy, MetadataValue,
    ModelArtifactCreate, ModelArtifactUpdate, ModelVersionCreate, RegisterRequest, RegisteredModel,
    RegisteredModelCreate,
};
use serde_json::Value;

use super::files::Moved;
use super::metadata::Fields;
use super::outcome::Outcome;
use super::settings::{Intent, Settings};
use super::{JobError, registry};
use crate::registered::{DIGEST, SIZE};

/// The custom property with the state that a pending artifact had before. A pod that was killed leaves it; the next one uses it.
const STATE_BEFORE: &str = "upload_job_state_before";
/// The custom property with the reason why an artifact was abandoned.
const FAILURE: &str = "upload_job_failure";
/// Name of a version if the metadata have none.
const FIRST_VERSION: &str = "1.0.0";
/// The external id of a created artifact begins so.
const EXTERNAL_ID: &str = "upload-job:";
/// Attempts to change an artifact that others change at the same time.
const MOST_ATTEMPTS: usize = 10;
/// The longest reason that is kept at an artifact.
const LONGEST_REASON: usize = 1024;

/// An artifact whose files are being copied.
pub(super) struct Pending {
    /// `None` if it was not usable before either.
    before: Option<String>,
}

impl Pending {
    pub(super) fn shown_before(&self) -> &str {
        self.before.as_deref().unwrap_or("PENDING")
    }
}

/// The name of a state on the wire.
fn name_of(state: &ArtifactState) -> String {
    match serde_json::to_value(state) {
        Ok(Value::String(name)) => name,
        _ => format!("{state:?}"),
    }
}

fn state_of(name: &str) -> Option<ArtifactState> {
    serde_json::from_value(Value::String(name.to_owned())).ok()
}

/// Sets an artifact to PENDING, and keeps its state in a custom property.
pub(super) async fn mark_pending(client: &Client, id: &str) -> Result<Pending, JobError> {
    let mut before = None;
    change(client, id, "setting the artifact to PENDING", |artifact, properties| {
        let state = artifact.state.clone().unwrap_or(ArtifactState::Unknown);
        if state != ArtifactState::Pending {
            properties.insert(STATE_BEFORE.to_owned(), name_of(&state).into());
        }
        before = match properties.get(STATE_BEFORE) {
            Some(MetadataValue::String(name)) => Some(name.clone()),
            _ => None,
        };
        Some(ModelArtifactUpdate { state: Some(ArtifactState::Pending), ..ModelArtifactUpdate::default() })
    })
    .await?;
    Ok(Pending { before })
}

/// The files are there: the artifact gets their location and is LIVE.
pub(super) async fn complete(client: &Client, id: &str, moved: &Moved, records_digest: bool) -> Result<(), JobError> {
    change(client, id, "setting the artifact to LIVE", |_, properties| {
        properties.remove(STATE_BEFORE);
        properties.remove(FAILURE);
        // Those of other files would make every verification fail.
        properties.remove(DIGEST);
        properties.remove(SIZE);
        if records_digest {
            properties.extend(moved.properties());
        }
        Some(ModelArtifactUpdate {
            uri: Change::Set(moved.uri.clone()),
            state: Some(ArtifactState::Live),
            ..ModelArtifactUpdate::default()
        })
    })
    .await
}

/// The job has failed: the artifact has the state that it had before, or is ABANDONED with the reason if it had no files before. Returns
/// the state.
pub(super) async fn give_back(client: &Client, id: &str, reason: &str) -> Result<String, JobError> {
    let mut state_now = String::new();
    change(client, id, "giving the artifact its state back", |artifact, properties| {
        if artifact.state != Some(ArtifactState::Pending) {
            // Someone else has decided meanwhile.
            state_now = artifact.state.as_ref().map(name_of).unwrap_or_default();
            return None;
        }
        let before = match properties.remove(STATE_BEFORE) {
            Some(MetadataValue::String(name)) => state_of(&name),
            _ => None,
        };
        let state = before.unwrap_or(ArtifactState::Abandoned);
        if state == ArtifactState::Abandoned {
            let reason: String = model_registry_base::redact(reason).chars().take(LONGEST_REASON).collect();
            properties.insert(FAILURE.to_owned(), reason.into());
        }
        state_now = name_of(&state);
        Some(ModelArtifactUpdate { state: Some(state), ..ModelArtifactUpdate::default() })
    })
    .await?;
    Ok(state_now)
}

/// Changes an artifact and its custom properties; what others change at the same time is kept. Nothing if `decide` returns nothing.
async fn change(
    client: &Client,
    id: &str,
    doing: &'static str,
    mut decide: impl FnMut(&model_registry_client::ModelArtifact, &mut CustomProperties) -> Option<ModelArtifactUpdate>,
) -> Result<(), JobError> {
    let artifacts = client.model_artifacts();
    for attempt in 1.. {
        let found = artifacts.get_tagged(id).await.map_err(|error| match error {
            ClientError::NotFound(_) => {
                JobError::Rejected(format!("Artifact {id} not found: no model artifact has this id"))
            }
            error => registry(doing, error),
        })?;
        let mut properties = found.entity.custom_properties.clone();
        let Some(mut update) = decide(&found.entity, &mut properties) else { return Ok(()) };
        if properties != found.entity.custom_properties {
            update.custom_properties = Some(properties);
        }
        match artifacts.update_if_unchanged(id, &update, &found.etag).await {
            Ok(_) => return Ok(()),
            Err(ClientError::Changed(_)) if attempt < MOST_ATTEMPTS => {}
            // An update is not repeated by the client, but this one is the same whether or not the first was received.
            Err(error) if error.is_temporary() && attempt < MOST_ATTEMPTS => {
                tokio::time::sleep(std::time::Duration::from_millis(200) * u32::try_from(attempt).unwrap_or(1)).await;
            }
            Err(error) => return Err(registry(doing, error)),
        }
    }
    Ok(())
}

/// The entities that an earlier run of the same job has created.
pub(super) async fn find_own(client: &Client, settings: &Settings, key: &str) -> Result<Option<Outcome>, JobError> {
    let doing = "looking for an earlier run of this job";
    let external_id = external_id(key);
    let artifact = client.model_artifacts().find(FindBy::ExternalId(&external_id)).await;
    let Some(artifact) = artifact.map_err(|error| registry(doing, error))? else { return Ok(None) };
    let Some(model) = find_model(client, settings, doing).await? else { return Ok(None) };
    let name = version_name(settings);
    let by = FindBy::NameIn { name: &name, parent_id: &model.id };
    let version = client.model_versions().find(by).await.map_err(|error| registry(doing, error))?;
    Ok(version.map(|version| Outcome {
        intent: settings.intent,
        model_id: Some(model.id),
        version_id: Some(version.id),
        artifact_id: artifact.id,
    }))
}

/// The model of the metadata, or of the id.
async fn find_model(
    client: &Client,
    settings: &Settings,
    doing: &'static str,
) -> Result<Option<RegisteredModel>, JobError> {
    let found = match settings.intent {
        Intent::CreateModel => client.registered_models().find(FindBy::Name(&model_name(settings))).await,
        _ => match client.registered_models().get(settings.model_id.as_deref().unwrap_or_default()).await {
            Ok(model) => Ok(Some(model)),
            Err(ClientError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        },
    };
    found.map_err(|error| registry(doing, error))
}

/// Fails before any byte moves if the entities cannot be created.
pub(super) async fn validate(client: &Client, settings: &Settings) -> Result<(), JobError> {
    let doing = "validating the intent";
    let model = find_model(client, settings, doing).await?;
    let (intent, id) = (settings.intent, settings.model_id.as_deref().unwrap_or_default());
    let model = match (intent, model) {
        (Intent::CreateModel, None) => return Ok(()),
        (Intent::CreateModel, Some(model)) => {
            return Err(JobError::Rejected(format!(
                "Cannot create model: RegisteredModel with name '{}' already exists. Use 'create_version' intent to add a new version \
                 to this existing model.",
                model.name
            )));
        }
        (_, None) => {
            return Err(JobError::Rejected(format!(
                "Cannot create version: RegisteredModel with ID '{id}' not found. Use 'create_model' intent to create a new model first."
            )));
        }
        (_, Some(model)) => model,
    };
    let name = version_name(settings);
    let by = FindBy::NameIn { name: &name, parent_id: &model.id };
    if client.model_versions().find(by).await.map_err(|error| registry(doing, error))?.is_some() {
        return Err(JobError::Rejected(format!(
            "Cannot create version: ModelVersion with name '{name}' already exists under RegisteredModel '{}' (ID: {id}). Use \
             'update_artifact' intent to update an existing version's artifact.",
            model.name
        )));
    }
    Ok(())
}

/// Creates all entities in one request. A repetition, also by another pod of the job, gets the first response.
pub(super) async fn register(
    client: &Client,
    settings: &Settings,
    moved: &Moved,
    key: &str,
) -> Result<Outcome, JobError> {
    let doing = "registering the files";
    let model = if settings.intent == Intent::CreateModel {
        new_model(settings)
    } else {
        let found = find_model(client, settings, doing).await?;
        let id = settings.model_id.as_deref().unwrap_or_default();
        let gone = || JobError::Rejected(format!("the model with the id {id} was removed while the files were copied"));
        RegisteredModelCreate { name: found.ok_or_else(gone)?.name, ..RegisteredModelCreate::default() }
    };
    let request = RegisterRequest {
        artifacts: vec![new_artifact(settings, &model.name, moved, key).into()],
        registered_model: model,
        model_version: new_version(settings),
    };
    // Other files are another request.
    let idempotency_key = format!("{EXTERNAL_ID}{key}:{}", &moved.digest.to_string()[..16]);
    match client.register_once(&request, &idempotency_key).await {
        Ok(registered) => Ok(Outcome {
            intent: settings.intent,
            model_id: Some(registered.registered_model.id),
            version_id: Some(registered.model_version.id),
            artifact_id: registered.artifacts.first().map(Artifact::id).unwrap_or_default().to_owned(),
        }),
        Err(error @ ClientError::Conflict(_)) => {
            // Another pod of this job was faster.
            find_own(client, settings, key).await?.ok_or_else(|| registry(doing, error))
        }
        Err(error) => Err(registry(doing, error)),
    }
}

fn external_id(key: &str) -> String {
    format!("{EXTERNAL_ID}{key}")
}

fn model_name(settings: &Settings) -> String {
    settings.metadata.registered_model.as_ref().and_then(|model| model.get("name")).unwrap_or_default()
}

fn version_name(settings: &Settings) -> String {
    let name = settings.metadata.model_version.as_ref().and_then(|version| version.get("name"));
    name.unwrap_or_else(|| FIRST_VERSION.to_owned())
}

fn new_model(settings: &Settings) -> RegisteredModelCreate {
    let fields = settings.metadata.registered_model.clone().unwrap_or_default();
    RegisteredModelCreate {
        name: model_name(settings),
        owner: fields.get("owner"),
        description: fields.get("description"),
        custom_properties: fields.custom_properties,
        ..RegisteredModelCreate::default()
    }
}

fn new_version(settings: &Settings) -> ModelVersionCreate {
    let fields = settings.metadata.model_version.clone().unwrap_or_default();
    ModelVersionCreate {
        name: version_name(settings),
        author: fields.get("author").or_else(|| settings.author.clone()),
        description: fields.get("description"),
        custom_properties: fields.custom_properties,
        ..ModelVersionCreate::default()
    }
}

fn new_artifact(settings: &Settings, model: &str, moved: &Moved, key: &str) -> ModelArtifactCreate {
    let fields: Fields = settings.metadata.model_artifact.clone().unwrap_or_default();
    let mut custom_properties = fields.custom_properties.clone();
    if settings.records_digest {
        for (name, value) in moved.properties() {
            custom_properties.insert(name, value);
        }
    }
    ModelArtifactCreate {
        name: fields.get("name").or_else(|| Some(model.to_owned())),
        description: fields.get("description"),
        external_id: Some(external_id(key)),
        custom_properties,
        uri: Some(moved.uri.clone()),
        state: Some(ArtifactState::Live),
        model_format_name: fields.get("model_format_name"),
        model_format_version: fields.get("model_format_version"),
        storage_key: fields.get("storage_key"),
        storage_path: fields.get("storage_path"),
        service_account_name: fields.get("service_account_name"),
        model_source_kind: fields.get("model_source_kind"),
        model_source_class: fields.get("model_source_class"),
        model_source_group: fields.get("model_source_group"),
        model_source_id: fields.get("model_source_id"),
        model_source_name: fields.get("model_source_name"),
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pending").field("before", &self.before).finish()
    }
}
