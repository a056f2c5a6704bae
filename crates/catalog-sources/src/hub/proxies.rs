//! Proxies between this machine and the hubs: the usual variables of the environment.

use std::fmt;

use model_registry_base::Environment;
use reqwest::{ClientBuilder, NoProxy, Proxy, Url};

/// The proxies of the environment. None by default.
#[derive(Clone, Default)]
pub struct Proxies {
    https: Option<Variable>,
    http: Option<Variable>,
    /// Hosts that are connected to directly.
    none_for: Option<String>,
}

/// The name and value of a variable.
type Variable = (&'static str, String);

impl Proxies {
    /// Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in upper or lower case. Empty values are like none.
    pub fn of(environment: &Environment) -> Self {
        let get = |name: &'static str| {
            let lower = name.to_lowercase();
            let values = [name, lower.as_str()].into_iter().filter_map(|name| environment.get(name));
            let value = values.map(str::trim).find(|value| !value.is_empty())?;
            Some((name, value.to_owned()))
        };
        let all = get("ALL_PROXY");
        Self {
            https: get("HTTPS_PROXY").or_else(|| all.clone()),
            http: get("HTTP_PROXY").or(all),
            none_for: get("NO_PROXY").map(|(_, hosts)| hosts),
        }
    }

    /// Sends the requests of a client through the proxies, except to this machine.
    pub(crate) fn apply(&self, client: ClientBuilder, base: &Url) -> Result<ClientBuilder, String> {
        // Otherwise the client would read the variables by itself.
        let mut client = client.no_proxy();
        if is_loopback(base) {
            return Ok(client);
        }
        let none_for = self.none_for.as_deref().and_then(NoProxy::from_string);
        for (variable, make) in
            [(&self.https, Proxy::https as fn(Url) -> reqwest::Result<Proxy>), (&self.http, Proxy::http)]
        {
            let Some((name, url)) = variable else { continue };
            // Without the value, which may have a password.
            let invalid = || format!("{name} is not the http URL of a proxy, such as http://proxy.example.com:3128");
            let url = parse(url).ok_or_else(invalid)?;
            let proxy = make(url).map_err(|_| invalid())?;
            client = client.proxy(proxy.no_proxy(none_for.clone()));
        }
        Ok(client)
    }

    /// Whether a host is that of a proxy.
    pub(super) fn has_host(&self, host: &str) -> bool {
        let urls = [&self.https, &self.http].into_iter().flatten().filter_map(|(_, url)| parse(url));
        let host = host.trim_end_matches('.');
        urls.into_iter().any(|url| url.host_str().is_some_and(|known| known.eq_ignore_ascii_case(host)))
    }
}

/// Proxies are often written without a scheme.
fn parse(proxy: &str) -> Option<Url> {
    let url: Url = if proxy.contains("://") { proxy.parse() } else { format!("http://{proxy}").parse() }.ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Without the values, which may have passwords.
impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies")
            .field("https", &self.https.is_some())
            .field("http", &self.http.is_some())
            .field("none_for", &self.none_for)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        let environment: Environment = variables.iter().copied().collect();
        Proxies::of(&environment)
    }

    #[test]
    fn variables_are_read_in_both_cases_and_debug_output_has_no_password() {
        let proxies = proxies(&[
            ("https_proxy", "http://me:secret@Proxy.Example:3128"),
            ("ALL_PROXY", "other:1"),
            ("NO_PROXY", ""),
        ]);
        assert!(proxies.has_host("proxy.example") && proxies.has_host("other") && !proxies.has_host("me"));
        assert_eq!(proxies.none_for, None);
        assert!(!format!("{proxies:?}").contains("secret"));
    }

    #[test]
    fn an_invalid_proxy_is_named_without_its_value_and_this_machine_needs_none() {
        let proxies = proxies(&[("HTTPS_PROXY", "http://me:secret@:x")]);
        let apply = |base: &str| proxies.apply(reqwest::Client::builder(), &base.parse().unwrap());
        let error = apply("https://hub.example").unwrap_err();
        assert!(
            error.starts_with("HTTPS_PROXY is not the http URL of a proxy") && !error.contains("secret"),
            "{error}"
        );
        assert!(apply("http://127.0.0.1:1").is_ok() && apply("http://[::1]:1").is_ok());
    }
}
