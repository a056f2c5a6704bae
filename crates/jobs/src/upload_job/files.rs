//! Moves the files from the source to the destination.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use model_registry_base::Environment;
use model_registry_client::{Client, MetadataValue};
use model_registry_transfer::{Context, ImageSettings, Location, Options, PlainHttp, Report, Sha256, copy_between};

use super::settings::{Destination, Settings};
use super::{Inputs, JobError, plain_http, signing};
use crate::registered::{file_properties, find_files};

/// The files at their destination.
#[derive(Clone, Debug)]
pub(super) struct Moved {
    /// The URI of the artifact.
    pub(super) uri: String,
    pub(super) digest: Sha256,
    pub(super) size: u64,
}

impl Moved {
    /// The custom properties of the files.
    pub(super) fn properties(&self) -> [(String, MetadataValue); 2] {
        file_properties(&self.digest, self.size)
    }
}

/// Copies the files; with signing, by way of the storage path.
pub(super) async fn move_files(settings: &Settings, client: &Client, inputs: &Inputs) -> Result<Moved, JobError> {
    let log = &inputs.log;
    let storage = &settings.storage_path;
    fs::create_dir_all(storage).map_err(|error| JobError::StoragePath(storage.display().to_string(), error))?;
    let (source, digest) = source_files(settings, client).await?;
    let from = source_context(settings, inputs, &source, digest).await;
    let to = destination_context(settings, inputs).await;
    let (destination, uri) = match &settings.destination {
        Destination::Image { reference, uri, .. } => (Location::Image(reference.clone()), uri.clone()),
        Destination::Objects { location, .. } => (location.clone(), location.to_string()),
    };
    let report = match &settings.signing {
        None => {
            log.info(&format!("Uploading model to destination: {source} -> {destination}"));
            copy_between((&source, &from), (&destination, &to), &inputs.stop).await?
        }
        Some(signing) => {
            let local = storage.join("model");
            let staged = Location::destination(&format!("{}/", local.display()))?;
            log.info(&format!("Downloading {source} -> {}", local.display()));
            copy_between((&source, &from), (&staged, &from), &inputs.stop).await?;
            log.info("Model downloaded from source");
            log.info("Signing model files...");
            signing::sign_files(signing, &local).await?;
            log.info("Model signature verified");
            log.info("Uploading model to destination...");
            let report = copy_between((&staged, &to), (&destination, &to), &inputs.stop).await?;
            if let Destination::Image { reference, environment, images, .. } = &settings.destination {
                log.info("Signing OCI image...");
                signing::sign_image(signing, reference, images, environment, storage).await?;
                log.info("OCI image signature verified");
            }
            // Another run must not find files of this one among its own.
            let _ = fs::remove_dir_all(&local);
            report
        }
    };
    log.info(&format!("Model uploaded to destination: {uri}"));
    Ok(moved(uri, &report))
}

fn moved(uri: String, report: &Report) -> Moved {
    Moved { uri, digest: report.digest(), size: report.size() }
}

/// The location of the files; that of a registered model comes from the registry, with its digest.
async fn source_files(settings: &Settings, client: &Client) -> Result<(Location, Option<Sha256>), JobError> {
    let Location::Registered(registered) = &settings.source.location else {
        return Ok((settings.source.location.clone(), None));
    };
    let files = find_files(client, &registered.model, registered.version.as_deref()).await?;
    let location: Location = files.uri.parse()?;
    if matches!(location, Location::Registered(_) | Location::File(_)) {
        return Err(JobError::Rejected(format!(
            "the location of the registered files, {location}, cannot be read here"
        )));
    }
    Ok((location, files.digest))
}

async fn source_context(settings: &Settings, inputs: &Inputs, source: &Location, digest: Option<Sha256>) -> Context {
    let access = &settings.source.images;
    let mut plain = PlainHttp::None;
    if let Location::Image(reference) = source
        && !access.verifies_tls
        && plain_http::is_used_by(reference.registry()).await
    {
        plain = PlainHttp::Registries(vec![reference.registry().to_owned()]);
    }
    let images = ImageSettings {
        auth_file: access.credentials.file.clone(),
        is_unverified: !access.verifies_tls,
        plain_http: plain,
        ..ImageSettings::default()
    };
    let environment = with_docker_config(&settings.source.environment, access.credentials.content.as_deref());
    context(settings, inputs, environment, images, digest)
}

async fn destination_context(settings: &Settings, inputs: &Inputs) -> Context {
    let (environment, images) = match &settings.destination {
        Destination::Objects { environment, .. } => (environment.clone(), ImageSettings::default()),
        Destination::Image { reference, base, environment, images: access, .. } => {
            let mut plain = Vec::new();
            if !access.verifies_tls {
                for image in [Some(reference), base.as_ref()].into_iter().flatten() {
                    let registry = image.registry();
                    if !plain.iter().any(|known| known == registry) && plain_http::is_used_by(registry).await {
                        inputs.log.info(&format!("The registry {registry} is used without TLS"));
                        plain.push(registry.to_owned());
                    }
                }
            }
            let images = ImageSettings {
                base: base.clone(),
                auth_file: access.credentials.file.clone(),
                is_unverified: !access.verifies_tls,
                plain_http: if plain.is_empty() { PlainHttp::None } else { PlainHttp::Registries(plain) },
                ..ImageSettings::default()
            };
            (with_docker_config(environment, access.credentials.content.as_deref()), images)
        }
    };
    context(settings, inputs, environment, images, None)
}

fn context(
    settings: &Settings,
    inputs: &Inputs,
    environment: Environment,
    images: ImageSettings,
    digest: Option<Sha256>,
) -> Context {
    Context {
        environment,
        options: Options { digest, keep_when_cancelled: true, ..Options::default() },
        observer: Arc::clone(&inputs.observer),
        images,
        states: Some(states(&settings.storage_path)),
        ..Context::default()
    }
}

fn states(storage: &Path) -> std::path::PathBuf {
    storage.join("state")
}

/// The environment with a docker configuration in its variable.
fn with_docker_config(environment: &Environment, content: Option<&str>) -> Environment {
    let Some(content) = content else { return environment.clone() };
    let variables = environment.names().filter(|name| *name != ".dockerconfigjson");
    let mut variables: Vec<(String, String)> =
        variables.filter_map(|name| Some((name.to_owned(), environment.get(name)?.to_owned()))).collect();
    variables.push((".dockerconfigjson".to_owned(), content.to_owned()));
    variables.into_iter().collect()
}
