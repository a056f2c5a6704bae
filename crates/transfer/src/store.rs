//! Clients of the object stores, from a location and the environment.
//!
//! Variables have the names that the tools of each cloud use; `object_store` reads the same from the process. Workload identity
//! (IRSA, GKE, Azure) works through the variables and files that the cluster sets.

mod connector;
mod error;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model_registry_base::{Environment, files};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::multipart::MultipartStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig, StaticCredentialProvider};

use url::Url;

use self::connector::PatientConnector;
pub(crate) use self::error::from_store;
use crate::endpoint::Result;
use crate::error::TransferError;
use crate::location::{ObjectLocation, Store};
use crate::network::Network;
use crate::open::Context;
use crate::retry::Retry;

/// A client of one bucket.
#[derive(Clone)]
pub(crate) struct Bucket {
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) uploads: Arc<dyn MultipartStore>,
}

impl Bucket {
    fn of<S: ObjectStore + MultipartStore>(store: S) -> Self {
        let store = Arc::new(store);
        Self { objects: Arc::clone(&store) as Arc<dyn ObjectStore>, uploads: store }
    }

    /// Connects to the bucket of a location; no request is made.
    pub(crate) fn open(location: &ObjectLocation, context: &Context) -> Result<Self> {
        if let Some(endpoint) = &location.service.endpoint {
            // It comes from whoever wrote the location, the variables come from the operator.
            let url: Url = endpoint.parse().map_err(|error| {
                TransferError::invalid(format!("{location}: the endpoint in the location is not a URL: {error}"))
            })?;
            let refused = |refused| TransferError::refused(location.to_string(), &refused);
            context.network.check(&url).map_err(refused)?;
        }
        let network = network(location.store, context)?;
        let connector = PatientConnector { network, retry: context.retry, observer: Arc::clone(&context.observer) };
        let (environment, retry) = (&context.environment, context.retry);
        let built = match location.store {
            Store::S3 => s3(location, environment, retry, connector),
            Store::Google => google(location, environment, retry, connector),
            Store::Azure => azure(location, environment, retry, connector),
        };
        built.map_err(|error| TransferError::invalid(format!("{location}: {}", explain(&error.to_string()))))
    }
}

/// The variable with a file of certificates that the tools of S3 trust.
const S3_CERTIFICATES: &str = "AWS_CA_BUNDLE";

/// The network, with the certificates that a variable of the store names.
fn network(store: Store, context: &Context) -> Result<Network> {
    let mut network = context.network.clone();
    if let Some(path) = context.environment.get(S3_CERTIFICATES).filter(|_| store == Store::S3) {
        let bytes = files::read(Path::new(path), files::LARGEST_SETTINGS).map_err(|error| {
            TransferError::invalid(format!("the certificates {path} of {S3_CERTIFICATES} cannot be read: {error}"))
        })?;
        network.root_certificates.push(b'\n');
        network.root_certificates.extend(bytes);
    }
    Ok(network)
}

/// What to do about a client that cannot be built.
fn explain(error: &str) -> String {
    let hint = if error.contains("Account must be specified") {
        ": set AZURE_STORAGE_ACCOUNT_NAME, or use https://ACCOUNT.blob.core.windows.net/CONTAINER/KEY"
    } else {
        ""
    };
    format!("{error}{hint}")
}

fn s3(
    location: &ObjectLocation,
    environment: &Environment,
    retry: Retry,
    connector: PatientConnector,
) -> object_store::Result<Bucket> {
    let mut builder = AmazonS3Builder::new();
    for (key, value) in configuration::<AmazonS3ConfigKey>(environment, "AWS_") {
        builder = builder.with_config(key, value);
    }
    if let Some(region) = &location.service.region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &location.service.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    // A part may be as large as the signature over it would be slow, and TLS protects it.
    let is_plain = environment.get("AWS_ALLOW_HTTP").is_some_and(is_true);
    let builder = builder
        .with_bucket_name(&location.bucket)
        .with_unsigned_payload(!is_plain)
        .with_retry(retries(retry))
        .with_client_options(client(environment, "AWS_ALLOW_HTTP"))
        .with_http_connector(connector);
    builder.build().map(Bucket::of)
}

fn google(
    location: &ObjectLocation,
    environment: &Environment,
    retry: Retry,
    connector: PatientConnector,
) -> object_store::Result<Bucket> {
    let mut builder = GoogleCloudStorageBuilder::new();
    for (key, value) in configuration::<GoogleConfigKey>(environment, "GOOGLE_") {
        builder = builder.with_config(key, value);
    }
    if environment.get("GOOGLE_SKIP_SIGNATURE").is_some_and(is_true) {
        // Without it, writes would request the credentials of the machine. The connector removes the empty header.
        builder =
            builder.with_credentials(Arc::new(StaticCredentialProvider::new(GcpCredential { bearer: String::new() })));
    }
    let builder = builder
        .with_bucket_name(&location.bucket)
        .with_retry(retries(retry))
        .with_client_options(client(environment, "GOOGLE_ALLOW_HTTP"))
        .with_http_connector(connector);
    builder.build().map(Bucket::of)
}

fn azure(
    location: &ObjectLocation,
    environment: &Environment,
    retry: Retry,
    connector: PatientConnector,
) -> object_store::Result<Bucket> {
    let mut builder = MicrosoftAzureBuilder::new();
    for (key, value) in configuration::<AzureConfigKey>(environment, "AZURE_") {
        builder = builder.with_config(key, value);
    }
    if let Some(account) = &location.service.account {
        builder = builder.with_account(account);
    }
    if let Some(signature) = &location.service.signature {
        builder = builder.with_config(AzureConfigKey::SasKey, signature);
    }
    let builder = builder
        .with_container_name(&location.bucket)
        .with_retry(retries(retry))
        .with_client_options(client(environment, "AZURE_ALLOW_HTTP"))
        .with_http_connector(connector);
    builder.build().map(Bucket::of)
}

/// The settings that the environment has for a store. Those of its client are set by [`client`].
fn configuration<'a, K: std::str::FromStr>(
    environment: &'a Environment,
    prefix: &'a str,
) -> impl Iterator<Item = (K, &'a str)> {
    let names = environment.names().filter(move |name| name.starts_with(prefix));
    names.filter_map(|name| Some((name.to_ascii_lowercase().parse().ok()?, environment.get(name)?)))
}

fn is_true(value: &str) -> bool {
    ["1", "true", "yes", "on", "y"].iter().any(|word| value.trim().eq_ignore_ascii_case(word))
}

/// Plain HTTP is used only if a variable of the store allows it.
fn client(environment: &Environment, allow_http: &str) -> ClientOptions {
    let is_allowed = environment.get(allow_http).is_some_and(is_true);
    ClientOptions::new().with_allow_http(is_allowed).with_connect_timeout(connector::CONNECT)
}

fn retries(retry: Retry) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { init_backoff: retry.first_pause, max_backoff: retry.longest_pause, base: 2.0 },
        max_retries: retry.attempts as usize,
        // Pauses that the server requests count, too.
        retry_timeout: Duration::from_mins(5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::Location;

    fn open(location: &str, variables: &[(&str, &str)]) -> std::result::Result<(), String> {
        let Ok(Location::Objects(location)) = location.parse() else { panic!("{location}") };
        let environment = variables.iter().copied().collect();
        let opened = Bucket::open(&location, &Context { environment, ..Context::default() });
        opened.map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn each_store_is_opened_with_its_variables() {
        let aws = [("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_UNKNOWN", "x")];
        assert_eq!(open("s3://bucket/a", &aws), Ok(()));
        assert_eq!(open("gs://bucket/a", &[("GOOGLE_SKIP_SIGNATURE", "true")]), Ok(()));
        let azure = [("AZURE_STORAGE_ACCOUNT_NAME", "account"), ("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0")];
        assert_eq!(open("az://container/a", &azure), Ok(()));
        assert_eq!(open("https://account.blob.core.windows.net/container/a?sv=1&sig=s", &[]), Ok(()));
    }

    #[test]
    fn a_missing_setting_is_named_and_no_secret_is_shown() {
        let error = open("az://container/a", &[]).unwrap_err();
        assert!(error.contains("AZURE_STORAGE_ACCOUNT_NAME"), "{error}");
        let error = open(
            "az://container/a",
            &[("AZURE_STORAGE_ACCOUNT_NAME", "a"), ("AZURE_STORAGE_ACCOUNT_KEY", "top secret")],
        );
        assert!(!error.clone().unwrap_err().contains("top secret"), "{error:?}");
    }
}
