//! The addresses that a server may have.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::error::{Error, Result};

/// Decides whether a server with this address may be connected; the error is the reason.
pub(crate) type AddressCheck = Arc<dyn Fn(IpAddr) -> std::result::Result<(), String> + Send + Sync>;

/// Refuses a server whose host is an address that is not allowed.
pub(crate) fn check_literal(server: &Url, check: &AddressCheck) -> Result<()> {
    let address = match server.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        _ => return Ok(()),
    };
    check(address).map_err(|reason| Error::Usage(format!("the address of the server is not allowed: {reason}")))
}

/// Resolves as the system does, and fails if any of the addresses is not allowed.
pub(crate) struct CheckedResolver(pub(crate) AddressCheck);

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let check = Arc::clone(&self.0);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            for address in &found {
                check(address.ip())
                    .map_err(|reason| format!("the server {} is not allowed: {reason}", name.as_str()))?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Client;
    use crate::error::Error;
    use crate::retries::Retries;

    fn without_loopback(address: std::net::IpAddr) -> Result<(), String> {
        if address.is_loopback() { Err(format!("{address} is blocked")) } else { Ok(()) }
    }

    #[tokio::test]
    async fn a_server_with_an_address_that_is_not_allowed_is_not_connected() {
        for server in ["http://127.0.0.1:1", "http://[::1]:1", "http://2130706433:1"] {
            let refused = Client::builder(server).address_check(without_loopback).build();
            assert!(matches!(refused, Err(Error::Usage(reason)) if reason.contains("is blocked")), "{server}");
        }
        let named = Client::builder("http://localhost:1").address_check(without_loopback).retries(Retries::none());
        let error = named.build().unwrap().registered_models().get("1").await.unwrap_err().to_string();
        assert!(error.contains("the server localhost is not allowed"), "{error}");
    }
}
