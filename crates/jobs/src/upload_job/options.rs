//! The options of the upload job: one declaration each, from which the flag, the variable and the help follow.

use std::collections::BTreeMap;

use model_registry_base::Environment;

/// The beginning of the variables.
const PREFIX: &str = "MODEL_SYNC_";

/// An option: `--name VALUE`, or the variable `MODEL_SYNC_NAME`.
#[derive(Clone, Copy, Debug)]
pub struct JobOption {
    pub name: &'static str,
    pub default: Option<&'static str>,
    pub help: &'static str,
    pub group: &'static str,
}

impl JobOption {
    /// `MODEL_SYNC_SOURCE_TYPE`
    pub fn variable(&self) -> String {
        variable(self.name)
    }
}

fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.to_ascii_uppercase().replace('-', "_"))
}

const fn option(group: &'static str, name: &'static str, help: &'static str) -> JobOption {
    JobOption { name, default: None, help, group }
}

const fn with_default(group: &'static str, name: &'static str, default: &'static str, help: &'static str) -> JobOption {
    JobOption { name, default: Some(default), help, group }
}

const SOURCE: &str = "Source";
const DESTINATION: &str = "Destination";
const INTENT: &str = "Intent";
const REGISTRY: &str = "Registry";
const SIGNING: &str = "Signing";
const OTHER: &str = "Other";

/// All options, in the order of the help.
pub const OPTIONS: &[JobOption] = &[
    with_default(SOURCE, "source-type", "s3", "s3, oci or uri"),
    option(
        SOURCE,
        "source-uri",
        "Location of the files, for the type uri: hf://, https://, gs://, az://, s3://, oci://, a path",
    ),
    option(SOURCE, "source-uri-credentials-path", "Directory with the file URI"),
    option(SOURCE, "source-aws-bucket", "Bucket"),
    option(SOURCE, "source-aws-key", "Key of an object, or the prefix of several"),
    option(SOURCE, "source-aws-region", "Region"),
    option(SOURCE, "source-aws-access-key-id", "Access key"),
    option(SOURCE, "source-aws-secret-access-key", "Secret of the access key"),
    option(SOURCE, "source-aws-endpoint", "URL of the store, if it is not Amazon's"),
    option(SOURCE, "source-s3-credentials-path", "Directory with files AWS_ACCESS_KEY_ID and so on"),
    option(SOURCE, "source-oci-uri", "Image, such as quay.io/org/model:1"),
    option(SOURCE, "source-oci-registry", "Key of the credentials of the registry, such as quay.io"),
    option(SOURCE, "source-oci-username", "User of the registry"),
    option(SOURCE, "source-oci-password", "Password of the user"),
    option(SOURCE, "source-oci-credentials-path", "File .dockerconfigjson"),
    with_default(
        SOURCE,
        "source-oci-enable-tls-verify",
        "true",
        "Whether TLS of the registry is required and verified",
    ),
    with_default(DESTINATION, "destination-type", "oci", "oci or s3"),
    option(DESTINATION, "destination-oci-uri", "Image to write, such as quay.io/org/model:1"),
    option(DESTINATION, "destination-oci-registry", "Key of the credentials of the registry, such as quay.io"),
    option(DESTINATION, "destination-oci-username", "User of the registry"),
    option(DESTINATION, "destination-oci-password", "Password of the user"),
    option(DESTINATION, "destination-oci-credentials-path", "File .dockerconfigjson, with an absolute path"),
    with_default(
        DESTINATION,
        "destination-oci-base-image",
        "public.ecr.aws/docker/library/busybox:latest",
        "Image that the files are added to; none if empty",
    ),
    with_default(
        DESTINATION,
        "destination-oci-enable-tls-verify",
        "true",
        "Whether TLS of the registries of the image and its base is required and verified",
    ),
    option(DESTINATION, "destination-aws-bucket", "Bucket"),
    option(DESTINATION, "destination-aws-key", "Prefix that the files are written below"),
    option(DESTINATION, "destination-aws-region", "Region"),
    option(DESTINATION, "destination-aws-access-key-id", "Access key"),
    option(DESTINATION, "destination-aws-secret-access-key", "Secret of the access key"),
    option(DESTINATION, "destination-aws-endpoint", "URL of the store, if it is not Amazon's"),
    option(DESTINATION, "destination-s3-credentials-path", "Directory with files AWS_ACCESS_KEY_ID and so on"),
    with_default(INTENT, "model-upload-intent", "update_artifact", "update_artifact, create_model or create_version"),
    option(INTENT, "model-id", "Id of the model; required for create_version"),
    option(INTENT, "model-version-id", "Id of the version, for the result"),
    option(INTENT, "model-artifact-id", "Id of the artifact; required for update_artifact"),
    option(
        INTENT,
        "metadata-configmap-path",
        "Directory of a mounted ConfigMap [default: /etc/model-metadata if it exists]",
    ),
    option(REGISTRY, "registry-server-address", "URL of the registry; with a port, it wins over --registry-port"),
    with_default(REGISTRY, "registry-port", "443", "Port of the registry"),
    with_default(
        REGISTRY,
        "registry-is-secure",
        "true",
        "Whether a token is required and the certificate of the registry verified",
    ),
    option(REGISTRY, "registry-author", "Author of created versions"),
    option(REGISTRY, "registry-user-token", "Bearer token"),
    option(REGISTRY, "registry-user-token-envvar", "Name of a variable with the path of a file with the token"),
    option(REGISTRY, "registry-custom-ca", "File with trusted certificates (PEM), in addition to the system's"),
    option(REGISTRY, "registry-custom-ca-envvar", "Name of a variable with the path of such a file"),
    with_default(REGISTRY, "registry-log-level", "30", "Level of messages about requests, as a number: 10, 20, 30, 40"),
    option(SIGNING, "sign", "Whether files and image are signed [default: if all SIGSTORE_… variables are set]"),
    option(
        SIGNING,
        "signing-identity-token-path",
        "File with the identity token [default: that of the service account]",
    ),
    with_default(SIGNING, "model-signer", "model_signing", "Program that signs the files"),
    with_default(SIGNING, "image-signer", "cosign", "Program that signs the image"),
    with_default(
        OTHER,
        "storage-path",
        "/tmp/model-sync",
        "Directory for the state of the transfer, and for files to sign",
    ),
    with_default(
        OTHER,
        "record-digest",
        "true",
        "Whether the artifact gets custom properties with the digest and size of the files",
    ),
];

/// The value of an option, with where it comes from, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    pub text: String,
    pub origin: String,
}

/// The values of all options that have one: arguments before variables before defaults. An empty one is a value.
#[derive(Clone, Debug, Default)]
pub struct Values(BTreeMap<&'static str, Value>);

impl Values {
    pub fn collect<'a>(argument: impl Fn(&'static str) -> Option<&'a str>, environment: &Environment) -> Self {
        let find = |option: &JobOption| {
            let variable = option.variable();
            if let Some(text) = argument(option.name) {
                return Some((text.to_owned(), format!("--{}", option.name)));
            }
            if environment.names().any(|name| name == variable) {
                return Some((environment.get(&variable).unwrap_or_default().to_owned(), variable));
            }
            option.default.map(|default| (default.to_owned(), option_name(option.name)))
        };
        let values = OPTIONS.iter().filter_map(|option| {
            let (text, origin) = find(option)?;
            Some((option.name, Value { text, origin }))
        });
        Self(values.collect())
    }

    /// The value of an option, if it has one that is not empty.
    pub fn get(&self, name: &'static str) -> Option<&str> {
        debug_assert!(OPTIONS.iter().any(|option| option.name == name), "{name}");
        self.0.get(name).map(|value| value.text.as_str()).filter(|text| !text.is_empty())
    }

    /// The value of an option, also an empty one.
    pub fn raw(&self, name: &'static str) -> Option<&Value> {
        debug_assert!(OPTIONS.iter().any(|option| option.name == name), "{name}");
        self.0.get(name)
    }

    /// Where the value of an option comes from, or where it could be set.
    pub fn origin(&self, name: &'static str) -> String {
        self.0.get(name).map_or_else(|| option_name(name), |value| value.origin.clone())
    }

    /// Sets a value that was found in a file.
    pub fn set(&mut self, name: &'static str, text: String, origin: String) {
        self.0.insert(name, Value { text, origin });
    }
}

/// `--source-type (MODEL_SYNC_SOURCE_TYPE)`
pub(super) fn option_name(name: &str) -> String {
    format!("--{name} ({})", variable(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_precede_variables_and_variables_precede_defaults() {
        let environment = [("MODEL_SYNC_SOURCE_TYPE", "uri"), ("MODEL_SYNC_REGISTRY_PORT", ""), ("OTHER", "x")];
        let environment: Environment = environment.into_iter().collect();
        let values = Values::collect(|name| (name == "source-type").then_some("oci"), &environment);
        assert_eq!(values.raw("source-type").unwrap().origin, "--source-type");
        assert_eq!(values.get("source-type"), Some("oci"));
        assert_eq!(Values::collect(|_| None, &environment).get("source-type"), Some("uri"));
        // Set, but empty.
        assert_eq!(values.raw("registry-port").unwrap().text, "");
        assert_eq!(values.get("registry-port"), None);
        assert_eq!(values.get("destination-type"), Some("oci"));
        assert_eq!(values.raw("source-uri"), None);
        assert_eq!(values.origin("source-uri"), "--source-uri (MODEL_SYNC_SOURCE_URI)");
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> = OPTIONS.iter().map(|option| option.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), OPTIONS.len());
    }
}
