//! The storage initializer of KServe: fetches the files of a model into the volume that the server of the model reads.

mod resolve;
mod settings;

use std::time::Duration;

use model_registry_base::{ConnectionProblem, Environment};
use model_registry_client::Error as ClientError;
use model_registry_transfer::{Context, Location, Network, Options, Report, TransferError, copy};

pub use self::settings::Settings;
use crate::blocked;
use crate::kserve;
use crate::pod::{Inputs, shown};
use crate::registered::FindError;
use crate::registry_uri::{InvalidUri, RegistryUri};

/// The usage of the program that this one replaces.
pub const USAGE: &str = "Usage: ./mr-storage-initializer <src-uri> <dest-path>";
/// The exit code of every failure.
pub const FAILED: u8 = 1;

/// Time limit for the name of Google's metadata server.
const METADATA_LOOKUP: Duration = Duration::from_secs(2);

/// Why the files are not there.
#[derive(Debug, thiserror::Error)]
pub enum InitializerError {
    #[error("{0}")]
    Settings(String),
    #[error(transparent)]
    Uri(#[from] InvalidUri),
    /// The registry has no files for the location, or cannot be reached.
    #[error("{registry}: {error}{hint}", hint = hint(error))]
    Registry { registry: String, error: Box<FindError> },
    #[error("`{first}` is neither a model of {default} ({reason}) nor a registry: {other}")]
    Ambiguous { first: String, default: String, reason: String, other: String },
    #[error("artifact URI validation failed: artifact URI targets a blocked endpoint: {0}")]
    Blocked(String),
    #[error("artifact URI validation failed: artifact URI does not match any allowed prefix: {0}")]
    NotAllowed(String),
    #[error("protocol not supported for storageUri: {0}")]
    Unsupported(String),
    #[error(transparent)]
    Transfer(#[from] TransferError),
}

/// What to do about a registry that refuses the program.
fn hint(error: &FindError) -> &'static str {
    match error {
        FindError::Client(ClientError::Unauthorized(_)) => {
            ": set MR_TOKEN or MR_TOKEN_FILE; only the default registry and the hosts of MR_TOKEN_HOSTS get the token"
        }
        FindError::Client(ClientError::Unreachable { problem: ConnectionProblem::UnknownAuthority, .. }) => {
            ": set MR_CA_FILE to the certificate of the authority"
        }
        _ => "",
    }
}

/// Fetches the files of `source` into the directory `destination`.
pub async fn run(source: &str, destination: &str, inputs: &Inputs) -> Result<Report, InitializerError> {
    let Inputs { environment, log, .. } = inputs;
    log.info(&format!("Initializing, args: src_uri [{}] dest_path [{destination}]", shown(source)));
    let settings = Settings::read(environment).map_err(InitializerError::Settings)?;
    log.info(&if settings.prefixes.is_configured() {
        format!("Artifact URI allowlist configured: [{}]", settings.prefixes)
    } else {
        "No artifact URI allowlist configured (ALLOWED_ARTIFACT_URI_PREFIXES not set)".to_owned()
    });
    let destination = directory(destination)?;
    let (uri, digest) = if RegistryUri::is_one(source) {
        let files = resolve::resolve(source, &settings, log).await?;
        if files.digest.is_none() {
            log.info(
                "The registry knows no digest of the files: only sizes and the digests of the source are verified",
            );
        }
        (files.uri, files.digest)
    } else {
        (source.to_owned(), None)
    };
    log.info(&format!("Validating artifact URI: {}", shown(&uri)));
    let location = checked(&uri, RegistryUri::is_one(source), &settings)?;
    let mapped = kserve::map(environment, &location).map_err(InitializerError::Settings)?;
    let environment = with_public_google(mapped.environment, &location).await;
    let network = Network {
        url_check: Some(std::sync::Arc::new(blocked::check_url)),
        address_check: Some(std::sync::Arc::new(blocked::check_address)),
        is_unverified: mapped.is_unverified,
        ..Network::default()
    };
    if mapped.is_unverified {
        log.warning("S3_VERIFY_SSL is off: the certificate of the store is not verified");
    }
    let context = Context {
        environment,
        network,
        options: Options { digest, keep_when_cancelled: true, ..Options::default() },
        observer: std::sync::Arc::clone(&inputs.observer),
        ..Context::default()
    };
    log.info(&format!("Downloading {location} to {destination}"));
    let report = copy(&location, &destination, &context, &inputs.stop).await?;
    log.info(&format!(
        "Downloaded {} files ({} bytes, {} copied), sha256:{}",
        report.files.len(),
        report.size(),
        report.copied_bytes,
        report.digest()
    ));
    Ok(report)
}

/// The destination is a directory: a single file keeps its name in it.
fn directory(path: &str) -> Result<Location, InitializerError> {
    if path.is_empty() {
        return Err(InitializerError::Settings("the destination path is empty".to_owned()));
    }
    let location = Location::destination(&format!("{}/", path.trim_end_matches('/')))?;
    match location {
        Location::File(_) => Ok(location),
        other => Err(InitializerError::Settings(format!("the destination {other} is not a path of this machine"))),
    }
}

/// Parses and checks the location of the files, before it is requested. One from the registry is written by others: it names neither
/// files of this container nor another registered model.
fn checked(uri: &str, is_from_registry: bool, settings: &Settings) -> Result<Location, InitializerError> {
    // Before it is parsed: a zone of an address, for example, is not part of a URL.
    let authority = uri.split_once("://").map_or("", |(_, rest)| host_part(rest));
    blocked::check_host(authority).map_err(InitializerError::Blocked)?;
    let location: Location =
        uri.parse().map_err(|error: TransferError| InitializerError::Unsupported(error.to_string()))?;
    if let Some(host) = named_host(&location) {
        blocked::check_host(host).map_err(InitializerError::Blocked)?;
    }
    match &location {
        Location::Registered(_) => {
            return Err(InitializerError::Unsupported("the artifact refers to another registered model".to_owned()));
        }
        Location::File(_) if is_from_registry && !settings.prefixes.names_scheme("file") => {
            return Err(InitializerError::Unsupported(
                "the artifact names a file of this container; ALLOWED_ARTIFACT_URI_PREFIXES with a prefix file:///PATH \
                 allows it"
                    .to_owned(),
            ));
        }
        _ => {}
    }
    settings.prefixes.check(uri).map_err(InitializerError::NotAllowed)?;
    if let Location::Objects(objects) = &location
        && let Some(endpoint) = &objects.service.endpoint
        && settings.prefixes.is_configured()
        && settings.endpoint.as_deref() != Some(endpoint.as_str())
    {
        // The allowed bucket of another store is another bucket.
        settings.prefixes.check(endpoint).map_err(InitializerError::NotAllowed)?;
    }
    Ok(location)
}

/// The server that a parsed location names: that of a URL, or the endpoint in its query.
fn named_host(location: &Location) -> Option<&str> {
    match location {
        Location::Web(url) => url.host_str(),
        Location::Objects(objects) => {
            let endpoint = objects.service.endpoint.as_deref()?;
            endpoint.split_once("://").map(|(_, rest)| host_part(rest))
        }
        _ => None,
    }
}

/// The part of a URL after `://` that names the server.
fn host_part(rest: &str) -> &str {
    rest.split(['/', '?', '#', '\\']).next().unwrap_or_default()
}

/// A public bucket of Google is read without credentials where there are none.
async fn with_public_google(environment: Environment, location: &Location) -> Environment {
    let is_google =
        matches!(location, Location::Objects(objects) if objects.store == model_registry_transfer::Store::Google);
    if !is_google || !kserve::lacks_google_credentials(&environment) || has_metadata_server().await {
        return environment;
    }
    let variables: Vec<(String, String)> = environment
        .names()
        .filter_map(|name| Some((name.to_owned(), environment.get(name)?.to_owned())))
        .chain([("GOOGLE_SKIP_SIGNATURE".to_owned(), "true".to_owned())])
        .collect();
    variables.into_iter().collect()
}

async fn has_metadata_server() -> bool {
    let found = tokio::time::timeout(METADATA_LOOKUP, tokio::net::lookup_host(("metadata.google.internal", 80))).await;
    found.is_ok_and(|found| found.is_ok_and(|mut addresses| addresses.next().is_some()))
}

#[cfg(test)]
mod tests;
