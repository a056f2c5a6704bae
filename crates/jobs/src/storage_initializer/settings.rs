//! The variables of the storage initializer.

use std::path::PathBuf;

use model_registry_base::Environment;

use crate::prefixes::{self, AllowedPrefixes};
use crate::registry_uri::Defaults;

/// Settings, from the environment only: KServe passes two arguments.
#[derive(Clone, Debug)]
pub struct Settings {
    pub defaults: Defaults,
    pub prefixes: AllowedPrefixes,
    pub token: Option<String>,
    pub token_file: Option<PathBuf>,
    /// Hosts other than the default registry that may have the token; `*.domain` for all below a domain.
    pub token_hosts: Vec<String>,
    pub ca_file: Option<PathBuf>,
    /// The endpoint of S3 that the operator has set.
    pub endpoint: Option<String>,
}

impl Settings {
    /// Reads the variables; the error names the first that cannot be used.
    pub fn read(environment: &Environment) -> Result<Self, String> {
        let text = |name: &str| environment.get(name).map(str::to_owned);
        // The sample of the reference sets MR_BASE_URL, which the reference does not read.
        let named = ["MODEL_REGISTRY_BASE_URL", "MR_BASE_URL"];
        let (name, base) =
            named.iter().find_map(|name| Some((*name, environment.get(name)?))).unwrap_or((named[0], "localhost:8080"));
        let is_explicit = named.iter().any(|name| environment.get(name).is_some());
        let (scheme_of_base, host) = match base.split_once("://") {
            Some((scheme, host)) => (Some(scheme.to_ascii_lowercase()), host.trim_end_matches('/')),
            None => (None, base.trim_end_matches('/')),
        };
        if host.is_empty() || host.contains(['/', '@', '?', '#', ' ']) {
            return Err(format!(
                "{name}: write HOST[:PORT], such as model-registry-service.kubeflow.svc.cluster.local:8080"
            ));
        }
        let scheme = text("MODEL_REGISTRY_SCHEME").map(|scheme| scheme.to_ascii_lowercase());
        let scheme = scheme.or(scheme_of_base).unwrap_or_else(|| "http".to_owned());
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(format!("MODEL_REGISTRY_SCHEME: `{scheme}` is not http or https"));
        }
        let (token, token_file) = (text("MR_TOKEN"), text("MR_TOKEN_FILE").map(PathBuf::from));
        if token.is_some() && token_file.is_some() {
            return Err("MR_TOKEN and MR_TOKEN_FILE are both set: use one of them".to_owned());
        }
        let token_hosts = text("MR_TOKEN_HOSTS").unwrap_or_default();
        let token_hosts =
            token_hosts.split(',').map(str::trim).filter(|host| !host.is_empty()).map(str::to_owned).collect();
        Ok(Self {
            defaults: Defaults {
                scheme,
                host: host.to_owned(),
                is_explicit,
                service_name: text("MODEL_REGISTRY_SERVICE_NAME")
                    .unwrap_or_else(|| "model-registry-service".to_owned()),
                cluster_domain: text("MODEL_REGISTRY_CLUSTER_DOMAIN").unwrap_or_else(|| "svc.cluster.local".to_owned()),
            },
            prefixes: AllowedPrefixes::parse(environment.get(prefixes::VARIABLE)).map_err(|error| error.to_string())?,
            token,
            token_file,
            token_hosts,
            ca_file: text("MR_CA_FILE").map(PathBuf::from),
            endpoint: text("AWS_ENDPOINT_URL"),
        })
    }

    /// Whether the token may be sent to a host (`host[:port]`). Everyone who may start a pod chooses the host in a location, so that
    /// a host gets the token only if the operator has named it.
    pub(super) fn trusts(&self, host: &str) -> bool {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        host == self.defaults.host
            || self.token_hosts.iter().any(|trusted| match trusted.strip_prefix("*.") {
                Some(domain) => name.strip_suffix(domain).is_some_and(|front| front.len() > 1 && front.ends_with('.')),
                None => trusted == host || trusted == name,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::read(&variables.iter().copied().collect())
    }

    #[test]
    fn the_default_registry_is_a_host_with_a_scheme() {
        for (variables, expected) in [
            (vec![], "http localhost:8080 false"),
            (vec![("MODEL_REGISTRY_BASE_URL", "registry:80")], "http registry:80 true"),
            (vec![("MR_BASE_URL", "registry:80")], "http registry:80 true"),
            (vec![("MODEL_REGISTRY_BASE_URL", "registry"), ("MODEL_REGISTRY_SCHEME", "HTTPS")], "https registry true"),
            (vec![("MODEL_REGISTRY_BASE_URL", "https://registry/")], "https registry true"),
        ] {
            let Defaults { scheme, host, is_explicit, .. } = read(&variables).unwrap().defaults;
            assert_eq!(format!("{scheme} {host} {is_explicit}"), expected, "{variables:?}");
        }
    }

    #[test]
    fn a_variable_that_cannot_be_used_is_named() {
        for (variables, name) in [
            (vec![("MODEL_REGISTRY_BASE_URL", "http://user@registry")], "MODEL_REGISTRY_BASE_URL"),
            (vec![("MODEL_REGISTRY_BASE_URL", "registry/path")], "MODEL_REGISTRY_BASE_URL"),
            (vec![("MODEL_REGISTRY_SCHEME", "ftp")], "MODEL_REGISTRY_SCHEME"),
            (vec![("ALLOWED_ARTIFACT_URI_PREFIXES", " , ")], "ALLOWED_ARTIFACT_URI_PREFIXES"),
            (vec![("MR_TOKEN", "a"), ("MR_TOKEN_FILE", "/b")], "MR_TOKEN"),
        ] {
            let error = read(&variables).unwrap_err();
            assert!(error.starts_with(name), "{error}");
        }
    }

    #[test]
    fn only_named_hosts_get_the_token() {
        let settings =
            read(&[("MODEL_REGISTRY_BASE_URL", "registry:80"), ("MR_TOKEN_HOSTS", "other:81, *.team.svc")]).unwrap();
        for (host, expected) in [
            ("registry:80", true),
            ("registry:81", false),
            ("other:81", true),
            ("a.team.svc:8080", true),
            ("team.svc:8080", false),
            ("evilteam.svc", false),
            ("a.team.svc.evil.org", false),
        ] {
            assert_eq!(settings.trusts(host), expected, "{host}");
        }
    }
}
