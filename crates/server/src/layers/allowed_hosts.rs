//! The host names under which a server may be addressed: protection against DNS rebinding.
//!
//! A page in a browser may let its own name resolve to the address of this server, and then calls the server as its own
//! origin. The browser sends the page's name as the host, so a server that accepts only its own names is safe. A host
//! that is an IP address involves no name resolution.
//!
//! Neither `X-Forwarded-Host` nor `Forwarded` is read: the host is that of the request line, of `:authority` (HTTP/2)
//! and of the header `Host`, and each of them has to be allowed.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use http::HeaderValue;
use http::header::HOST;

use crate::ApiError;

/// Maximum length of a host in a message, in characters.
const LONGEST_SHOWN: usize = 100;

/// The allowed hosts of requests.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts(Option<Names>);

#[derive(Clone, Debug)]
struct Names {
    /// The address of the listener; `None` if it listens on all addresses of the machine.
    address: Option<IpAddr>,
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Any,
    /// A name in lower case, without a final dot.
    Name(String),
    /// The end of a name, with its leading dot.
    Suffix(String),
    Address(IpAddr),
}

impl AllowedHosts {
    /// Allows every host.
    pub fn any() -> Self {
        Self(None)
    }

    /// Allows loopback names and addresses, the address of the listener (every IP address, if it listens on all of
    /// them), the name that it was given, and these names, each a name, an address, `*.suffix` or `*`.
    ///
    /// The error is the first name of another form.
    pub fn of_listener<'a>(
        address: SocketAddr,
        listen_name: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidHostName> {
        let ip = address.ip().to_canonical();
        let mut patterns = names.into_iter().map(pattern).collect::<Result<Vec<_>, _>>()?;
        // The name of the listening address, if it is one.
        patterns.extend(pattern(listen_name).ok());
        Ok(Self(Some(Names { address: (!ip.is_unspecified()).then_some(ip), patterns })))
    }

    /// Rejects a request for a host that is not allowed. A request without a host is not from a browser.
    pub(super) fn check(&self, request: &Request) -> Result<(), ApiError> {
        let Some(names) = &self.0 else { return Ok(()) };
        let authority = request.uri().authority().map(|authority| authority.as_str().as_bytes());
        let headers = request.headers().get_all(HOST).into_iter().map(HeaderValue::as_bytes);
        let rejected = authority.into_iter().chain(headers).find(|host| !names.allow(host));
        rejected.map_or(Ok(()), |host| Err(rejection(host)))
    }
}

impl Names {
    fn allow(&self, host: &[u8]) -> bool {
        std::str::from_utf8(host).ok().and_then(without_port).is_some_and(|host| match host.parse::<IpAddr>() {
            Ok(ip) => self.allow_address(ip.to_canonical()),
            Err(_) => self.allow_name(&host.to_ascii_lowercase()),
        })
    }

    fn allow_address(&self, ip: IpAddr) -> bool {
        let is_configured = |pattern: &Pattern| *pattern == Pattern::Any || *pattern == Pattern::Address(ip);
        ip.is_loopback() || self.address.is_none_or(|address| address == ip) || self.patterns.iter().any(is_configured)
    }

    fn allow_name(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name);
        // Browsers resolve `localhost` and its subdomains to the loopback address (RFC 6761).
        name == "localhost"
            || name.ends_with(".localhost")
            || self.patterns.iter().any(|pattern| match pattern {
                Pattern::Any => true,
                Pattern::Name(allowed) => name == allowed,
                Pattern::Suffix(suffix) => name.len() > suffix.len() && name.ends_with(suffix),
                Pattern::Address(_) => false,
            })
    }
}

/// The name or address of `host`, `host:port`, `[address]` or `[address]:port`; `None` for any other form.
fn without_port(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').and_then(|(address, port)| match port {
            "" => Some((address, "")),
            port => Some((address, port.strip_prefix(':')?)),
        })?,
        None => host.split_once(':').unwrap_or((host, "")),
    };
    // An IPv6 address may have a zone.
    let name = if host.starts_with('[') { name.split('%').next()? } else { name };
    (!name.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

fn rejection(host: &[u8]) -> ApiError {
    let host: String = String::from_utf8_lossy(host).chars().take(LONGEST_SHOWN).collect();
    tracing::info!(host, "rejected: the host is not one of this server");
    ApiError::Forbidden(format!(
        "the host `{host}` of the request is not one of this server: use a loopback name or the address that the server \
         listens on, or start the server with --allowed-hosts (MR_ALLOWED_HOSTS)"
    ))
}

/// A name that is neither a host name, an address, `*.suffix` nor `*`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a host name: write `registry.example.org`, `*.example.org` or `*`, without scheme, port and path"
)]
pub struct InvalidHostName(String);

fn pattern(name: &str) -> Result<Pattern, InvalidHostName> {
    let name = name.trim();
    if let Ok(ip) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(Pattern::Address(ip.to_canonical()));
    }
    let lower = name.to_ascii_lowercase();
    let lower = lower.strip_suffix('.').unwrap_or(&lower);
    let is_name = |name: &str| {
        let is_label = |label: &str| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        name.split('.').all(is_label)
    };
    match lower.strip_prefix("*.") {
        _ if name == "*" => Ok(Pattern::Any),
        Some(suffix) if is_name(suffix) => Ok(Pattern::Suffix(format!(".{suffix}"))),
        None if is_name(lower) => Ok(Pattern::Name(lower.to_owned())),
        _ => Err(InvalidHostName(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn hosts(address: &str, names: &[&str]) -> AllowedHosts {
        AllowedHosts::of_listener(address.parse().unwrap(), "", names.iter().copied()).unwrap()
    }

    fn is_allowed(hosts: &AllowedHosts, host: &str) -> bool {
        hosts.check(&Request::get("/x").header(HOST, host).body(Body::empty()).unwrap()).is_ok()
    }

    #[test]
    fn a_loopback_listener_accepts_loopback_names_in_every_spelling_and_no_other() {
        let hosts = hosts("127.0.0.1:8080", &[]);
        for host in [
            "localhost",
            "LocalHost:8080",
            "localhost.",
            "localhost.:1",
            "app.localhost",
            "127.0.0.1",
            "127.0.0.1:9",
            "127.1.2.3",
            "[::1]",
            "[::1]:8080",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_allowed(&hosts, host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "evillocalhost",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "0.0.0.0:8080",
            "[fe80::1]:8080",
            "user@localhost",
            "localhost:x",
            "[::1",
            "[::1]x",
            ":8080",
            "",
            "http://localhost",
            "127.0.0.1:8080:1",
            "model-registry.kubeflow.svc",
        ] {
            assert!(!is_allowed(&hosts, host), "{host}");
        }
    }

    #[test]
    fn a_listener_on_all_addresses_accepts_every_address_but_no_name() {
        for address in ["0.0.0.0:8080", "[::]:8080"] {
            let hosts = hosts(address, &[]);
            for host in ["10.1.2.3:8080", "192.168.0.1", "[2001:db8::1]:8080", "[fe80::1%25eth0]", "localhost"] {
                assert!(is_allowed(&hosts, host), "{host}");
            }
            assert!(!is_allowed(&hosts, "registry.example.org"));
        }
        let one = hosts("10.1.2.3:8080", &[]);
        assert!(is_allowed(&one, "10.1.2.3:80") && is_allowed(&one, "localhost") && !is_allowed(&one, "10.1.2.4"));
    }

    #[test]
    fn configured_names_are_accepted_exactly_or_by_suffix() {
        let hosts = hosts("127.0.0.1:8080", &["Registry.example.org.", "*.svc.cluster.local"]);
        for host in ["registry.example.org", "REGISTRY.example.org.:443", "mr.kubeflow.svc.cluster.local:8080"] {
            assert!(is_allowed(&hosts, host), "{host}");
        }
        for host in
            ["x.registry.example.org", "example.org", "svc.cluster.local", ".svc.cluster.local", "xsvc.cluster.local"]
        {
            assert!(!is_allowed(&hosts, host), "{host}");
        }
        assert!(is_allowed(&super::AllowedHosts::any(), "evil.example"));
        let any = AllowedHosts::of_listener("127.0.0.1:1".parse().unwrap(), "", ["*"]).unwrap();
        assert!(is_allowed(&any, "evil.example") && is_allowed(&any, "10.0.0.1"));
        let address =
            AllowedHosts::of_listener("127.0.0.1:1".parse().unwrap(), "", ["10.0.0.1", "[2001:db8::1]"]).unwrap();
        assert!(is_allowed(&address, "10.0.0.1:80") && is_allowed(&address, "[2001:db8:0::1]"));
        assert!(!is_allowed(&address, "10.0.0.2"));
        let named = AllowedHosts::of_listener("10.0.0.1:1".parse().unwrap(), "registry.lan", []).unwrap();
        assert!(is_allowed(&named, "registry.lan:8080"));
    }

    #[test]
    fn a_name_with_scheme_port_or_path_is_rejected() {
        for name in
            ["https://a.example", "a.example:8080", "a.example/x", "", "*.", "a.*.example", "10.0.0.1:80", "a..b"]
        {
            let result = AllowedHosts::of_listener("127.0.0.1:1".parse().unwrap(), "", [name]);
            assert_eq!(result.err(), Some(InvalidHostName(name.to_owned())));
        }
    }

    #[test]
    fn every_place_of_the_host_is_checked_and_forwarding_headers_are_not_read() {
        let hosts = hosts("127.0.0.1:8080", &[]);
        let check = |uri: &str, headers: &[(&str, &str)]| {
            let mut request = Request::get(uri);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            hosts.check(&request.body(Body::empty()).unwrap()).map_err(|error| error.to_string())
        };
        assert_eq!(check("/x", &[]), Ok(()));
        assert_eq!(check("http://localhost:8080/x", &[("host", "127.0.0.1")]), Ok(()));
        assert!(check("http://evil.example/x", &[("host", "localhost")]).is_err());
        assert!(check("http://localhost/x", &[("host", "evil.example")]).is_err());
        assert!(check("/x", &[("host", "localhost"), ("host", "evil.example")]).is_err());
        assert!(check("/x", &[("host", "evil.example"), ("x-forwarded-host", "localhost")]).is_err());
        let error = check("/x", &[("host", "evil.example")]).unwrap_err();
        assert!(error.contains("`evil.example`") && error.contains("--allowed-hosts (MR_ALLOWED_HOSTS)"), "{error}");
    }
}
