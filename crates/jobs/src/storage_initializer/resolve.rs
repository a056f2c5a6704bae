//! Finds the files that a `model-registry://` location means.

use std::time::Duration;

use model_registry_base::files;
use model_registry_client::{Client, Error as ClientError, FindBy, Retries};

use super::{InitializerError, Settings};
use crate::blocked;
use crate::pod::Log;
use crate::registered::{FindError, RegisteredFiles, find_files_of};
use crate::registry_uri::{Candidate, Origin, RegistryUri, is_clearly_host, readings};

/// Time limits for a host that may not be a registry at all.
const PROBE_CONNECT: Duration = Duration::from_secs(3);
const PROBE: Duration = Duration::from_secs(10);

/// Asks the registries that a location can mean, in order.
pub(super) async fn resolve(source: &str, settings: &Settings, log: &Log) -> Result<RegisteredFiles, InitializerError> {
    let candidates = RegistryUri::parse(source)?.candidates(&settings.defaults)?;
    for candidate in &candidates {
        blocked::check_host(&candidate.host).map_err(InitializerError::Blocked)?;
    }
    let (first, second) = match candidates.as_slice() {
        [only] => return find(only, settings, log).await.map_err(|error| at(only, error)),
        [first, second] => (first, second),
        _ => return Err(InitializerError::Settings("the location has no meaning".to_owned())),
    };
    let error = match find(first, settings, log).await {
        Ok(files) => return Ok(files),
        Err(error) if may_be_a_host(&error, first, settings) => error,
        Err(error) => return Err(at(first, error)),
    };
    log.info(&format!("{}: {error}; trying `{}` as a registry", first.host, second.host));
    find(second, settings, log).await.map_err(|other| match other {
        // It is a registry, so that this is about its model.
        FindError::Client(other) => InitializerError::Ambiguous {
            first: first.model.clone(),
            default: first.host.clone(),
            reason: error.to_string(),
            other: other.to_string(),
        },
        other => at(second, other),
    })
}

/// Whether the first of two names may be a host after this error of the default registry. A registry that was set and does not respond is
/// not passed over for a service that has the name of the model, unless the name can only be that of a host.
fn may_be_a_host(error: &FindError, candidate: &Candidate, settings: &Settings) -> bool {
    match error {
        FindError::NoModel(_) => true,
        FindError::Client(
            ClientError::Unreachable { .. } | ClientError::Timeout { .. } | ClientError::Unreadable { .. },
        ) => !settings.defaults.is_explicit || is_clearly_host(&candidate.model),
        _ => false,
    }
}

fn at(candidate: &Candidate, error: FindError) -> InitializerError {
    InitializerError::Registry { registry: candidate.host.clone(), error: Box::new(error) }
}

async fn find(candidate: &Candidate, settings: &Settings, log: &Log) -> Result<RegisteredFiles, FindError> {
    let Candidate { host, model, version, .. } = candidate;
    let client = client(candidate, settings)?;
    let shown = version.as_deref().unwrap_or("(newest live)");
    log.info(&format!("Fetching model: registry={host}, registeredModelName={model}, versionName={shown}"));
    let mut found = None;
    for name in readings(model) {
        found = client.registered_models().find(FindBy::Name(&name)).await?;
        if found.is_some() {
            break;
        }
    }
    let found = found.ok_or_else(|| FindError::NoModel(model.clone()))?;
    let versions: Vec<Option<String>> =
        version.as_deref().map_or_else(|| vec![None], |version| readings(version).into_iter().map(Some).collect());
    let mut missing = None;
    for version in versions {
        match find_files_of(&client, found.clone(), version.as_deref()).await {
            Ok(files) => {
                let RegisteredFiles { model, version, artifact, .. } = &files;
                log.info(&format!("Found: model={}, version={}, artifact={}", model.name, version.name, artifact.name));
                return Ok(files);
            }
            // The name as it is written is the one of the message.
            Err(error @ FindError::NoVersion { .. }) => missing = missing.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    Err(missing.unwrap_or_else(|| FindError::NoLiveVersion(found.name)))
}

fn client(candidate: &Candidate, settings: &Settings) -> Result<Client, ClientError> {
    let host = &candidate.host;
    let mut builder =
        Client::builder(&format!("{}://{host}", settings.defaults.scheme)).address_check(blocked::check_address);
    if candidate.origin == Origin::Location {
        builder = builder.timeout(PROBE).connect_timeout(PROBE_CONNECT).retries(Retries::none());
    }
    if settings.trusts(host) {
        builder = match (&settings.token, &settings.token_file) {
            (Some(token), _) => builder.token(token),
            (None, Some(file)) => builder.token_file(file),
            (None, None) => builder,
        };
    }
    if let Some(file) = &settings.ca_file {
        let pem = files::read(file, files::LARGEST_SETTINGS)
            .map_err(|error| ClientError::Usage(format!("MR_CA_FILE: cannot read {}: {error}", file.display())))?;
        builder = builder.root_certificates(pem);
    }
    builder.build()
}
