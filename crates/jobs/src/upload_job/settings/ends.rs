//! Where the files come from and where they go.

use model_registry_base::Environment;
use model_registry_transfer::{ImageReference, Location};

use super::super::credentials::{self, End, ImageCredentials};
use super::super::mistakes::Mistakes;
use super::super::options::{Values, option_name};
use super::{boolean, choice};

/// Values of the option of the base image that mean none.
const NO_BASE: [&str; 3] = ["", "none", "scratch"];

/// The source of the files. Without `Debug`: the environment has secrets.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) location: Location,
    pub(crate) environment: Environment,
    pub(crate) images: ImageAccess,
}

/// How the images of one end are reached.
#[derive(Clone)]
pub(crate) struct ImageAccess {
    pub(crate) credentials: ImageCredentials,
    pub(crate) verifies_tls: bool,
}

/// The destination of the files.
#[derive(Clone)]
pub(crate) enum Destination {
    Image {
        reference: ImageReference,
        /// `oci://` and the reference as it was written: the URI of the artifact.
        uri: String,
        base: Option<ImageReference>,
        environment: Environment,
        images: ImageAccess,
    },
    Objects {
        location: Location,
        environment: Environment,
    },
}

pub(super) fn source(
    values: &mut Values,
    environment: &Environment,
    mistakes: &mut Mistakes,
    notes: &mut Vec<String>,
) -> Option<Source> {
    let kind = choice(values, "source-type", &["s3", "oci", "uri"], mistakes)?;
    let verifies_tls = boolean(values, "source-oci-enable-tls-verify", mistakes).unwrap_or(true);
    let docker_config = docker_config(environment);
    let unused = ImageAccess { credentials: ImageCredentials::default(), verifies_tls };
    match kind {
        "s3" => {
            let (location, environment) = objects(End::Source, values, environment, mistakes, notes)?;
            Some(Source { location, environment, images: unused })
        }
        "uri" => {
            credentials::apply_uri(values, mistakes);
            let Some(uri) = values.get("source-uri") else {
                mistakes.add(option_name("source-uri"), "URI must be set for URI type sources");
                return None;
            };
            let location = mistakes.take(&values.origin("source-uri"), uri.trim().parse::<Location>())?;
            let images = ImageAccess { credentials: of_variable(docker_config), verifies_tls };
            Some(Source { location, environment: environment.clone(), images })
        }
        _ => {
            let reference = reference(End::Source, values, mistakes);
            let repository = reference.as_ref().map(repository);
            let credentials = credentials::images(End::Source, values, docker_config, repository.as_deref(), mistakes);
            let images = ImageAccess { credentials, verifies_tls };
            Some(Source { location: Location::Image(reference?), environment: environment.clone(), images })
        }
    }
}

pub(super) fn destination(
    values: &mut Values,
    environment: &Environment,
    mistakes: &mut Mistakes,
    notes: &mut Vec<String>,
) -> Option<Destination> {
    let kind = choice(values, "destination-type", &["s3", "oci"], mistakes)?;
    let verifies_tls = boolean(values, "destination-oci-enable-tls-verify", mistakes).unwrap_or(true);
    if kind == "s3" {
        let (location, environment) = objects(End::Destination, values, environment, mistakes, notes)?;
        return Some(Destination::Objects { location, environment });
    }
    let reference = reference(End::Destination, values, mistakes);
    let repository = reference.as_ref().map(repository);
    let docker_config = docker_config(environment);
    let credentials = credentials::images(End::Destination, values, docker_config, repository.as_deref(), mistakes);
    let base = values.raw("destination-oci-base-image").filter(|base| !NO_BASE.contains(&base.text.trim())).cloned();
    let base = base.and_then(|base| mistakes.take(&base.origin, without_scheme(&base.text).parse::<ImageReference>()));
    let written = values.get("destination-oci-uri").map(without_scheme).unwrap_or_default();
    if written.contains('@') {
        mistakes.add(values.origin("destination-oci-uri"), "a digest cannot be chosen: write HOST/REPOSITORY:TAG");
    }
    Some(Destination::Image {
        reference: reference?,
        uri: format!("oci://{written}"),
        base,
        environment: environment.clone(),
        images: ImageAccess { credentials, verifies_tls },
    })
}

/// The variable with a docker configuration, which Kubernetes sets from a secret of that type.
fn docker_config(environment: &Environment) -> Option<&str> {
    environment.get(".dockerconfigjson")
}

fn of_variable(content: Option<&str>) -> ImageCredentials {
    ImageCredentials { file: None, content: content.map(str::to_owned) }
}

fn without_scheme(text: &str) -> &str {
    let text = text.trim();
    ["oci://", "docker://"].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text)
}

fn repository(reference: &ImageReference) -> String {
    format!("{}/{}", reference.registry(), reference.repository())
}

/// The image of one end. Its registry is required, as by the reference.
fn reference(end: End, values: &Values, mistakes: &mut Mistakes) -> Option<ImageReference> {
    let (uri, registry) = (end.option("oci-uri"), end.option("oci-registry"));
    for option in [uri, registry] {
        if values.get(option).is_none() {
            mistakes.add(option_name(option), "OCI registry and URI must be set");
        }
    }
    let text = without_scheme(values.get(uri)?);
    let parsed = text.parse::<ImageReference>();
    mistakes.take(&values.origin(uri), parsed)
}

/// A place in a bucket, and the environment with which it is reached: nothing of AWS in the environment of the process counts, so that
/// both ends may be different stores.
fn objects(
    end: End,
    values: &mut Values,
    environment: &Environment,
    mistakes: &mut Mistakes,
    notes: &mut Vec<String>,
) -> Option<(Location, Environment)> {
    notes.extend(credentials::apply_s3(end, values, mistakes));
    let required = ["aws-access-key-id", "aws-secret-access-key", "aws-bucket", "aws-key"];
    let mut is_complete = true;
    for name in required {
        if values.get(end.option(name)).is_none() {
            is_complete = false;
            let reason = "S3 credentials (access_key_id, secret_access_key), bucket, and key must be set";
            mistakes.add(option_name(end.option(name)), reason);
        }
    }
    let value = |name: &str| values.get(end.option(name)).map(str::trim);
    let endpoint = value("aws-endpoint");
    if let Some(endpoint) = endpoint {
        let url = url::Url::parse(endpoint);
        if !url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            let origin = values.origin(end.option("aws-endpoint"));
            mistakes.add(origin, "the endpoint is not a URL: write https://HOST[:PORT]");
            is_complete = false;
        }
    }
    if !is_complete {
        return None;
    }
    let (bucket, key) = (value("aws-bucket")?, value("aws-key")?.trim_start_matches('/'));
    // Files are written below the prefix, also a single one.
    let slash = if end == End::Destination && !key.ends_with('/') { "/" } else { "" };
    let location = format!("s3://{bucket}/{key}{slash}").parse::<Location>();
    let location = mistakes.take(&values.origin(end.option("aws-key")), location)?;
    let is_kept = |name: &str| !name.starts_with("AWS_") || name == "AWS_CA_BUNDLE";
    let inherited = environment.names().filter(|name| is_kept(name));
    let mut variables: Vec<(String, String)> =
        inherited.filter_map(|name| Some((name.to_owned(), environment.get(name)?.to_owned()))).collect();
    let mut set =
        |name: &str, value: Option<&str>| variables.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    set("AWS_ACCESS_KEY_ID", value("aws-access-key-id"));
    set("AWS_SECRET_ACCESS_KEY", value("aws-secret-access-key"));
    set("AWS_REGION", value("aws-region"));
    set("AWS_ENDPOINT_URL", endpoint);
    set("AWS_ALLOW_HTTP", endpoint.filter(|endpoint| endpoint.starts_with("http://")).map(|_| "true"));
    Some((location, variables.into_iter().collect()))
}
