//! The validated settings of the job, and every mistake in them.

mod ends;
mod registry;
mod signing;

use std::fmt;
use std::path::PathBuf;

use model_registry_base::{Environment, files};

pub(super) use self::ends::{Destination, ImageAccess, Source};
pub(super) use self::registry::RegistryAccess;
pub(super) use self::signing::Signing;
use super::credentials::expanded;
use super::metadata::Metadata;
use super::mistakes::Mistakes;
use super::options::{Values, option_name};

/// Where a `ConfigMap` is mounted unless an option says otherwise.
const DEFAULT_METADATA: &str = "/etc/model-metadata";

/// What becomes of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    UpdateArtifact,
    CreateModel,
    CreateVersion,
}

impl Intent {
    const ALL: [Self; 3] = [Self::UpdateArtifact, Self::CreateModel, Self::CreateVersion];

    pub fn name(self) -> &'static str {
        match self {
            Self::UpdateArtifact => "update_artifact",
            Self::CreateModel => "create_model",
            Self::CreateVersion => "create_version",
        }
    }
}

/// Everything that the job does, decided before it does anything.
#[derive(Clone)]
pub struct Settings {
    pub(super) source: Source,
    pub(super) destination: Destination,
    pub(super) intent: Intent,
    pub(super) model_id: Option<String>,
    pub(super) version_id: Option<String>,
    pub(super) artifact_id: Option<String>,
    pub(super) metadata: Metadata,
    pub(super) registry: RegistryAccess,
    pub(super) author: Option<String>,
    pub(super) storage_path: PathBuf,
    pub(super) records_digest: bool,
    pub(super) signing: Option<Signing>,
    /// For the log.
    pub(super) notes: Vec<String>,
}

/// The files that a pod has besides those that options name.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) metadata: PathBuf,
    pub(super) service_account_token: PathBuf,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            metadata: PathBuf::from(DEFAULT_METADATA),
            service_account_token: PathBuf::from("/var/run/secrets/kubernetes.io/serviceaccount/token"),
        }
    }
}

/// Without the environments, which have secrets.
impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Settings");
        shown.field("source", &self.source.location).field("intent", &self.intent).finish_non_exhaustive()
    }
}

impl Settings {
    /// Validates options, variables and the files that they name.
    pub fn read(values: Values, environment: &Environment) -> Result<Self, Mistakes> {
        Self::read_at(values, environment, &Places::default())
    }

    pub(super) fn read_at(mut values: Values, environment: &Environment, places: &Places) -> Result<Self, Mistakes> {
        let mut mistakes = Mistakes::default();
        let mut notes = Vec::new();
        let source = ends::source(&mut values, environment, &mut mistakes, &mut notes);
        let destination = ends::destination(&mut values, environment, &mut mistakes, &mut notes);
        let names = Intent::ALL.map(Intent::name);
        let intent = choice(&values, "model-upload-intent", &names, &mut mistakes);
        let intent = intent.and_then(|name| Intent::ALL.into_iter().find(|intent| intent.name() == name));
        let metadata = metadata(&values, places, &mut mistakes);
        let registry = registry::read(&values, environment, places, &mut mistakes, &mut notes);
        let records_digest = boolean(&values, "record-digest", &mut mistakes).unwrap_or(true);
        let is_image = matches!(destination, Some(Destination::Image { .. }));
        let signing = signing::read(&values, environment, places, is_image, &mut mistakes, &mut notes);
        let id = |name: &'static str| values.get(name).map(|id| id.trim().to_owned());
        // The user interface passes ids in the ConfigMap.
        let of_metadata =
            |fields: &Option<super::metadata::Fields>| fields.as_ref().and_then(|fields| fields.get("id"));
        let found = metadata.clone().unwrap_or_default();
        let model_id = id("model-id").or_else(|| of_metadata(&found.registered_model));
        let version_id = id("model-version-id").or_else(|| of_metadata(&found.model_version));
        let artifact_id = id("model-artifact-id").or_else(|| of_metadata(&found.model_artifact));
        if let Some(intent) = intent {
            let ids = (model_id.as_deref(), artifact_id.as_deref());
            check_intent(intent, ids, metadata.as_ref(), &mut mistakes);
        }
        notes.extend(found.ignored.iter().map(|key| format!("the key {key} of the ConfigMap is not known")));
        let storage_path = values.get("storage-path").map_or_else(|| PathBuf::from("/tmp/model-sync"), expanded);
        match (source, destination, intent, registry) {
            (Some(source), Some(destination), Some(intent), Some(registry)) if mistakes.is_empty() => Ok(Self {
                source,
                destination,
                intent,
                model_id,
                version_id,
                artifact_id,
                metadata: found,
                registry,
                author: values.get("registry-author").map(str::to_owned),
                storage_path,
                records_digest,
                signing,
                notes,
            }),
            _ => Err(mistakes),
        }
    }

    /// What the job logs first, if something is unusual.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub fn intent(&self) -> Intent {
        self.intent
    }
}

fn metadata(values: &Values, places: &Places, mistakes: &mut Mistakes) -> Option<Metadata> {
    let option = "metadata-configmap-path";
    let directory = match values.get(option) {
        Some(path) => expanded(path),
        None if files::is_directory(&places.metadata) => places.metadata.clone(),
        None => return None,
    };
    Some(Metadata::read(&directory, &values.origin(option), mistakes))
}

/// Ids and metadata that an intent needs.
fn check_intent(
    intent: Intent,
    (model_id, artifact_id): (Option<&str>, Option<&str>),
    metadata: Option<&Metadata>,
    mistakes: &mut Mistakes,
) {
    let option = option_name("metadata-configmap-path");
    if intent == Intent::UpdateArtifact {
        if artifact_id.is_none() {
            mistakes.add(option_name("model-artifact-id"), "Field required: the id of the artifact to update");
        }
        return;
    }
    if intent == Intent::CreateVersion && model_id.is_none() {
        mistakes.add(option_name("model-id"), "Field required: the id of the model that gets a version");
    }
    let Some(metadata) = metadata else {
        mistakes.add(option, format!("Intent {} requires ConfigMap metadata but none provided", intent.name()));
        return;
    };
    let has_artifact = metadata.model_version.is_some() && metadata.model_artifact.is_some();
    if intent == Intent::CreateModel {
        let Some(model) = metadata.registered_model.as_ref().filter(|_| has_artifact) else {
            let reason = "create_model intent requires RegisteredModel, ModelVersion, and ModelArtifact metadata";
            mistakes.add(option, reason);
            return;
        };
        match (model.get("name"), model.get("id")) {
            (Some(_), Some(_)) => mistakes.add(option, "Cannot provide both name and id for RegisteredModel"),
            (None, None) => mistakes.add(option, "Must provide either name or id for RegisteredModel"),
            (None, Some(_)) => mistakes.add(option, "RegisteredModel name is required for create_model intent"),
            (Some(_), None) => {}
        }
    } else if !has_artifact {
        mistakes.add(option, "create_version intent requires ModelVersion and ModelArtifact metadata");
    } else if metadata.model_version.as_ref().is_some_and(|version| version.get("name").is_none()) {
        mistakes.add(option, "ModelVersion name is required for create_version intent");
    }
}

/// A yes or no, in the spellings of the reference.
pub(super) fn boolean(values: &Values, name: &'static str, mistakes: &mut Mistakes) -> Option<bool> {
    let value = values.raw(name)?;
    match value.text.trim().to_ascii_lowercase().as_str() {
        "yes" | "y" | "true" | "t" | "1" | "on" => Some(true),
        "no" | "n" | "false" | "f" | "0" | "off" => Some(false),
        other => {
            let reason = format!("invalid str2bool value: '{other}': write true or false");
            mistakes.add_syntax(value.origin.clone(), reason);
            None
        }
    }
}

/// One of several words.
pub(super) fn choice<'a>(
    values: &Values,
    name: &'static str,
    choices: &[&'a str],
    mistakes: &mut Mistakes,
) -> Option<&'a str> {
    let value = values.raw(name)?;
    let found = choices.iter().find(|choice| **choice == value.text).copied();
    if found.is_none() {
        let choices = choices.iter().map(|choice| format!("'{choice}'")).collect::<Vec<_>>().join(", ");
        mistakes.add_syntax(value.origin.clone(), format!("invalid choice: '{}' (choose from {choices})", value.text));
    }
    found
}

#[cfg(test)]
mod tests;
