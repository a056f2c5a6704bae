//! The grammar of `model-registry://`, and the registries that a location can mean.
//!
//! ```text
//! model-registry://MODEL[/VERSION][?namespace=NAMESPACE]
//! model-registry://HOST[:PORT]/MODEL[/VERSION]
//! ```
//!
//! Two parts are a model and its version, or a registry and a model: the default registry decides which, see [`RegistryUri::candidates`].

use model_registry_base::redact;
use percent_encoding::percent_decode_str;
use url::Url;

pub(crate) const PREFIX: &str = "model-registry://";
const FORM: &str =
    "invalid model registry URI, use like model-registry://{dnsName}/{registeredModelName}/{versionName}";

/// A location that cannot be used; nothing was requested.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{FORM}: {0}")]
pub struct InvalidUri(String);

impl InvalidUri {
    fn new(reason: impl AsRef<str>) -> Self {
        Self(redact(reason.as_ref()))
    }
}

/// A parsed `model-registry://` location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryUri {
    parts: Parts,
    namespace: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Parts {
    Model(String),
    Two(String, String),
    Three { registry: String, model: String, version: String },
}

/// The registry of locations without a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// `http` or `https`, for every registry.
    pub scheme: String,
    /// `host[:port]`
    pub host: String,
    /// Whether the host was set by someone.
    pub is_explicit: bool,
    /// Name of the service and domain of the cluster, for `?namespace=`.
    pub service_name: String,
    pub cluster_domain: String,
}

impl Defaults {
    /// The port of registries in other namespaces: that of the default registry.
    fn port(&self) -> u16 {
        let port = split_port(&self.host).1;
        port.and_then(|port| port.parse().ok()).unwrap_or(8080)
    }
}

/// One meaning of a location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// `host[:port]` of the registry.
    pub host: String,
    /// Where the host comes from.
    pub origin: Origin,
    pub model: String,
    /// Without it, the newest live version.
    pub version: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The registry that the operator has set.
    Default,
    /// The service in the namespace that the location names.
    Namespace,
    /// The location itself.
    Location,
}

impl RegistryUri {
    /// Whether a text is meant as such a location.
    pub fn is_one(text: &str) -> bool {
        text.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
    }

    pub fn parse(text: &str) -> Result<Self, InvalidUri> {
        if !Self::is_one(text) {
            return Err(InvalidUri::new(format!("it does not begin with {PREFIX}")));
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidUri::new("it contains a control character"));
        }
        let rest = &text[PREFIX.len()..];
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut parts = path.splitn(3, '/');
        let parts = match (parts.next(), parts.next(), parts.next()) {
            (Some(""), None, _) | (None, ..) => return Err(InvalidUri::new("the name of the model is empty")),
            (Some(""), ..) => return Err(InvalidUri::new("it begins with `/`: the first name is empty")),
            (Some(model), None, _) => Parts::Model(model.to_owned()),
            (Some(_), Some(""), _) => return Err(InvalidUri::new("the name after the first `/` is empty")),
            (Some(first), Some(second), None) => Parts::Two(first.to_owned(), second.to_owned()),
            (Some(_), Some(_), Some(version)) if version.is_empty() || version.ends_with('/') => {
                return Err(InvalidUri::new("it ends with `/`: the last name is empty"));
            }
            (Some(registry), Some(model), Some(version)) => {
                Parts::Three { registry: registry.to_owned(), model: model.to_owned(), version: version.to_owned() }
            }
        };
        Ok(Self { parts, namespace: namespace(query)? })
    }

    /// What the location can mean, in the order in which it is tried. There are two meanings only for two parts without a
    /// namespace: a model and a version of the default registry, or a registry and a model. The default registry comes first, so that
    /// a service that happens to have the name of a model is not taken for the registry.
    pub fn candidates(&self, defaults: &Defaults) -> Result<Vec<Candidate>, InvalidUri> {
        let (host, origin) = match &self.namespace {
            Some(namespace) => {
                let Defaults { service_name, cluster_domain, .. } = defaults;
                (format!("{service_name}.{namespace}.{cluster_domain}:{}", defaults.port()), Origin::Namespace)
            }
            None => (defaults.host.clone(), Origin::Default),
        };
        let is_default = |name: &str| *name == defaults.host || *name == host;
        let at = |host: &str, origin, model: &str, version: Option<&str>| Candidate {
            host: host.to_owned(),
            origin,
            model: model.to_owned(),
            version: version.map(str::to_owned),
        };
        Ok(match &self.parts {
            Parts::Model(model) => vec![at(&host, origin, model, None)],
            Parts::Two(first, model) if is_default(first) => vec![at(&host, origin, model, None)],
            Parts::Two(model, version) => {
                let mut candidates = vec![at(&host, origin, model, Some(version))];
                if self.namespace.is_none() && is_host(model) {
                    candidates.push(at(model, Origin::Location, version, None));
                }
                candidates
            }
            Parts::Three { registry, model, version } if is_default(registry) => {
                vec![at(&host, origin, model, Some(version))]
            }
            Parts::Three { registry, .. } if self.namespace.is_some() => {
                return Err(InvalidUri::new(format!(
                    "it names two registries: the host `{registry}`, and a namespace"
                )));
            }
            Parts::Three { registry, model, version } if is_host(registry) => {
                vec![at(registry, Origin::Location, model, Some(version))]
            }
            Parts::Three { registry, .. } => {
                return Err(InvalidUri::new(format!("`{registry}` is not the host of a registry (HOST[:PORT])")));
            }
        })
    }
}

/// Whether a name of two parts can only be a host: it has a port or a domain.
pub(crate) fn is_clearly_host(name: &str) -> bool {
    is_host(name) && (name.contains('.') || split_port(name).1.is_some())
}

/// The names that a part of a location can mean: as it is written, which is what the reference does, and percent-decoded.
pub(crate) fn readings(name: &str) -> Vec<String> {
    let decoded = percent_decode_str(name).decode_utf8().map(std::borrow::Cow::into_owned);
    let decoded = decoded.ok().filter(|decoded| decoded != name && !decoded.chars().any(char::is_control));
    std::iter::once(name.to_owned()).chain(decoded).collect()
}

fn namespace(query: &str) -> Result<Option<String>, InvalidUri> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("namespace="));
    let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(None) };
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    if value.chars().all(is_allowed) {
        return Ok(Some(value.to_owned()));
    }
    Err(InvalidUri::new(format!(
        "`{}` is not a namespace: letters, digits, `-` and `_`",
        value.chars().take(64).collect::<String>()
    )))
}

/// Whether a name is `host` or `host:port` and nothing else.
fn is_host(name: &str) -> bool {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || "-._:[]".contains(character);
    let url = name.chars().all(is_allowed).then(|| Url::parse(&format!("http://{name}/")).ok()).flatten();
    url.is_some_and(|url| url.path() == "/" && url.has_host() && split_port(name).1 != Some(""))
}

/// Host and port; no port within an address such as `[::1]`.
fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn defaults() -> Defaults {
        Defaults {
            scheme: "http".to_owned(),
            host: "localhost:8080".to_owned(),
            is_explicit: true,
            service_name: "model-registry-service".to_owned(),
            cluster_domain: "svc.cluster.local".to_owned(),
        }
    }

    fn meanings(uri: &str) -> Vec<String> {
        let candidates = RegistryUri::parse(uri).and_then(|uri| uri.candidates(&defaults()));
        let shown = |candidate: Candidate| {
            format!("{} {} {}", candidate.host, candidate.model, candidate.version.as_deref().unwrap_or("-"))
        };
        candidates.unwrap_or_else(|error| panic!("{uri}: {error}")).into_iter().map(shown).collect()
    }

    const TEAM: &str = "model-registry-service.profile-alpha.svc.cluster.local:8080";

    #[test]
    fn each_form_has_its_meaning() {
        for (rest, expected) in [
            ("iris", vec!["localhost:8080 iris -".to_owned()]),
            ("iris/v1", vec!["localhost:8080 iris v1".to_owned(), "iris v1 -".to_owned()]),
            ("localhost:8080/iris", vec!["localhost:8080 iris -".to_owned()]),
            ("localhost:8080/iris/v1", vec!["localhost:8080 iris v1".to_owned()]),
            ("iris?namespace=profile-alpha", vec![format!("{TEAM} iris -")]),
            ("iris/v1?namespace=profile-alpha", vec![format!("{TEAM} iris v1")]),
            ("localhost:8080/iris/v1?namespace=profile-alpha", vec![format!("{TEAM} iris v1")]),
            ("localhost:8080/iris?namespace=profile-alpha", vec![format!("{TEAM} iris -")]),
            ("registry.example:80/iris/v1", vec!["registry.example:80 iris v1".to_owned()]),
            ("registry.example:80/iris/v1/final", vec!["registry.example:80 iris v1/final".to_owned()]),
            (
                "registry.example/iris",
                vec!["localhost:8080 registry.example iris".to_owned(), "registry.example iris -".to_owned()],
            ),
            ("my model/v1", vec!["localhost:8080 my model v1".to_owned()]),
            ("iris?other=1&namespace=", vec!["localhost:8080 iris -".to_owned()]),
        ] {
            assert_eq!(meanings(&format!("{PREFIX}{rest}")), expected, "{rest}");
        }
        assert_eq!(meanings("MODEL-REGISTRY://iris"), ["localhost:8080 iris -"]);
    }

    #[test]
    fn a_malformed_location_is_refused_with_the_known_beginning_and_a_reason() {
        for (uri, reason) in [
            ("model-registry://", "the name of the model is empty"),
            ("model-registry://?namespace=x", "the name of the model is empty"),
            ("model-registry:///iris", "begins with `/`"),
            ("model-registry:///iris/v1", "begins with `/`"),
            ("model-registry://localhost:8080/", "after the first `/` is empty"),
            ("model-registry://iris/", "after the first `/` is empty"),
            ("model-registry://localhost:8080/iris/", "ends with `/`"),
            ("model-registry://h/iris/v1/", "ends with `/`"),
            ("model-registry://h//v1", "after the first `/` is empty"),
            ("model-registry://h/iris/v1?namespace=x", "two registries"),
            ("model-registry://user@h/iris/v1", "is not the host of a registry"),
            ("model-registry://h:port/iris/v1", "is not the host of a registry"),
            ("model-registry://iris?namespace=a.b", "is not a namespace"),
            ("model-registry://iris?namespace=a/b", "is not a namespace"),
            ("model-registry://ir\nis", "control character"),
            ("s3://bucket/a", "does not begin with"),
        ] {
            let parsed = RegistryUri::parse(uri).and_then(|uri| uri.candidates(&defaults()));
            let error = parsed.expect_err(uri).to_string();
            assert!(error.starts_with(FORM) && error.contains(reason), "{uri}: {error}");
        }
    }

    #[test]
    fn a_name_is_read_as_written_and_then_decoded() {
        assert_eq!(readings("iris"), ["iris"]);
        assert_eq!(readings("org%2Firis"), ["org%2Firis", "org/iris"]);
        assert_eq!(readings("100%"), ["100%"]);
        assert_eq!(readings("a%00b"), ["a%00b"]);
    }

    #[test]
    fn a_host_is_told_from_a_name() {
        assert!(is_clearly_host("registry.example") && is_clearly_host("iris:80") && is_clearly_host("[::1]:80"));
        assert!(!is_clearly_host("iris") && !is_clearly_host("iris:latest") && !is_clearly_host("my model.v1"));
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused_and_no_name_is_empty(rest in "[ -~]{0,40}") {
            let parsed = RegistryUri::parse(&format!("{PREFIX}{rest}")).and_then(|uri| uri.candidates(&defaults()));
            for candidate in parsed.into_iter().flatten() {
                prop_assert!(!candidate.model.is_empty() && !candidate.host.is_empty());
                prop_assert!(candidate.version.as_deref() != Some(""));
                prop_assert!(!candidate.host.contains(['/', '@', '?']));
            }
        }

        #[test]
        fn names_of_the_default_registry_come_back(model in "[a-zA-Z][a-zA-Z0-9 _-]{0,20}", version in "[a-z0-9.]{1,10}") {
            let uri = RegistryUri::parse(&format!("{PREFIX}{model}/{version}")).unwrap();
            let first = uri.candidates(&defaults()).unwrap().remove(0);
            prop_assert_eq!((first.model, first.version), (model, Some(version)));
        }
    }
}
