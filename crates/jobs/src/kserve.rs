//! The credentials that KServe gives to a storage initializer, as the variables that the clouds' own tools use.
//!
//! KServe sets variables from the secrets of the service account and their annotations, mounts files, and passes the entry of a
//! `storage-config` secret as JSON in `STORAGE_CONFIG`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model_registry_base::Environment;
use model_registry_transfer::{Location, Store};
use serde_json::{Map, Value};
use url::Url;

/// Variables with other names than the tools use, with those.
const OTHER_NAMES: [(&str, &str); 10] = [
    ("AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_ACCOUNT_KEY"),
    ("AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"),
    ("AZ_TENANT_ID", "AZURE_TENANT_ID"),
    ("AZ_CLIENT_ID", "AZURE_CLIENT_ID"),
    ("AZ_CLIENT_SECRET", "AZURE_CLIENT_SECRET"),
    ("HUGGING_FACE_HUB_TOKEN", "HF_TOKEN"),
    ("AWS_DEFAULT_REGION", "AWS_REGION"),
    ("awsAccessKeyID", "AWS_ACCESS_KEY_ID"),
    ("awsSecretAccessKey", "AWS_SECRET_ACCESS_KEY"),
    ("AWS_S3_ENDPOINT", "AWS_ENDPOINT_URL"),
];

/// The variables of the entry of a storage secret.
const CONFIG_NAMES: [(&str, &str); 8] = [
    ("access_key_id", "AWS_ACCESS_KEY_ID"),
    ("secret_access_key", "AWS_SECRET_ACCESS_KEY"),
    ("session_token", "AWS_SESSION_TOKEN"),
    ("endpoint_url", "AWS_ENDPOINT_URL"),
    ("default_region", "AWS_REGION"),
    ("region", "AWS_REGION"),
    ("anonymous", ANONYMOUS),
    ("verify_ssl", VERIFY),
];

const ANONYMOUS: &str = "awsAnonymousCredential";
const VERIFY: &str = "S3_VERIFY_SSL";
const VIRTUAL: &str = "S3_USER_VIRTUAL_BUCKET";
const ACCELERATE: &str = "S3_USE_ACCELERATE";
const ENDPOINT: &str = "AWS_ENDPOINT_URL";
const STORAGE_CONFIG: &str = "STORAGE_CONFIG";
const STORAGE_OVERRIDE: &str = "STORAGE_OVERRIDE_CONFIG";

/// The environment of a transfer.
#[derive(Clone, Debug)]
pub(crate) struct Mapped {
    pub(crate) environment: Environment,
    /// Whether KServe was set up not to verify certificates of the store.
    pub(crate) is_unverified: bool,
}

/// Maps the variables of KServe for a transfer from a location. The error names the variable.
pub(crate) fn map(process: &Environment, location: &Location) -> Result<Mapped, String> {
    let mut variables: BTreeMap<String, String> =
        process.names().filter_map(|name| Some((name.to_owned(), process.get(name)?.to_owned()))).collect();
    for name in [STORAGE_CONFIG, STORAGE_OVERRIDE] {
        if let Some(text) = process.get(name) {
            apply_storage_config(&mut variables, name, text)?;
        }
    }
    for (kserve, usual) in OTHER_NAMES {
        if let Some(value) = variables.get(kserve).cloned() {
            variables.entry(usual.to_owned()).or_insert(value);
        }
    }
    let mut is_unverified = false;
    if let Location::Objects(objects) = location
        && objects.store == Store::S3
    {
        is_unverified = is(&variables, VERIFY) == Some(false);
        map_s3(&mut variables, &objects.bucket)?;
    }
    Ok(Mapped { environment: variables.into_iter().collect(), is_unverified })
}

fn map_s3(variables: &mut BTreeMap<String, String>, bucket: &str) -> Result<(), String> {
    if let Some(host) = variables.get("S3_ENDPOINT").filter(|_| !variables.contains_key(ENDPOINT)).cloned() {
        let scheme = if is(variables, "S3_USE_HTTPS") == Some(false) { "http" } else { "https" };
        let url = if host.contains("://") { host } else { format!("{scheme}://{host}") };
        variables.insert(ENDPOINT.to_owned(), url);
    }
    // A host without a scheme has TLS unless KServe says otherwise.
    if let Some(host) = variables.get(ENDPOINT).filter(|endpoint| !endpoint.contains("://")) {
        let scheme = if is(variables, "S3_USE_HTTPS") == Some(false) { "http" } else { "https" };
        let url = format!("{scheme}://{host}");
        variables.insert(ENDPOINT.to_owned(), url);
    }
    if is(variables, ANONYMOUS) == Some(true) {
        variables.insert("AWS_SKIP_SIGNATURE".to_owned(), "true".to_owned());
    }
    let has_own_endpoint = variables.contains_key(ENDPOINT);
    if is(variables, ACCELERATE) == Some(true) && !has_own_endpoint {
        variables.insert(ENDPOINT.to_owned(), "https://s3-accelerate.amazonaws.com".to_owned());
        variables.insert(VIRTUAL.to_owned(), "true".to_owned());
    }
    if is(variables, VIRTUAL) == Some(true) {
        variables.insert("AWS_VIRTUAL_HOSTED_STYLE_REQUEST".to_owned(), "true".to_owned());
        if let Some(endpoint) = variables.get(ENDPOINT) {
            let with_bucket = with_bucket(endpoint, bucket).ok_or(format!("{ENDPOINT} is not the URL of a server"))?;
            variables.insert(ENDPOINT.to_owned(), with_bucket);
        }
    }
    // The operator has chosen plain HTTP with the endpoint.
    if variables.get(ENDPOINT).is_some_and(|endpoint| endpoint.starts_with("http://")) {
        variables.entry("AWS_ALLOW_HTTP".to_owned()).or_insert_with(|| "true".to_owned());
    }
    Ok(())
}

/// The endpoint of a bucket with its own host: `https://bucket.host`.
fn with_bucket(endpoint: &str, bucket: &str) -> Option<String> {
    let mut url = Url::parse(endpoint).ok()?;
    let host = format!("{bucket}.{}", url.host_str()?);
    url.set_host(Some(&host)).ok()?;
    Some(url.as_str().trim_end_matches('/').to_owned())
}

fn apply_storage_config(variables: &mut BTreeMap<String, String>, name: &str, text: &str) -> Result<(), String> {
    // Without the words of the parser, which quote values.
    let config: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| format!("{name} is not a JSON object, see line {} column {}", error.line(), error.column()))?;
    for (key, variable) in CONFIG_NAMES {
        let value = match config.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(flag)) => flag.to_string(),
            _ => continue,
        };
        if !value.is_empty() {
            variables.insert(variable.to_owned(), value);
        }
    }
    if let Some(Value::String(encoded)) = config.get("base64_service_account") {
        let decoded = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let key = decoded.ok_or(format!("{name}: `base64_service_account` is not base64"))?;
        variables.insert("GOOGLE_SERVICE_ACCOUNT_KEY".to_owned(), key);
    }
    Ok(())
}

/// Whether a store of Google is read without credentials: there are none, and this machine has no metadata server that issues some.
pub(crate) fn lacks_google_credentials(environment: &Environment) -> bool {
    let named = [
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_SERVICE_ACCOUNT",
        "GOOGLE_SERVICE_ACCOUNT_PATH",
        "GOOGLE_SERVICE_ACCOUNT_KEY",
        "GOOGLE_SKIP_SIGNATURE",
        "GCE_METADATA_HOST",
    ];
    named.iter().all(|name| environment.get(name).is_none())
}

/// A variable that is a yes or no; KServe writes `1`, `0`, `true` and `false`.
fn is(variables: &BTreeMap<String, String>, name: &str) -> Option<bool> {
    match variables.get(name)?.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" => Some(true),
        "0" | "false" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(location: &str, variables: &[(&str, &str)]) -> Mapped {
        map(&variables.iter().copied().collect(), &location.parse().unwrap()).unwrap()
    }

    fn assert_maps(location: &str, variables: &[(&str, &str)], expected: &[(&str, Option<&str>)]) {
        let mapped = mapped(location, variables);
        for (name, value) in expected {
            assert_eq!(mapped.environment.get(name), *value, "{name} of {variables:?}");
        }
    }

    #[test]
    fn an_endpoint_of_s3_is_taken_with_its_scheme() {
        let s3 = "s3://models/a";
        assert_maps(
            s3,
            &[("AWS_ENDPOINT_URL", "http://minio:9000"), ("AWS_DEFAULT_REGION", "eu")],
            &[("AWS_ALLOW_HTTP", Some("true")), ("AWS_REGION", Some("eu"))],
        );
        assert_maps(
            s3,
            &[("S3_ENDPOINT", "minio:9000"), ("S3_USE_HTTPS", "0")],
            &[("AWS_ENDPOINT_URL", Some("http://minio:9000")), ("AWS_ALLOW_HTTP", Some("true"))],
        );
        assert_maps(
            s3,
            &[("S3_ENDPOINT", "minio:9000")],
            &[("AWS_ENDPOINT_URL", Some("https://minio:9000")), ("AWS_ALLOW_HTTP", None)],
        );
        assert_maps(s3, &[("AWS_REGION", "us"), ("AWS_DEFAULT_REGION", "eu")], &[("AWS_REGION", Some("us"))]);
    }

    #[test]
    fn options_of_s3_are_taken_over() {
        let s3 = "s3://models/a";
        assert_maps(s3, &[("awsAnonymousCredential", "true")], &[("AWS_SKIP_SIGNATURE", Some("true"))]);
        assert_maps(s3, &[("awsAnonymousCredential", "false")], &[("AWS_SKIP_SIGNATURE", None)]);
        assert_maps(
            s3,
            &[("S3_USER_VIRTUAL_BUCKET", "true"), ("AWS_ENDPOINT_URL", "https://store.example")],
            &[
                ("AWS_ENDPOINT_URL", Some("https://models.store.example")),
                ("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", Some("true")),
            ],
        );
        assert_maps(
            s3,
            &[("S3_USE_ACCELERATE", "1")],
            &[("AWS_ENDPOINT_URL", Some("https://models.s3-accelerate.amazonaws.com"))],
        );
        assert!(mapped(s3, &[("S3_VERIFY_SSL", "0")]).is_unverified && !mapped(s3, &[]).is_unverified);
        assert!(!mapped("gs://models/a", &[("S3_VERIFY_SSL", "0")]).is_unverified);
    }

    #[test]
    fn other_names_of_variables_are_known() {
        assert_maps(
            "az://c/a",
            &[("AZURE_STORAGE_ACCESS_KEY", "key"), ("AZ_CLIENT_ID", "id")],
            &[("AZURE_STORAGE_ACCOUNT_KEY", Some("key")), ("AZURE_CLIENT_ID", Some("id"))],
        );
        assert_maps("hf://a/b", &[("HUGGING_FACE_HUB_TOKEN", "t")], &[("HF_TOKEN", Some("t"))]);
    }

    #[test]
    fn the_entry_of_a_storage_secret_wins_over_variables() {
        let config = r#"{"type":"s3","access_key_id":"a","secret_access_key":"b","endpoint_url":"http://minio","region":"eu","anonymous":"false"}"#;
        assert_maps(
            "s3://models/a",
            &[
                ("STORAGE_CONFIG", config),
                ("AWS_ACCESS_KEY_ID", "old"),
                ("STORAGE_OVERRIDE_CONFIG", r#"{"region":"us"}"#),
            ],
            &[
                ("AWS_ACCESS_KEY_ID", Some("a")),
                ("AWS_SECRET_ACCESS_KEY", Some("b")),
                ("AWS_ENDPOINT_URL", Some("http://minio")),
                ("AWS_REGION", Some("us")),
                ("AWS_ALLOW_HTTP", Some("true")),
            ],
        );
        assert_maps(
            "gs://models/a",
            &[("STORAGE_CONFIG", r#"{"type":"gs","base64_service_account":"e30="}"#)],
            &[("GOOGLE_SERVICE_ACCOUNT_KEY", Some("{}"))],
        );
        let wrong = [("STORAGE_CONFIG", "{\"secret_access_key\": hunter2}")].into_iter().collect();
        let error = map(&wrong, &"s3://models/a".parse().unwrap()).unwrap_err();
        assert!(error.starts_with("STORAGE_CONFIG is not a JSON object") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_public_bucket_of_google_needs_no_credentials() {
        assert!(lacks_google_credentials(&Environment::default()));
        let with = [("GOOGLE_APPLICATION_CREDENTIALS", "/var/secrets/key.json")].into_iter().collect();
        assert!(!lacks_google_credentials(&with));
    }
}
