//! The texts of locations.

use std::path::PathBuf;
use std::str::FromStr;

use model_registry_base::nearest_by_edits;
use model_registry_oci::{InvalidReference, SCHEME};
use percent_encoding::percent_decode_str;
use url::Url;

use super::objects::Service;
use super::scheme::forms;
use super::{FileLocation, HubLocation, Location, ObjectLocation, RegisteredLocation, SCHEMES, Scheme, Store};
use crate::endpoint::Result;
use crate::error::TransferError;
use crate::relative_path::RelativePath;

const AZURE_BLOBS: &str = ".blob.core.windows.net";
const AZURE_FILES: &str = ".dfs.core.windows.net";

impl FromStr for Location {
    type Err = TransferError;

    fn from_str(text: &str) -> Result<Self> {
        parse(text)
    }
}

impl Location {
    /// Parses the location of a destination.
    pub fn destination(text: &str) -> Result<Self> {
        let location: Self = text.parse()?;
        let is_destination = location.scheme().spec().is_none_or(super::SchemeSpec::is_destination);
        if is_destination {
            return Ok(location);
        }
        Err(TransferError::invalid(format!("nothing can be written to {location}: use one of {}", forms(true))))
    }
}

fn parse(text: &str) -> Result<Location> {
    if text.is_empty() {
        return Err(TransferError::invalid("the location is empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(TransferError::invalid("the location contains a control character"));
    }
    let Some((scheme, rest)) = text.split_once("://") else { return path(text) };
    let scheme = scheme.to_ascii_lowercase();
    let found = SCHEMES.iter().find(|spec| spec.prefixes.contains(&scheme.as_str()));
    match found.map(|spec| spec.scheme) {
        Some(Scheme::S3) => s3(rest),
        Some(Scheme::Google) => objects(Store::Google, rest, Service::default()),
        Some(Scheme::Azure) => azure(&scheme, rest),
        Some(Scheme::Web) => web(text),
        Some(Scheme::Hub) => hub(rest),
        Some(Scheme::File) => file(text),
        Some(Scheme::Image) => image(rest),
        Some(Scheme::Registered) => registered(rest),
        None => Err(unknown(&scheme)),
    }
}

fn unknown(scheme: &str) -> TransferError {
    if scheme == "pvc" {
        return TransferError::invalid(
            "the scheme `pvc` is only known to a cluster: mount the volume and use the path of the mounted directory",
        );
    }
    let known = SCHEMES.iter().flat_map(|spec| spec.prefixes).copied();
    let hint = nearest_by_edits(scheme, known, 2).map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
    TransferError::invalid(format!("unknown scheme `{scheme}`{hint}: the locations are {}", forms(false)))
}

/// A path of this machine. `s3:/bucket` is a mistake, not a file.
fn path(text: &str) -> Result<Location> {
    if let Some((before, after)) = text.split_once(':')
        && SCHEMES.iter().any(|spec| spec.prefixes.contains(&before.to_ascii_lowercase().as_str()))
    {
        let rest = after.trim_start_matches('/');
        return Err(TransferError::invalid(format!(
            "`{before}:` is not followed by `//`: write {before}://{rest}, or ./{before}:… for a file of this name"
        )));
    }
    if text == "-" {
        return Err(TransferError::invalid("`-` is not a location: standard input and output are not supported"));
    }
    let is_directory = text.ends_with('/') || matches!(text.rsplit('/').next(), Some("." | ".."));
    Ok(Location::File(FileLocation { path: PathBuf::from(text), is_directory }))
}

fn file(text: &str) -> Result<Location> {
    let url = Url::parse(text).map_err(|error| TransferError::invalid(format!("invalid URL of a file: {error}")))?;
    let path = url.to_file_path().map_err(|()| {
        TransferError::invalid("a file URL has the form file:///PATH, with an absolute path on this machine")
    })?;
    Ok(Location::File(FileLocation { path, is_directory: text.ends_with('/') }))
}

fn s3(rest: &str) -> Result<Location> {
    let mut service = Service::default();
    let (place, query) = match rest.split_once('?') {
        Some((place, query)) if is_service_query(query) => (place, query),
        // A question mark may be part of a key.
        _ => (rest, ""),
    };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = Some(percent_decode_str(value).decode_utf8_lossy().into_owned()).filter(|value| !value.is_empty());
        match name {
            "endpoint" => service.endpoint = value,
            _ => service.region = value,
        }
    }
    objects(Store::S3, place, service)
}

/// The query that the Python client appends to the URI of an artifact.
fn is_service_query(query: &str) -> bool {
    let names: Vec<&str> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    names.iter().all(|name| matches!(*name, "endpoint" | "defaultRegion"))
}

fn azure(scheme: &str, rest: &str) -> Result<Location> {
    // abfss://container@account.dfs.core.windows.net/path
    let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
    match place.split_once('@') {
        Some((container, host)) => {
            let host = host.to_ascii_lowercase();
            let account =
                host.strip_suffix(AZURE_FILES).or_else(|| host.strip_suffix(AZURE_BLOBS)).ok_or_else(|| {
                    TransferError::invalid(format!(
                        "the host of a location with `@` has the form ACCOUNT{AZURE_FILES}: {scheme}://{place}"
                    ))
                })?;
            let service = Service { account: Some(account.to_owned()), ..Service::default() };
            objects(Store::Azure, &format!("{container}/{path}"), service)
        }
        None => objects(Store::Azure, rest, Service::default()),
    }
}

fn objects(store: Store, rest: &str, service: Service) -> Result<Location> {
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    let name = match store {
        Store::Azure => "container",
        Store::S3 | Store::Google => "bucket",
    };
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || "-._$".contains(character);
    if bucket.is_empty() || !bucket.chars().all(is_allowed) {
        let problem = if bucket.is_empty() { "has no name of" } else { "has an invalid name of" };
        return Err(TransferError::invalid(format!(
            "the location {problem} a {name}: letters, digits, `-`, `.` and `_` before the first `/`"
        )));
    }
    let is_prefix = key.ends_with('/') || key.is_empty();
    let key = key.strip_suffix('/').unwrap_or(key);
    if !key.is_empty() {
        RelativePath::parse(key)
            .map_err(|problem| TransferError::invalid(format!("the key `{key}` is refused: {problem}")))?;
    }
    Ok(Location::Objects(ObjectLocation { store, bucket: bucket.to_owned(), key: key.to_owned(), is_prefix, service }))
}

fn web(text: &str) -> Result<Location> {
    let url = Url::parse(text).map_err(|error| TransferError::invalid(format!("invalid URL: {error}")))?;
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    let Some(account) = host.strip_suffix(AZURE_BLOBS).filter(|_| url.scheme() == "https") else {
        return Ok(Location::Web(url));
    };
    let path = percent_decode_str(url.path().trim_start_matches('/')).decode_utf8();
    let path = path.map_err(|_| TransferError::invalid("the path of the URL is not valid UTF-8"))?;
    let service =
        Service { account: Some(account.to_owned()), signature: url.query().map(str::to_owned), ..Service::default() };
    objects(Store::Azure, &path, service)
}

fn hub(rest: &str) -> Result<Location> {
    let form = "hf://ORGANIZATION/MODEL[:REVISION]";
    let (repository, revision) = match rest.split_once(':') {
        Some((repository, revision)) => (repository, Some(revision)),
        None => (rest, None),
    };
    let is_name = |name: &str| {
        let is_allowed = |character: char| character.is_ascii_alphanumeric() || "-._".contains(character);
        !name.is_empty() && name.chars().all(is_allowed) && name != "." && !name.contains("..")
    };
    let is_valid =
        repository.split_once('/').is_some_and(|(organization, name)| is_name(organization) && is_name(name));
    if !is_valid {
        return Err(TransferError::invalid(format!("`hf://{rest}` does not have the form {form}")));
    }
    if revision.is_some_and(|revision| RelativePath::parse(revision).is_err() || revision.contains(['?', '#'])) {
        return Err(TransferError::invalid(format!("the revision of `hf://{rest}` is empty or invalid: {form}")));
    }
    Ok(Location::Hub(HubLocation { repository: repository.to_owned(), revision: revision.map(str::to_owned) }))
}

fn image(rest: &str) -> Result<Location> {
    let reference = format!("{SCHEME}{rest}").parse();
    reference.map(Location::Image).map_err(|error: InvalidReference| TransferError::invalid(error.to_string()))
}

fn registered(rest: &str) -> Result<Location> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned).ok();
    let names: Option<Vec<String>> = rest.split('/').map(decoded).collect();
    let (model, version) = match names.as_deref() {
        Some([model]) => (model, None),
        Some([model, version]) => (model, Some(version)),
        _ => return Err(invalid_registered(rest)),
    };
    if model.is_empty() || version.is_some_and(String::is_empty) {
        return Err(invalid_registered(rest));
    }
    Ok(Location::Registered(RegisteredLocation { model: model.clone(), version: version.cloned() }))
}

fn invalid_registered(rest: &str) -> TransferError {
    TransferError::invalid(format!(
        "`model-registry://{rest}` does not have the form model-registry://MODEL[/VERSION]; a `/` in a name is written %2F"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Location {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn error(text: &str) -> String {
        text.parse::<Location>().expect_err(text).to_string()
    }

    fn objects_of(text: &str) -> ObjectLocation {
        match parsed(text) {
            Location::Objects(location) => location,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn each_scheme_has_its_form() {
        for (text, shown, scheme) in [
            ("s3://bucket/a/b", "s3://bucket/a/b", Scheme::S3),
            ("S3://bucket/a/", "s3://bucket/a/", Scheme::S3),
            ("s3://bucket", "s3://bucket/", Scheme::S3),
            ("gs://bucket/a b/c%20d", "gs://bucket/a b/c%20d", Scheme::Google),
            ("az://container/a", "az://container/a", Scheme::Azure),
            (
                "abfss://container@account.dfs.core.windows.net/a",
                "https://account.blob.core.windows.net/container/a",
                Scheme::Azure,
            ),
            (
                "https://account.blob.core.windows.net/container/a%20b?sv=1&sig=secret",
                "https://account.blob.core.windows.net/container/a b",
                Scheme::Azure,
            ),
            ("https://user:secret@host/a.tar.gz?X-Signature=secret", "https://host/a.tar.gz", Scheme::Web),
            ("http://host:8080/a", "http://host:8080/a", Scheme::Web),
            ("hf://org/model", "hf://org/model", Scheme::Hub),
            ("hf://org/model:refs/pr/1", "hf://org/model:refs/pr/1", Scheme::Hub),
            ("file:///a%20b/c", "/a b/c", Scheme::File),
            ("models/a", "models/a", Scheme::File),
            ("./s3:x", "./s3:x", Scheme::File),
            ("oci://host/repository:tag", "oci://host/repository:tag", Scheme::Image),
            ("model-registry://iris/v1", "model-registry://iris/v1", Scheme::Registered),
            ("model-registry://a%2Fb", "model-registry://a/b", Scheme::Registered),
        ] {
            let location = parsed(text);
            assert_eq!(location.to_string(), shown, "{text}");
            assert_eq!(location.scheme(), scheme, "{text}");
            assert!(!format!("{location:?}").contains("secret"), "{location:?}");
        }
    }

    #[test]
    fn the_query_of_the_python_client_is_not_part_of_the_key() {
        let location = objects_of("s3://bucket/a?endpoint=https%3A%2F%2Fminio&defaultRegion=eu");
        assert_eq!(location.key, "a");
        assert_eq!(location.service.endpoint.as_deref(), Some("https://minio"));
        assert_eq!(location.service.region.as_deref(), Some("eu"));
        assert_eq!(objects_of("s3://bucket/a?b=c").key, "a?b=c");
    }

    #[test]
    fn a_slash_at_the_end_makes_a_prefix() {
        assert!(objects_of("s3://bucket/a/").is_prefix && objects_of("s3://bucket").is_prefix);
        assert!(!objects_of("s3://bucket/a").is_prefix);
        for (text, expected) in [("a/", true), (".", true), ("..", true), ("a", false), ("a..", false)] {
            assert!(matches!(parsed(text), Location::File(file) if file.is_directory == expected), "{text}");
        }
    }

    #[test]
    fn each_mistake_has_a_message_that_says_what_to_write() {
        for (text, part) in [
            ("", "is empty"),
            ("-", "standard input"),
            ("s4://bucket/a", "did you mean `s3`?"),
            ("ftp://host/a", "the locations are s3://BUCKET/KEY, gs://"),
            ("pvc://volume/a", "mount the volume"),
            ("s3:/bucket/a", "write s3://bucket/a"),
            ("s3:///a", "has no name of a bucket"),
            ("s3://user@host/a", "invalid name of a bucket"),
            ("gs://bucket/../a", "`..`"),
            ("s3://bucket/a//b", "empty name"),
            ("hf://model", "hf://ORGANIZATION/MODEL[:REVISION]"),
            ("hf://a/b/c", "hf://ORGANIZATION/MODEL[:REVISION]"),
            ("hf://a/b:", "revision"),
            ("hf://a/..", "does not have the form"),
            ("file://host/a", "file:///PATH"),
            ("https://", "invalid URL"),
            ("abfs://a@host/b", "ACCOUNT.dfs.core.windows.net"),
            ("oci://", "oci://HOST"),
            ("model-registry://", "model-registry://MODEL"),
            ("model-registry://iris/", "model-registry://MODEL"),
            ("model-registry:///iris", "model-registry://MODEL"),
            ("model-registry://a/b/c", "%2F"),
            ("a\0b", "control character"),
        ] {
            assert!(error(text).contains(part), "{text:?}: {}", error(text));
        }
    }

    #[test]
    fn a_source_only_scheme_is_refused_as_a_destination() {
        let error = Location::destination("https://host/a?token=secret").unwrap_err().to_string();
        assert!(error.contains("s3://BUCKET/KEY") && !error.contains("hf://") && !error.contains("secret"), "{error}");
        assert!(Location::destination("gs://bucket/a").is_ok());
    }

    #[test]
    fn every_declared_form_is_accepted() {
        for spec in SCHEMES {
            let form = spec.form.replace("[:REVISION]", ":main").replace("[/VERSION]", "/v1");
            let form = form.replace("REPOSITORY:TAG", "repository:tag");
            assert_eq!(parsed(&form).scheme(), spec.scheme, "{form}");
        }
    }
}
