//! How servers are reached: which addresses are allowed, and which certificates are trusted.
//!
//! The rules are those of the caller. They are applied to every URL before its request, to every redirect, and to every address that
//! a host name resolves to, at the moment of the connection: a name that resolves to something else a moment later gains nothing.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use model_registry_base::{RefusedAddress, error_chain};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Certificate, ClientBuilder};
use url::{Host, Url};

use crate::endpoint::Result;
use crate::error::TransferError;

pub use model_registry_oci::UrlCheck;

/// Decides whether a server with this address may be connected; the error is the reason. Addresses of IPv4 that are written as IPv6
/// (`::ffff:10.0.0.1`) come as IPv4.
pub type AddressCheck = Arc<dyn Fn(IpAddr) -> std::result::Result<(), String> + Send + Sync>;

const MOST_REDIRECTS: usize = 10;

/// The servers from which the credentials of a machine come. Object stores are not redirected there, but their clients request
/// credentials there themselves.
const CREDENTIAL_HOSTS: [&str; 2] = ["metadata.google.internal", "metadata"];

/// How servers are reached. The default allows every address, and trusts the certificates that the system trusts.
///
/// The endpoint that the operator sets for an object store (`AWS_ENDPOINT_URL`) is not checked as a URL, the one within a location is.
/// Behind a proxy, the proxy resolves names: then only names and literal addresses are checked here.
#[derive(Clone, Default)]
pub struct Network {
    /// Decides about each URL.
    pub url_check: Option<UrlCheck>,
    /// Decides about each address.
    pub address_check: Option<AddressCheck>,
    /// Certificates (PEM) that are trusted in addition to those of the system.
    pub root_certificates: Vec<u8>,
    /// Whether certificates are not verified.
    pub is_unverified: bool,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Network").field("is_unverified", &self.is_unverified).finish_non_exhaustive()
    }
}

impl Network {
    /// Refuses a URL whose host is an address that is not allowed, or that the rules for URLs do not allow.
    pub(crate) fn check(&self, url: &Url) -> std::result::Result<(), RefusedAddress> {
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        };
        if let Some(address) = literal {
            self.check_address(address).map_err(|reason| RefusedAddress(format!("{address}: {reason}")))?;
        }
        self.url_check.as_ref().map_or(Ok(()), |check| check(url)).map_err(RefusedAddress)
    }

    fn check_address(&self, address: IpAddr) -> std::result::Result<(), String> {
        self.address_check.as_ref().map_or(Ok(()), |check| check(address.to_canonical()))
    }

    /// Both rules, as the library for registries of images takes them.
    pub(crate) fn all_checks(&self) -> Option<UrlCheck> {
        if self.url_check.is_none() && self.address_check.is_none() {
            return None;
        }
        let network = self.clone();
        Some(Arc::new(move |url| network.check(url).map_err(|refused| refused.0)))
    }

    /// Resolves names to allowed addresses only; `None` if every address is allowed.
    pub(crate) fn resolver(&self) -> Option<Arc<dyn Resolve>> {
        self.address_check.as_ref()?;
        Some(Arc::new(Resolver(self.clone())))
    }

    /// Adds rules and certificates to a client.
    pub(crate) fn apply(&self, mut client: ClientBuilder) -> Result<ClientBuilder> {
        if let Some(resolver) = self.resolver() {
            client = client.dns_resolver(resolver);
        }
        if !self.root_certificates.is_empty() {
            let certificates = Certificate::from_pem_bundle(&self.root_certificates).map_err(|error| {
                TransferError::invalid(format!("the trusted certificates are not PEM: {}", error_chain(&error)))
            })?;
            client = client.tls_certs_merge(certificates);
        }
        if self.is_unverified {
            client = client.tls_danger_accept_invalid_certs(true);
        }
        Ok(client.redirect(self.redirects()))
    }

    /// Follows redirects to allowed addresses, and never from TLS to plain HTTP.
    fn redirects(&self) -> Policy {
        let network = self.clone();
        Policy::custom(move |attempt: Attempt<'_>| {
            if attempt.previous().len() > MOST_REDIRECTS {
                return attempt.error("too many redirects");
            }
            let came_from_tls = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
            if came_from_tls && attempt.url().scheme() != "https" {
                return attempt.error("a redirect from https to http is not followed");
            }
            match network.check_redirect(attempt.url()) {
                Ok(()) => attempt.follow(),
                Err(refused) => attempt.error(refused),
            }
        })
    }

    fn check_redirect(&self, url: &Url) -> std::result::Result<(), RefusedAddress> {
        let host = url.host_str().unwrap_or_default();
        if self.address_check.is_some() && is_credential_host(host) {
            return Err(RefusedAddress(format!("{host}: a redirect to a server of credentials is not followed")));
        }
        self.check(url)
    }
}

fn is_credential_host(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    CREDENTIAL_HOSTS.iter().any(|known| known.eq_ignore_ascii_case(host))
}

/// Resolves as the system does, and fails if any of the addresses is not allowed.
struct Resolver(Network);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let network = self.0.clone();
        Box::pin(async move {
            let host = name.as_str();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            if !is_credential_host(host) {
                for address in &found {
                    let ip = address.ip();
                    let refused = |reason| RefusedAddress(format!("{host} has the address {ip}: {reason}"));
                    network.check_address(ip).map_err(refused)?;
                }
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_link_local() -> Network {
        let check: AddressCheck = Arc::new(|address| match address {
            IpAddr::V4(address) if address.is_link_local() => Err("link-local".to_owned()),
            _ => Ok(()),
        });
        let url_check: UrlCheck = Arc::new(|url| match url.host_str() {
            Some("metadata.internal") => Err("blocked".to_owned()),
            _ => Ok(()),
        });
        Network { address_check: Some(check), url_check: Some(url_check), ..Network::default() }
    }

    #[test]
    fn an_address_is_refused_in_every_spelling() {
        let network = without_link_local();
        let check = |url: &str| network.check(&url.parse().unwrap());
        for url in [
            "http://169.254.169.254/a",
            "http://2852039166/",
            "https://0xa9fea9fe:8080/",
            "http://169.254.43518/",
            "http://user@0251.0376.0251.0376/",
            "http://[::ffff:169.254.169.254]/",
            "http://metadata.internal/",
        ] {
            assert!(check(url).is_err(), "{url}");
        }
        assert!(check("http://169.253.1.1/").is_ok() && check("https://example.org/").is_ok());
        assert!(network.all_checks().unwrap()(&"http://169.254.0.1/".parse().unwrap()).is_err());
        assert!(Network::default().all_checks().is_none() && Network::default().resolver().is_none());
    }

    #[test]
    fn a_redirect_to_a_server_of_credentials_is_refused() {
        let check = |url: &str| without_link_local().check_redirect(&url.parse().unwrap());
        assert!(
            check("http://METADATA.google.internal./computeMetadata").is_err() && check("http://metadata/").is_err()
        );
        assert!(check("https://metadata.example.org/").is_ok());
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_a_refused_address_is_refused() {
        let check: AddressCheck =
            Arc::new(|address| if address.is_loopback() { Err("loopback".to_owned()) } else { Ok(()) });
        let network = Network { address_check: Some(check), ..Network::default() };
        let resolver = network.resolver().unwrap();
        let error = resolver.resolve("localhost".parse().unwrap()).await.err().unwrap();
        let refused = RefusedAddress::of(&*error).unwrap();
        assert!(refused.0.starts_with("localhost has the address") && refused.0.ends_with("loopback"), "{refused}");
    }

    #[test]
    fn certificates_that_are_not_pem_are_refused() {
        let wrong = b"-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n".to_vec();
        let network = Network { root_certificates: wrong, ..Network::default() };
        assert!(network.apply(ClientBuilder::new()).is_err());
    }
}
