//! References to images: `oci://host[:port]/repository[:tag|@digest]`.

use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;

/// The scheme of references in the registry and on the command line.
pub const SCHEME: &str = "oci://";

/// The registry of references without a host, and where its API is.
const DOCKER_HUB: &str = "docker.io";
const DOCKER_HUB_API: &str = "registry-1.docker.io";

const LONGEST_REPOSITORY: usize = 255;
const LONGEST_TAG: usize = 128;

/// A reference to an image, parsed once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageReference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a text is not a reference. The text itself may contain a password, so it is shown only where it cannot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
// Redaction would take a form with `:` before `@` for a URL with a password.
#[error("{what} is not the reference of an image, oci://HOST/REPOSITORY with a tag or a digest: {reason}")]
pub struct InvalidReference {
    what: String,
    reason: String,
}

impl ImageReference {
    /// The host and port as written; `docker.io` if there is none.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The host and port of the API.
    pub(crate) fn api_host(&self) -> &str {
        if self.registry == DOCKER_HUB || self.registry == "index.docker.io" { DOCKER_HUB_API } else { &self.registry }
    }

    pub fn repository(&self) -> &str {
        &self.repository
    }

    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The digest if there is one, else the tag, else `latest`: what a registry is asked for.
    pub(crate) fn manifest(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        }
    }

    /// The same repository with this digest and without a tag.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), tag: None, ..self.clone() }
    }
}

impl FromStr for ImageReference {
    type Err = InvalidReference;

    /// Parses a reference with or without `oci://`. Without a scheme, a name without a host is one of Docker Hub, as container
    /// tools read it: `busybox:latest` is `docker.io/library/busybox:latest`.
    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let rest = text.strip_prefix(SCHEME);
        let has_scheme = rest.is_some();
        let rest = rest.unwrap_or(text);
        let (name, digest) = match rest.split_once('@') {
            // What follows `@` is a digest, or what precedes it may be a password.
            Some((name, digest)) => match digest.parse::<Digest>() {
                Ok(digest) => (name, Some(digest)),
                Err(invalid) if digest.starts_with("sha") && !digest.contains('/') => {
                    return Err(invalid_reference("the text", &invalid.to_string()));
                }
                Err(_) => {
                    let reason = "it has an `@` that no digest follows; credentials do not belong into a reference";
                    return Err(invalid_reference("the text", reason));
                }
            },
            None => (rest, None),
        };
        let wrong = |reason: &str| invalid_reference(&format!("`{}`", shortened(text)), reason);
        if name.contains("://") {
            return Err(wrong("the scheme must be oci://"));
        }
        if name.contains(['?', '#']) {
            return Err(wrong("remove the query (`?`) or fragment (`#`)"));
        }
        let (host, path) = match name.split_once('/') {
            Some((first, path)) if has_scheme || first.contains(['.', ':']) || first == "localhost" => (first, path),
            _ if has_scheme => return Err(wrong("the repository is missing")),
            _ => (DOCKER_HUB, name),
        };
        let registry = host.to_ascii_lowercase();
        check_host(&registry).map_err(wrong)?;
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (path, None),
        };
        if let Some(tag) = tag {
            check_tag(tag).map_err(wrong)?;
        }
        check_repository(repository).map_err(wrong)?;
        let is_official = registry == DOCKER_HUB && !repository.contains('/');
        let repository = if is_official { format!("library/{repository}") } else { repository.to_owned() };
        Ok(Self { registry, repository, tag: tag.map(str::to_owned), digest })
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{SCHEME}{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

fn invalid_reference(what: &str, reason: &str) -> InvalidReference {
    InvalidReference { what: what.to_owned(), reason: reason.to_owned() }
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut shortened: String = text.chars().take(LONGEST).filter(|character| !character.is_control()).collect();
    if text.chars().count() > LONGEST {
        shortened.push('…');
    }
    shortened
}

fn check_host(host: &str) -> Result<(), &'static str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').ok_or("an IPv6 address ends with `]`")?;
            address.parse::<std::net::Ipv6Addr>().map_err(|_| "the text between `[` and `]` is not an IPv6 address")?;
            (None, port.strip_prefix(':'))
        }
        None => match host.split_once(':') {
            Some((name, port)) => (Some(name), Some(port)),
            None => (Some(host), None),
        },
    };
    if port.is_some_and(|port| port.parse::<u16>().map_or(true, |port| port == 0)) {
        return Err("the port is not a number from 1 to 65535");
    }
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    match name {
        Some(name) if !name.split('.').all(is_label) => Err("the host is not a host name"),
        _ => Ok(()),
    }
}

/// Path components of lower-case letters and digits, separated within by `.`, `_`, `__` or dashes.
fn check_repository(repository: &str) -> Result<(), &'static str> {
    if repository.is_empty() {
        return Err("the repository is missing");
    }
    if repository.len() > LONGEST_REPOSITORY {
        return Err("the repository is longer than 255 characters");
    }
    let is_component = |component: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        let bytes = component.as_bytes();
        let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        component.bytes().all(allowed)
            && is_end(bytes.first())
            && is_end(bytes.last())
            && !component.contains("..")
            && !component.contains("___")
    };
    if repository.split('/').all(is_component) {
        Ok(())
    } else {
        Err(
            "the repository has lower-case letters, digits, and between them `.`, `_` or `-`, in parts separated by `/`",
        )
    }
}

fn check_tag(tag: &str) -> Result<(), &'static str> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let is_first = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    if tag.len() <= LONGEST_TAG && tag.bytes().all(is_allowed) && tag.as_bytes().first().is_some_and(is_first) {
        Ok(())
    } else {
        Err("a tag has at most 128 letters, digits, `_`, `.` and `-`, and starts with a letter, a digit or `_`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ImageReference {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_reference_has_a_registry_a_repository_and_a_tag_or_a_digest() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, registry, repository, tag, has_digest) in [
            ("oci://quay.io/org/model:1.0", "quay.io", "org/model", Some("1.0"), false),
            ("oci://Quay.IO/model", "quay.io", "model", None, false),
            ("oci://host:5000/a/b/c:latest", "host:5000", "a/b/c", Some("latest"), false),
            ("oci://registry/model", "registry", "model", None, false),
            ("oci://[::1]:5000/model:v1", "[::1]:5000", "model", Some("v1"), false),
            ("oci://127.0.0.1:5000/m_1/x-y.z", "127.0.0.1:5000", "m_1/x-y.z", None, false),
            ("quay.io/org/model:1", "quay.io", "org/model", Some("1"), false),
            ("localhost/model", "localhost", "model", None, false),
            ("busybox:latest", "docker.io", "library/busybox", Some("latest"), false),
            ("bitnami/kubectl", "docker.io", "bitnami/kubectl", None, false),
            (&format!("oci://quay.io/org/model@{digest}"), "quay.io", "org/model", None, true),
            (&format!("oci://quay.io/org/model:1@{digest}"), "quay.io", "org/model", Some("1"), true),
        ] {
            let parsed = parse(text);
            assert_eq!((parsed.registry(), parsed.repository(), parsed.tag()), (registry, repository, tag), "{text}");
            assert_eq!(parsed.digest().is_some(), has_digest, "{text}");
            assert_eq!(parse(&parsed.to_string()), parsed, "{text}");
        }
        assert_eq!(parse("busybox").api_host(), "registry-1.docker.io");
        assert_eq!(parse("quay.io/a").manifest(), "latest");
        assert_eq!(parse(&format!("quay.io/a:1@{digest}")).manifest(), digest);
    }

    #[test]
    fn an_invalid_reference_is_refused_with_its_mistake() {
        for (text, reason) in [
            ("oci://quay.io", "the repository is missing"),
            ("oci://quay.io/", "the repository is missing"),
            ("oci:///model", "not a host name"),
            ("oci://quay.io/Org/model", "lower-case"),
            ("oci://quay.io/org//model", "lower-case"),
            ("oci://quay.io/../model", "lower-case"),
            ("oci://quay.io/model:", "a tag has"),
            ("oci://quay.io/model:a b", "a tag has"),
            ("oci://quay.io:0/model", "the port"),
            ("oci://quay.io:x/model", "the port"),
            ("oci://quay.io/model?x=1", "remove the query"),
            ("https://quay.io/model", "the scheme must be oci://"),
            ("oci://quay.io/model@sha256:12", "is not a digest"),
            ("oci://[::1/model", "IPv6"),
            ("", "the repository is missing"),
        ] {
            let error = text.parse::<ImageReference>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert!(format!("quay.io/{}", "a".repeat(256)).parse::<ImageReference>().is_err());
    }

    #[test]
    fn the_error_about_a_reference_with_credentials_does_not_show_them() {
        for text in ["oci://me:hunter2@quay.io/model", "me:hunter2@quay.io/model", "oci://quay.io/model:1@hunter2"] {
            let error = text.parse::<ImageReference>().unwrap_err().to_string();
            assert!(error.contains("credentials do not belong") && !error.contains("hunter2"), "{error}");
        }
    }
}
